"""What the Bench shows: columns, their cells, and what of them is selected. Changed only in the app's own thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from alignbench.contexts.source_samples import refuse_new_name
from alignbench.errors import InputError
from alignbench.spec import DEFAULT_SAMPLES, Condition, Model, Prompt, Sampling
from alignbench.tui.workbench.cell import BenchCell, BenchSample
from alignbench.tui.workbench.column import Column, free_name

if TYPE_CHECKING:
    from alignbench.store import SampleRow

CellKey = tuple[str, str]  # prompt key, condition hash


@dataclass(frozen=True, slots=True)
class SamplePlace:
    """Where a sample stands in a session.

    Attributes:
        prompt: Id.
        condition: Name.
        sample: Index, from 0.
    """

    prompt: str
    condition: str
    sample: int


DEFAULTS = Sampling()
NO_PROMPT = Prompt(id="", text="")
THIS_SESSION = "this session"  # the set of prompts that the session has samples of, or that were typed in it
TYPED_BEFORE = "typed before"  # the set of prompts that were typed in any session


@dataclass(slots=True)
class Bench:
    """The session on the screen.

    Attributes:
        selected: Place of the selected column.
        cursor: Index of the selected sample, the same in every column.
        base: Name of the base column that was selected last.
        reference: Name of the column that the others are compared with.
        prompt, prompt_set, prompts: The prompt on the screen, and the set that it is from, by name or path.
        session: Its row in the database, None until the first sampling.
        name: The session's.
        cells: By key of prompt and hash of condition.
        used: Conditions of the session that have samples or had a column, by name; a name means one condition for as
            long as the session lives.
        asked: Prompts that were sampled.
        typed: Prompts that were typed by hand, in the order in which they were first on the Bench.
        read: Hashes of conditions that the ledger was opened for.
    """

    columns: list[Column] = field(default_factory=list)
    selected: int = 0
    cursor: int = 0
    base: str = ""
    reference: str | None = None
    prompt: Prompt = NO_PROMPT
    prompt_set: str = ""
    prompts: Sequence[Prompt] = ()
    session: int | None = None
    name: str = ""
    cells: dict[CellKey, BenchCell] = field(default_factory=dict)
    used: dict[str, Condition] = field(default_factory=dict)
    asked: list[Prompt] = field(default_factory=list)
    typed: list[Prompt] = field(default_factory=list)
    read: set[str] = field(default_factory=set)

    @classmethod
    def ready(
        cls, models: Sequence[Model], prompts: Sequence[Prompt], prompt_set: str, sampling: Sampling = DEFAULTS
    ) -> Bench:
        """A bench with a column per model; the first aligned one is the reference, the first prompt is chosen.

        Args:
            models: Of the columns.
            prompts: The set.
            prompt_set: Its name or path.
            sampling: How each column is drawn.
        """
        return cls.of([Condition.zero_shot(model, sampling=sampling) for model in models], prompts, prompt_set)

    @classmethod
    def of(cls, conditions: Sequence[Condition], prompts: Sequence[Prompt], prompt_set: str) -> Bench:
        """The same with a column per condition."""
        bench = cls(prompts=prompts, prompt_set=prompt_set, prompt=prompts[0] if prompts else NO_PROMPT)
        for condition in conditions:
            bench.add(Column(replace(condition, name=free_name(condition.name, bench.used))))
        bench.selected = 0
        bench.reference = bench.default_reference()
        return bench

    @property
    def column(self) -> Column | None:
        return self.columns[self.selected] if self.columns else None

    @property
    def position(self) -> int | None:
        """Where the prompt stands in its set, from 0; None for a prompt typed by hand."""
        exact = next((i for i, prompt in enumerate(self.prompts) if prompt == self.prompt), None)
        if exact is not None:
            return exact
        # One without an id of its own may be on the Bench as another prompt of its text.
        return next((i for i, prompt in enumerate(self.prompts) if prompt.hash == self.prompt.hash), None)

    @property
    def own_prompts(self) -> list[Prompt]:
        """The prompts of the session: those that were sampled, then those that were only typed."""
        sampled = {prompt.key for prompt in self.asked}
        return [*self.asked, *(prompt for prompt in self.typed if prompt.key not in sampled)]

    def asked_prompt(self, id: str) -> Prompt:
        """The session's prompt of this id, or the one on the screen."""
        return next((prompt for prompt in self.asked if prompt.id == id), self.prompt)

    @property
    def busy(self) -> bool:
        return any(cell.busy for cell in self.cells.values())

    def cell(self, column: Column, prompt: Prompt | None = None) -> BenchCell:
        """The cell of a column, for the prompt on the screen where none is given."""
        key = ((prompt or self.prompt).key, column.hash)
        return self.cells.setdefault(key, BenchCell())

    def draws(self, prompt: str, condition: str) -> tuple[SampleRow, ...]:
        """The finished samples of a cell that scores count, by the prompt's key and the condition's hash."""
        cell = self.cells.get((prompt, condition))
        return () if cell is None else cell.draws

    # what is selected

    @property
    def sample(self) -> BenchSample | None:
        """The selected sample."""
        if (column := self.column) is None:
            return None
        return next((s for s in self.cell(column).ordered(column.asked) if s.index == self.cursor), None)

    def select(self, at: int) -> None:
        """Select a column, round the ends."""
        if self.columns:
            self.selected = at % len(self.columns)
            self.remember_base()

    def remember_base(self) -> None:
        """Where a base model's column is selected, it is the one that examples are given to from now on."""
        column = self.column
        if column is not None and column.condition.model.kind == "base":
            self.base = column.name

    @property
    def base_column(self) -> Column | None:
        """The base model's column that was selected last, else the first one."""
        columns = [column for column in self.columns if column.condition.model.kind == "base"]
        return next((column for column in columns if column.name == self.base), next(iter(columns), None))

    @property
    def reference_column(self) -> Column | None:
        return next((column for column in self.columns if column.name == self.reference), None)

    def go_to(self, place: SamplePlace) -> None:
        """Put a stored sample under the cursor: its prompt, and its column in the version that it is of. A column that
        is not there any more comes back; so it does where another version is being sampled."""
        self.ask(self.asked_prompt(place.prompt))
        if self.position is None:
            self.prompts, self.prompt_set = self.asked, THIS_SESSION
        if (condition := self.used.get(place.condition)) is not None:
            self._show_condition(condition)
            self.cursor = place.sample

    def _show_condition(self, condition: Condition) -> None:
        shown = [column.hash for column in self.columns]
        histories = [[version.hash for version in column.history] for column in self.columns]
        wanted = condition.hash
        at = shown.index(wanted) if wanted in shown else None
        if at is None:
            had = (i for i, column in enumerate(self.columns) if wanted in histories[i] and not self.cell(column).busy)
            at = next(had, None)
        if at is None:
            asked = [1 + max(cell.samples, default=0) for key, cell in self.cells.items() if key[1] == wanted]
            self.add(Column(condition, max(asked, default=DEFAULT_SAMPLES)))
        else:
            self.select(at)
            if shown[at] != wanted:
                self.show_version(histories[at].index(wanted))

    def idle_column(self) -> Column | None:
        """The selected column. InputError while it is being sampled."""
        column = self.column
        if column is not None and self.cell(column).busy:
            raise InputError("This column is being sampled; Esc stops it.")
        return column

    def move_cursor(self, by: int) -> None:
        """Select a sample above or below."""
        if (column := self.column) is not None:
            indices = [sample.index for sample in self.cell(column).ordered(column.asked)]
            if indices:
                at = indices.index(self.cursor) if self.cursor in indices else 0
                self.cursor = indices[max(0, min(len(indices) - 1, at + by))]

    def ask(self, prompt: Prompt) -> None:
        """Put a prompt on the Bench; the columns show its cells.

        It is the session's where that has it.
        """
        (self.prompt,), self.cursor = self.as_asked([prompt]), 0
        typed = not self.prompt.set and not self.prompt.is_named and self.prompt.text.strip()
        if typed and self.prompt not in self.typed:
            self.typed.append(self.prompt)

    def as_asked(self, prompts: Iterable[Prompt]) -> list[Prompt]:
        """Prompts as the session has them: one without an id of its own is the first of its text that was sampled."""
        keys = {known.key for known in self.asked}
        firsts = {known.hash: known for known in reversed(self.asked)}
        return [
            prompt if prompt.is_named or prompt.key in keys else firsts.get(prompt.hash, prompt) for prompt in prompts
        ]

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
        said = self.change(column, Column(column.history[version], column.n))
        self.remember_base()
        return said

    def step_version(self, by: int) -> str:
        """Put an older or a newer version of the selected column on the Bench; what there is to say about it.

        InputError while the column is being sampled.
        """
        column = self.idle_column()
        return self.show_version(column.version + by) if column is not None else ""

    def remove(self) -> Column:
        """Take the selected column away. Its samples stay in the session."""
        gone = self.columns.pop(self.selected)
        self.selected = max(0, min(self.selected, len(self.columns) - 1))
        if self.reference == gone.name:
            self.reference = self.default_reference()
        if not self.has_samples(gone.condition):
            del self.used[gone.name]
        return gone

    def put_back(self, column: Column, at: int, *, is_reference: bool) -> None:
        """Have a column again that was taken away. InputError where its condition is on the Bench meanwhile.

        Args:
            column: As it was.
            at: Its place.
            is_reference: Whether the others were compared with it.
        """
        if any(each.hash == column.hash for each in self.columns):
            raise InputError(f"{column.name} is on the Bench already.")
        column = replace(column, condition=self.settle(column.condition))
        self.selected = min(at, len(self.columns))
        self.columns.insert(self.selected, column)
        self.used[column.name] = column.condition
        if is_reference:
            self.reference = column.name

    def default_reference(self) -> str | None:
        """The first aligned column, else the first one."""
        names = [column.name for column in self.columns]
        aligned = [column.name for column in self.columns if column.condition.model.kind == "aligned"]
        return next(iter([*aligned, *names]), None)

    def change(self, column: Column | None, to: Column) -> str:
        """Put `to` in the place of a column, or beside the others; what there is to say about it.

        InputError where the column is not there any more, or its name would go that contexts are made by.
        """
        at = self._place(column) if column is not None else None
        if column is not None and not (self._is_kept(column.condition) and to.hash != column.hash):
            self.check_name(column, to)
        condition = self.settle(to.condition if column is None else self._with_due_seed(column, to.condition), column)
        if any(c is not column and c.hash == condition.hash for c in self.columns):
            return f"{condition.name} is on the Bench already, with these very parameters."
        settled = Column(condition, to.n)
        if at is None:
            self.add(settled)
        else:
            self.selected = at
            self.put(settled)
        if condition.name == to.name:
            return ""
        return f"{to.name} has samples of other parameters in this session; this column is {condition.name}."

    def change_back(self, column: Column, before: Column) -> str:
        """Have a column as it was before a change; what was sampled since stays, as a version of it.

        What there is to say about it. InputError where the column was changed again, or is on the Bench as it was.
        """
        at = self._place(column)
        if self._is_kept(column.condition):
            return self.change(column, before)
        if any(each is not column and each.hash == before.hash for each in self.columns):
            raise InputError(f"{before.name} is on the Bench already.")
        self.selected, self.columns[at] = at, before
        self.used.pop(column.name, None)
        self.used[before.name] = before.condition
        if self.reference == column.name:
            self.reference = before.name
        return ""

    def _with_due_seed(self, before: Column, condition: Condition) -> Condition:
        """A copy of a column has another seed as long as it differs in nothing else; then it has its original's."""
        own = before.condition
        if condition.seed != own.seed or self._is_kept(own):
            return condition
        others = [column.condition for column in self.columns if column is not before]
        for original in others:
            due = replace(condition, seed=original.seed)
            if replace(own, seed=original.seed).hash == original.hash and due.hash not in {c.hash for c in others}:
                return due
        return condition

    def _place(self, column: Column) -> int:
        """Where a column stands. InputError where it was changed or taken away meanwhile."""
        if column not in self.columns:
            raise InputError(f"{column.name} is not on the Bench as it was: nothing is changed.")
        return self.columns.index(column)

    def is_renaming(self, column: Column | None, to: Column) -> bool:
        """Whether `to` only gives another name to a column that has samples."""
        return (
            column is not None
            and column in self.columns
            and to.hash == column.hash
            and to.name != column.name
            and self.has_samples(column.condition)
        )

    def check_name(self, column: Column, to: Column) -> None:
        """InputError where contexts of other columns, or of their versions, are made from samples by the name that a
        column would lose."""
        if to.name != column.name:
            versions = (condition for each in self.columns if each is not column for condition in each.history)
            refuse_new_name(column.name, (*self.used.values(), *versions))

    def rename(self, column: Column, to: Column) -> None:
        """Another name for a column and all its samples."""
        self.selected = self._place(column)
        del self.used[column.name]
        self.put(to)
        for key, cell in self.cells.items():
            if key[1] == column.hash:
                for sample in list(cell.samples.values()):
                    if sample.row is not None:
                        cell.put(replace(sample, row=replace(sample.row, condition=to.name)))

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
        unrecorded = column.condition.unrecorded - {"seed"}
        condition = replace(column.condition, seed=column.condition.seed + step, unrecorded=unrecorded)
        while condition.hash in hashes:
            condition = replace(condition, seed=condition.seed + step)
        return replace(column, condition=self.settle(condition), versions=())

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
            self.ask(self.prompts[(at + by) % len(self.prompts)])
