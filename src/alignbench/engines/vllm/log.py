"""What a vLLM server writes while it starts: how far it is, and why it did not get further."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_LINES = 400  # kept, for the cause of an end
_LONGEST = 1 << 16  # bytes of a line

_PREFIX = re.compile(
    r"^(?:\([^()]*pid=\d+\)\s?)?(?:(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\] ?)?"
)
_EXCEPTION = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt)\b(?::.*)?$")
_USAGE = re.compile(r"\S+: error: .+")
# Of other processes of the server: that one of them has failed, and that its own message says why.
_SECOND_HAND = re.compile(
    r"See (?:the )?(?:root cause|stack trace)|EngineDeadError|Engine core initialization failed|EngineCore .* died"
    r"|cancelled|CancelledError|KeyboardInterrupt|SystemExit|BrokenPipeError|WorkerProc initialization failed"
)


@dataclass(frozen=True, slots=True)
class Stage:
    """What a server is at while it starts. fraction: of the start that is done, 0 to 1."""

    what: str
    fraction: float


# From the messages of vLLM 0.10 to 0.32. Between two of them the fraction grows by the percentage in a line.
_STAGES: tuple[tuple[re.Pattern[str], str, float, float], ...] = (
    (re.compile(r"Resolved architecture|non-default args"), "starting", 0.05, 0.05),
    (re.compile(r"Initializing a V1 LLM engine|Initializing an LLM engine"), "starting", 0.1, 0.1),
    (re.compile(r"Starting to load model"), "weights", 0.15, 0.15),
    (re.compile(r"(?:Loading|Downloading|Fetching) .*?(\d+)% "), "weights", 0.15, 0.7),
    (re.compile(r"Loading weights took|Model loading took"), "weights", 0.7, 0.7),
    (
        re.compile(r"torch\.compile takes|for the compilation|Compiling a graph|Dynamo bytecode"),
        "compiling",
        0.75,
        0.75,
    ),
    (re.compile(r"KV cache size"), "cache", 0.8, 0.8),
    (re.compile(r"Captur\w+ .*?graphs.*?(\d+)%"), "graphs", 0.8, 0.95),
    (re.compile(r"Graph capturing finished|init engine"), "graphs", 0.95, 0.95),
    (re.compile(r"Application startup complete"), "ready", 1.0, 1.0),
)


def stage_of(line: str) -> Stage | None:
    """What a line of the log says of how far the start is; None for nothing."""
    for pattern, what, low, high in _STAGES:
        if match := pattern.search(line):
            done = int(match[1]) / 100 if match.groups() else 1.0
            return Stage(what, low + (high - low) * min(1.0, done))
    return None


def last_words(lines: list[str]) -> str:
    """The last line that is not empty."""
    plain = (_PREFIX.sub("", line).strip() for line in reversed(lines))
    return next((line for line in plain if line), "")


def cause(lines: list[str]) -> str:
    """Why a server ended: the last of its errors that is not about another one; empty where there is none."""
    plain = [_PREFIX.sub("", line).rstrip() for line in lines]
    for place in range(len(plain) - 1, -1, -1):
        line = plain[place].strip()
        if (_EXCEPTION.match(line) or _USAGE.match(line)) and not _SECOND_HAND.search(line):
            if line.partition(":")[0].endswith("ValidationError"):  # the next line says of what
                line = plain[place + 1].strip() if place + 1 < len(plain) else line
                return re.sub(r"\s*\[type=.*", "", line)
            return line
    return ""


class LogReader:
    """Follows a log as it comes; `told` gets each stage that the server comes to."""

    def __init__(self, told: Callable[[Stage], None]) -> None:
        self._told = told
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._fraction = 0.0
        self._begun = b""  # a line without its end

    def feed(self, data: bytes) -> None:
        """Take in what came. A progress bar ends each of its states with a carriage return."""
        *lines, self._begun = re.split(rb"[\r\n]+", self._begun + data)
        self._begun = self._begun[-_LONGEST:]
        for line in lines:
            self._take(line.decode(errors="replace"))

    def _take(self, line: str) -> None:
        self._lines.append(line)
        stage = stage_of(line)
        if stage is not None and stage.fraction >= self._fraction:
            self._fraction = stage.fraction
            self._told(stage)

    @property
    def cause(self) -> str:
        """See `cause`."""
        return cause(list(self._lines))

    @property
    def last_words(self) -> str:
        """See `last_words`."""
        return last_words(list(self._lines))
