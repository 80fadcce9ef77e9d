"""How large the numbers may be that people give: as options, in files, in fields of the app."""

from __future__ import annotations

import re
from dataclasses import dataclass

from alignbench.errors import InputError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bound:
    """A range of numbers, its ends included.

    Attributes:
        whole: whether only whole numbers are in it
        over, under: whether `least` or `most`, one of them, is itself not in it
        note: what an end means, for messages
    """

    least: float
    most: float
    whole: bool = True
    over: bool = False
    under: bool = False
    note: str = ""

    @property
    def words(self) -> str:
        """The range in words."""
        least, most = _words(self.least), _words(self.most)
        words = f"{least} to {most}"
        if self.over:
            words = f"over {least} and at most {most}"
        elif self.under:
            words = f"{least} or more and under {most}"
        return f"{words} ({self.note})" if self.note else words

    def expected(self, value: object) -> str:
        """What a value that is not in it should have been."""
        if isinstance(value, int if self.whole else int | float) and not isinstance(value, bool):
            return self.words
        return f"{'a whole number' if self.whole else 'a number'}, {self.words}"

    def has(self, value: object) -> bool:
        """Whether it is a number in this range; True and False are none, nor is what is not a number."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        above = self.least < value if self.over else self.least <= value
        return above and (value < self.most if self.under else value <= self.most)

    def check(self, name: str, value: object) -> None:
        """InputError where a value is not in the range."""
        if not self.has(value):
            raise self.error(name, value)

    def read(self, name: str, text: str) -> int | float:
        """A number that was typed, in ASCII digits. InputError where it is none, or not in the range."""
        typed = text.strip()
        value: int | float | None = None
        if self.whole and _WHOLE.fullmatch(typed):
            value = int(typed)
        elif not self.whole and _NUMBER.fullmatch(typed):
            value = float(typed)
        if value is None or not self.has(value):
            raise self.error(name, text if value is None else value)
        return value

    def error(self, name: str, value: object) -> InputError:
        shown = repr(value)
        return InputError(
            f"{name} is {shown if len(shown) <= 60 else shown[:57] + '...'}; expected {self.expected(value)}."
        )


def _words(number: float) -> str:
    """A number as people write it; a large power of two as one."""
    whole = int(number)
    if whole == number and whole >= 2**40 and whole & (whole - 1) == 0:
        return f"2^{whole.bit_length() - 1}"
    return f"{whole:,}" if whole == number else f"{number:g}"


TEMPERATURE = Bound(0, 100, whole=False, note="0 is greedy")
TOP_K = Bound(0, 1_000_000, note="0 is off")
TOP_P = Bound(0, 1, whole=False, over=True, note="1 is off")
MIN_P = Bound(0, 1, whole=False, under=True, note="0 is off")
TYPICAL_P = Bound(0, 1, whole=False, over=True, note="1 is off")
REPETITION_PENALTY = Bound(0, 10, whole=False, over=True, note="1 is off")
MAX_TOKENS = Bound(1, 10_000_000)
SAMPLES = Bound(1, 10_000)  # of a cell
SAMPLE = Bound(0, SAMPLES.most - 1)  # its index in the cell
SEED = Bound(0, 2**62)  # that of a sample is larger by its index, and goes into a SQLite integer
SESSION = Bound(1, 2**53)  # a whole number that JSON has too
LIMIT = Bound(1, 1_000_000_000)  # of prompts, hits or words
COMPARED_SAMPLES = Bound(2, SAMPLES.most)
PROMPTS = Bound(2, 100_000)  # of a planted experiment
REPETITIONS = Bound(1, 1_000_000)
RESAMPLES = Bound(1, 10_000_000)
BUDGET = Bound(0, MAX_TOKENS.most)  # tokens of a context
EXAMPLES = Bound(1, 10_000)
VERBALIZED = Bound(2, 1_000)
FRACTION = Bound(0, 1, whole=False, over=True)
THREADS = Bound(1, 4_096)
CONCURRENCY = Bound(1, 4_096)  # requests to a server
TIMEOUT = Bound(0, 86_400, whole=False, over=True)  # seconds
GPU_LAYERS = Bound(-1, 100_000, note="-1 is all")
ADAPTER_SCALE = Bound(-100, 100, whole=False, note="0 is the base model")
GIGABYTES = Bound(0.1, 1_000_000, whole=False)
PORT = Bound(0, 65_535)
GPUS = Bound(0, 1_000, whole=False)
TOP_TOKENS = Bound(1, 100)
QUALITY = Bound(1, 5, whole=False)
EFFECT = Bound(0, 1_000_000, whole=False, over=True)
GAP = Bound(-1_000, 1_000, whole=False)  # bits per byte
