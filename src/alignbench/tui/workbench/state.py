"""What the Bench shows: columns, cells and samples. Plain values, changed only in the app's own thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from alignbench.spec import DEFAULT_SAMPLES, Condition, Model, Prompt
from alignbench.tui.workbench.token_rate import TokenRate

if TYPE_CHECKING:
    from alignbench.experiments.plan import Plan
    from alignbench.store import SampleRow

SampleStatus = Literal["waiting", "running", "done", "cancelled", "error"]
CellStatus = Literal["idle", "starting", "loading", "waiting", "sampling"]
CellKey = tuple[str, str]  # prompt hash, condition hash


@dataclass(slots=True)
class BenchSample:
    """One response as far as it is known. `index` counts from 0; people see it from 1."""

    index: int
    status: SampleStatus = "waiting"
    text: str = ""
    n_tokens: int = 0
    row: SampleRow | None = None

    @classmethod
    def stored(cls, row: SampleRow) -> BenchSample:
        return cls(row.sample, row.status, row.text, row.n_tokens or 0, row)

    def words(self, max_tokens: int) -> str:
        """Its state in words, for the margin of a list."""
        match self.status:
            case "waiting":
                return "waiting"
            case "running":
                return f"{self.n_tokens} tok …"
            case "error":
                return "error"
            case "cancelled":
                return f"cancelled at {self.n_tokens} tok"
        if self.row is not None and self.row.finish_reason == "length":
            return f"cut at {max_tokens} tok"
        if self.row is not None and self.row.probability is not None:
            return f"p {self.row.probability:.2f}"
        return f"{self.n_tokens} tok"


@dataclass(slots=True)
class BenchCell:
    """One prompt under one condition, as the app follows it.

    plan: what samples it, or did last. model: name of the one that does. message: why it failed, else empty.
    """

    id: int | None = None
    plan: Plan | None = None
    model: str = ""
    status: CellStatus = "idle"
    fraction: float = 0.0  # of loading the model
    message: str = ""
    samples: dict[int, BenchSample] = field(default_factory=dict)
    rate: TokenRate = field(default_factory=TokenRate)

    @property
    def busy(self) -> bool:
        return self.status != "idle"

    @property
    def done(self) -> int:
        return sum(sample.status == "done" for sample in self.samples.values())

    def sample(self, index: int) -> BenchSample:
        return self.samples.setdefault(index, BenchSample(index))

    def ordered(self, n: int) -> list[BenchSample]:
        """Samples to show: the first n, and any beyond that are there already."""
        if not self.samples:
            return []
        return [self.sample(i) for i in sorted({*range(n), *self.samples})]


@dataclass(frozen=True, slots=True)
class Column:
    """A condition and how many samples of it are asked for. hash: the condition's, computed once.

    versions: the conditions that the column has been, oldest first, this one among them; empty where it has been no
    other.
    """

    condition: Condition
    n: int = DEFAULT_SAMPLES
    versions: tuple[Condition, ...] = ()
    hash: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", self.condition.hash)

    @property
    def name(self) -> str:
        return self.condition.name

    @property
    def history(self) -> tuple[Condition, ...]:
        return self.versions or (self.condition,)

    @property
    def version(self) -> int:
        """Where the condition stands in the history, from 0."""
        return [condition.hash for condition in self.history].index(self.hash)


def letter(index: int) -> str:
    """A, B, ..., Z, AA, ...: how a column is called where its name is too long."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or the first of `wanted 2`, `wanted 3`, ... that nobody has."""
    names = set(taken)
    if wanted not in names:
        return wanted
    stem, _, number = wanted.rpartition(" ")
    if stem and number.isdigit():
        wanted = stem
    count = 2
    while f"{wanted} {count}" in names:
        count += 1
    return f"{wanted} {count}"


NO_PROMPT = Prompt(id="", text="")
THIS_SESSION = "this session"  # the set of prompts that the session has samples of


@dataclass(slots=True)
class Bench:
    """The session on the screen.

    session: its row in the database, None until the first sampling. used: conditions of the session that have samples
    or had a column, by name; a name means one condition for as long as the session lives. read: hashes of conditions
    that the ledger was opened for.
    """

    columns: list[Column] = field(default_factory=list)
    selected: int = 0
    reference: str | None = None
    prompt: Prompt = NO_PROMPT
    prompt_set: str = ""
    prompts: Sequence[Prompt] = ()
    session: int | None = None
    name: str = ""
    cells: dict[CellKey, BenchCell] = field(default_factory=dict)
    used: dict[str, Condition] = field(default_factory=dict)
    asked: list[Prompt] = field(default_factory=list)
    read: set[str] = field(default_factory=set)

    @classmethod
    def ready(cls, models: Sequence[Model], prompts: Sequence[Prompt], prompt_set: str) -> Bench:
        """A bench with a column per model; the first aligned one is the reference; the first prompt is chosen."""
        bench = cls(prompts=prompts, prompt_set=prompt_set, prompt=prompts[0] if prompts else NO_PROMPT)
        for model in models:
            bench.add(Column(Condition.zero_shot(model, name=free_name(model.name, bench.used))))
        bench.selected = 0
        bench.reference = bench.default_reference()
        return bench

    @property
    def column(self) -> Column | None:
        return self.columns[self.selected] if self.columns else None

    @property
    def position(self) -> int | None:
        """Where the prompt stands in its set, from 0; None for a prompt typed by hand."""
        return next((i for i, prompt in enumerate(self.prompts) if prompt == self.prompt), None)

    def asked_prompt(self, id: str) -> Prompt:
        """The session's prompt of this id, or the one on the screen."""
        return next((prompt for prompt in self.asked if prompt.id == id), self.prompt)

    @property
    def busy(self) -> bool:
        return any(cell.busy for cell in self.cells.values())

    def cell(self, column: Column, prompt: Prompt | None = None) -> BenchCell:
        """The cell of a column, for the prompt on the screen where none is given."""
        key = ((prompt or self.prompt).hash, column.hash)
        return self.cells.setdefault(key, BenchCell())

    # columns

    def add(self, column: Column) -> None:
        """A new column at the right end; it becomes the selected one."""
        self.columns.append(column)
        self.used[column.name] = column.condition
        self.selected = len(self.columns) - 1
        if self.reference is None:
            self.reference = column.name

    def put(self, column: Column) -> None:
        """Change the selected column; the reference mark stays with the column.

        A condition that has samples, or that the ledger was opened for, stays behind as a version of it.
        """
        before = self.columns[self.selected]
        column = replace(column, versions=self._versions(before, column.condition))
        self.columns[self.selected] = column
        self.used[column.name] = column.condition
        if self.reference == before.name:
            self.reference = column.name

    def _versions(self, before: Column, to: Condition) -> tuple[Condition, ...]:
        """The history of a column after `to` has taken its place; what was neither sampled nor read leaves none."""
        known = list(before.history)
        hashes = [condition.hash for condition in known]
        if to.hash in hashes:
            known[hashes.index(to.hash)] = to
        elif self._is_kept(before.condition):
            known.append(to)
        else:
            known[before.version] = to
        return tuple(known) if len(known) > 1 else ()

    def show_version(self, version: int) -> str:
        """Put another version of the selected column on the Bench, by its place; what there is to say about it."""
        column = self.columns[self.selected]
        if not 0 <= version < len(column.history):
            return f"{column.name} has no {'older' if version < 0 else 'newer'} version."
        condition = column.history[version]
        return self.change(column, Column(condition, column.n))

    def remove(self) -> Column:
        """Take the selected column away. Its samples stay in the session."""
        gone = self.columns.pop(self.selected)
        self.selected = max(0, min(self.selected, len(self.columns) - 1))
        if self.reference == gone.name:
            self.reference = self.default_reference()
        if not self.has_samples(gone.condition):
            del self.used[gone.name]
        return gone

    def default_reference(self) -> str | None:
        """The first aligned column, else the first one."""
        names = [column.name for column in self.columns]
        aligned = [column.name for column in self.columns if column.condition.model.kind == "aligned"]
        return next(iter([*aligned, *names]), None)

    def change(self, column: Column | None, to: Column) -> str:
        """Put `to` in the place of a column, or beside the others; what there is to say about it."""
        condition = self.settle(to.condition, column)
        if any(c is not column and c.hash == condition.hash for c in self.columns):
            return f"{condition.name} is on the Bench already, with these very parameters."
        settled = Column(condition, to.n)
        if column is None:
            self.add(settled)
        else:
            self.selected = self.columns.index(column)
            self.put(settled)
        if condition.name == to.name:
            return ""
        return f"{to.name} has samples of other parameters in this session; this column is {condition.name}."

    def is_renaming(self, column: Column | None, to: Column) -> bool:
        """Whether `to` only gives another name to a column that has samples."""
        return (
            column is not None
            and to.hash == column.hash
            and to.name != column.name
            and self.has_samples(column.condition)
        )

    def rename(self, column: Column, to: Column) -> None:
        """Another name for a column and all its samples."""
        del self.used[column.name]
        self.selected = self.columns.index(column)
        self.put(to)
        for key, cell in self.cells.items():
            if key[1] == column.hash:
                for sample in cell.samples.values():
                    if sample.row is not None:
                        sample.row = replace(sample.row, condition=to.name)

    def has_samples(self, condition: Condition) -> bool:
        """Whether any prompt of the session has samples, or is about to get them, under this condition.

        Errors are no samples: a condition that only failed may be changed under its name.
        """
        return any(
            key[1] == condition.hash
            and (cell.busy or any(sample.status != "error" for sample in cell.samples.values()))
            for key, cell in self.cells.items()
        )

    def _is_kept(self, condition: Condition) -> bool:
        return self.has_samples(condition) or condition.hash in self.read

    def settle(self, condition: Condition, replacing: Column | None = None) -> Condition:
        """The condition under a name that is free for it.

        What decides the texts may not change under a name that has samples: a changed condition gets the next name,
        and one that the session knew before gets its old name back.
        """
        if replacing is not None and condition.hash == replacing.condition.hash and condition.name == replacing.name:
            return replacing.condition
        others = dict(self.used)
        if replacing is not None and not self._is_kept(replacing.condition):
            others.pop(replacing.name, None)
        for name, known in others.items():
            if known.hash == condition.hash:
                return replace(condition, name=name)
        return replace(condition, name=free_name(condition.name, others))

    def reseeded(self, column: Column) -> Column:
        """The column with seeds that follow those it has used: seed + n, or further where that was used too."""
        hashes = {condition.hash for condition in self.used.values()}
        cell = self.cell(column)
        step = max(column.n, max(cell.samples, default=-1) + 1)
        condition = replace(column.condition, seed=column.condition.seed + step)
        while condition.hash in hashes:
            condition = replace(condition, seed=condition.seed + step)
        return replace(column, condition=self.settle(condition))

    def renewed(self) -> Bench:
        """A new session with the same columns and prompt, and nothing sampled."""
        return Bench(
            columns=list(self.columns),
            selected=self.selected,
            reference=self.reference,
            prompt=self.prompt,
            prompt_set=self.prompt_set,
            prompts=self.prompts,
            used={column.name: column.condition for column in self.columns},
        )

    def step_prompt(self, by: int) -> None:
        """The next or an earlier prompt of the set, round the ends."""
        if self.prompts:
            position = self.position
            at = (-1 if by > 0 else 0) if position is None else position
            self.prompt = self.prompts[(at + by) % len(self.prompts)]
