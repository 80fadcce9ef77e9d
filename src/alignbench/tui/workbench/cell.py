"""Cells and samples as the app follows them. Plain values, changed only in the app's own thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from alignbench.tui.workbench.token_rate import TokenRate

if TYPE_CHECKING:
    from alignbench.experiments.plan import Plan
    from alignbench.store import SampleRow

BenchSampleStatus = Literal["waiting", "running", "done", "cancelled", "error"]
CellStatus = Literal["idle", "starting", "loading", "waiting", "sampling"]


@dataclass(slots=True)
class BenchSample:
    """One response as far as it is known. `index` counts from 0; people see it from 1."""

    index: int
    status: BenchSampleStatus = "waiting"
    text: str = ""
    n_tokens: int = 0
    row: SampleRow | None = None

    @classmethod
    def stored(cls, row: SampleRow) -> BenchSample:
        return cls(row.sample, row.status, row.text, row.n_tokens or 0, row)

    def words(self, max_tokens: int | None) -> str:
        """Its state in words, for the margin of a list."""
        match self.status:
            case "waiting":
                return "waiting"
            case "running":
                return f"{self.n_tokens} tok …"
            case "error":
                return "error"
            case "cancelled":
                return f"cancelled at {self.n_tokens} tok" if self.n_tokens else "cancelled"
        if self.row is not None and self.row.finish_reason == "length":
            return "cut" if max_tokens is None else f"cut at {max_tokens} tok"
        if self.row is not None and self.row.refused:
            return "refused"
        if self.row is not None and self.row.probability is not None:
            return f"p {self.row.probability:.2f}"
        return "" if self.row is not None and self.row.n_tokens is None else f"{self.n_tokens} tok"


def shared_end(samples: Sequence[BenchSample], max_tokens: int | None) -> str:
    """What all of these samples came to, in a word: cut or refused. Empty where they are no two, or differ."""
    said = {sample.words(max_tokens).partition(" ")[0] for sample in samples}
    return next((end for end in ("cut", "refused") if said == {end}), "") if len(samples) > 1 else ""


@dataclass(slots=True)
class BenchCell:
    """One prompt under one condition, as the app follows it.

    Attributes:
        id: Its row in the database.
        plan: What samples it, or did last.
        model: Name of the one that does.
        status: What is being done.
        fraction: Of loading the model, 0 to 1.
        stage: Of loading the model, what is done now; empty where that is not said.
        message: Why it failed, else empty.
        samples: By index.
        rate: Tokens a second.
    """

    id: int | None = None
    plan: Plan | None = None
    model: str = ""
    status: CellStatus = "idle"
    fraction: float = 0.0
    stage: str = ""
    message: str = ""
    samples: dict[int, BenchSample] = field(default_factory=dict)
    rate: TokenRate = field(default_factory=TokenRate)
    _draws: tuple[SampleRow, ...] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def busy(self) -> bool:
        return self.status != "idle"

    @property
    def done(self) -> int:
        return sum(sample.status == "done" for sample in self.samples.values())

    @property
    def draws(self) -> tuple[SampleRow, ...]:
        """The finished samples that scores count, by index; one tuple until another sample is put."""
        if self._draws is None:
            from alignbench.scoring.draws import is_draw

            samples = (sample for _, sample in sorted(self.samples.items()))
            rows = (sample.row for sample in samples if sample.status == "done" and sample.row is not None)
            self._draws = tuple(row for row in rows if is_draw(row))
        return self._draws

    def put(self, sample: BenchSample) -> None:
        """Have this one in the place of any other of its index."""
        self.samples[sample.index] = sample
        self._draws = None

    def has(self, n: int) -> bool:
        """Whether the first n samples are done."""
        return all(index in self.samples and self.samples[index].status == "done" for index in range(n))

    def sample(self, index: int) -> BenchSample:
        return self.samples.setdefault(index, BenchSample(index))

    def ordered(self, n: int) -> list[BenchSample]:
        """Samples to show: the first n, and any beyond that are there already."""
        if not self.samples:
            return []
        return [self.sample(i) for i in sorted({*range(n), *self.samples})]
