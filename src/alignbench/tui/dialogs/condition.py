"""The condition of a column: model and sampling parameters, each checked beside its field."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Label

from alignbench import bounds
from alignbench.bounds import Bound
from alignbench.errors import AlignbenchError, InputError
from alignbench.parsing import parse_json
from alignbench.spec import DEFAULT_SAMPLES, NOT_RECORDED, SETTINGS, Condition, Model, Sampling
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.actions import CONDITION
from alignbench.tui.dialogs.base import DIALOG_CSS, DialogScreen
from alignbench.tui.screen import do
from alignbench.tui.styled import DIM, plain
from alignbench.tui.text import one_line, printable
from alignbench.tui.widgets.inputs import PlainInput
from alignbench.tui.widgets.path_input import ModelInput
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.workbench.column_settings import COLUMN_SETTINGS, set_in_all, setting_of
from alignbench.tui.workbench.controller import Workbench

MODES = ("strict", "fast")


@dataclass(frozen=True, slots=True)
class Field:
    """A line of the editor.

    Attributes:
        key: Its name in the condition.
        label: What stands before it.
        hint: What stands behind it.
        read: The value of its text; it raises InputError.
    """

    key: str
    label: str
    hint: str
    read: Callable[[str], Any]


def _number(key: str, label: str, hint: str, bound: Bound) -> Field:
    return Field(key, label, hint, partial(bound.read, label))


def _name(text: str) -> str:
    if not text:
        raise InputError("empty; expected a name.")
    return text


def _mode(text: str) -> str:
    if text not in MODES:
        raise InputError("expected strict or fast.")
    return text


def read_stops(text: str) -> tuple[str, ...]:
    r"""Stop strings as they are typed: JSON texts separated by commas, such as "\n\n", "User:"."""
    try:
        values = parse_json(f"[{text}]")
    except ValueError:
        values = [None]
    if not all(isinstance(value, str) for value in values):
        raise InputError('expected quotes: "\\n\\n", "User:"')
    if not all(values):
        raise InputError("expected texts that are not empty.")
    return tuple(values)


def write_stops(stops: Sequence[str]) -> str:
    """Stop strings as `read_stops` reads them."""
    return ", ".join(json.dumps(stop, ensure_ascii=not stop.isprintable()) for stop in stops)


FIELDS = (
    Field("model", "Model", "", _name),
    Field("name", "Name", "what the column is called", _name),
    _number("n", "Samples (n)", "1 or more", bounds.SAMPLES),
    _number("temperature", "Temperature", "0 is greedy", bounds.TEMPERATURE),
    _number("top_p", "Top-p", "1 is off", bounds.TOP_P),
    _number("top_k", "Top-k", "0 is off", bounds.TOP_K),
    _number("min_p", "Min-p", "0 is off", bounds.MIN_P),
    _number("typical_p", "Typical-p", "1 is off", bounds.TYPICAL_P),
    _number("repetition_penalty", "Repetition penalty", "1 is off", bounds.REPETITION_PENALTY),
    _number("max_tokens", "Max tokens", "of one sample", bounds.MAX_TOKENS),
    _number("seed", "Seed", "sample i uses seed + i - 1", bounds.SEED),
    Field("stop", "Stop strings", 'quoted: "\\n\\n", "User:"', read_stops),
    Field("mode", "Mode", "strict replays, servers may not", _mode),
)
_BY_KEY = {field.key: field for field in FIELDS}
_AGAINST = 16  # cells of a value of the reference


class ConditionScreen(DialogScreen[Column | None]):
    """Edits a column, or makes one where there is none, which is sampled as the reference is."""

    CSS_PATH: ClassVar[CSSPathType | None] = [DIALOG_CSS, "condition.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("condition", CONDITION)]
    HELP = (
        "A model is a name (F2 goes through the known ones) or a reference such as llama:/path/file.gguf. ≠ says what "
        "the reference has instead. Samples that were drawn with other parameters stay in the session, as a version of "
        "the column."
    )

    def __init__(self, workbench: Workbench, column: Column | None) -> None:
        """column: the selected one, or None for a new one."""
        super().__init__()
        self._workbench = workbench
        self._column = column
        bench = workbench.bench
        self._place = bench.selected
        self._reference = bench.reference_column if bench.reference_column is not column else None
        self._known: list[Model] = []
        self._hints = {field.key: (field.hint, False) for field in FIELDS}
        self._checking = False
        self._followed = column.condition.model.name if column else ""  # what a name that was not written repeats

    @property
    def heading(self) -> str:
        bench = self._workbench.bench
        if self._reference is None:
            against = ", the reference" if self._column is not None else ""
        else:
            at = bench.columns.index(self._reference)
            against = f"; ≠ where the reference ({letter(at)}) has another value"
        what = "New column" if self._column is None else f"Condition of column {letter(self._place)}"
        return f"{what}{against}"

    def body(self) -> ComposeResult:
        values = _values(self._column)
        if self._column is None and self._reference is not None:
            shared = _values(self._reference)
            values |= {key: shared[key] for key in COLUMN_SETTINGS if shared[key] != NOT_RECORDED}
        for field in FIELDS:
            with Horizontal(classes="field", id=f"field-{field.key}"):
                yield Label(field.label, markup=False)
                if field.key == "model":
                    yield ModelInput(values.get(field.key, ""), id=field.key, compact=True)
                else:
                    yield PlainInput(values.get(field.key, ""), id=field.key, compact=True, select_on_focus=True)
                yield SteadyText(Content(field.hint), markup=False, classes="hint")

    def on_mount(self) -> None:
        for field in FIELDS:
            self._show_hint(field.key)
        self._look_up_models()

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        return self._reference is not None if action in ("reset_field", "reset_all") else True

    @work
    async def _look_up_models(self) -> None:
        from alignbench.models.catalog import known_models

        try:
            self._known = await asyncio.to_thread(known_models)
        except AlignbenchError as error:
            self.complain(str(error))
        names = [model.name for model in self._known]
        field = self.query_one("#model", ModelInput)
        field.names = names
        self._hint("model", f"F2: {', '.join(names)}" if names else "llama:/path/file.gguf")
        if not field.value and names:
            field.value = names[0]
            self._name_after(names[0])  # now: what is told about the change of the field comes later
            self.remember()

    def _hint(self, key: str, text: str, wrong: bool = False) -> None:
        self._hints[key] = text, wrong
        self._show_hint(key)

    def _show_hint(self, key: str) -> None:
        """What stands behind a field: what is wrong, or what the reference has and what is expected."""
        text, wrong = self._hints[key]
        line = self.query_one(f"#field-{key}")
        line.set_class(wrong, "-wrong")
        hint = line.query_one(".hint", SteadyText)
        other = "" if wrong else self._against(key)
        mark = (f"≠ {one_line(other, _AGAINST)}  ", DIM if key == "model" else "bold $text-warning") if other else ""
        hint.update(plain(f"✗ {text}") if wrong else Content.assemble(mark, printable(text)))
        hint.tooltip = plain(f"The reference has {other}. {text}" if other else text)

    def _against(self, key: str) -> str:
        """What the reference has where a field says something else; empty where it is the same."""
        if self._reference is None or key == "name":
            return ""
        typed = self.query_one(f"#{key}", PlainInput).value.strip()
        there = _values(self._reference)[key]
        if typed == there:
            return ""
        if key in COLUMN_SETTINGS and there != NOT_RECORDED:
            try:
                if _BY_KEY[key].read(typed) == setting_of(self._reference, key):
                    return ""
            except InputError:
                pass  # what is wrong with it is said when the fields are checked
        return there or "none"

    # keys

    def action_field_down(self) -> None:
        self.focus_next(PlainInput)

    def action_field_up(self) -> None:
        self.focus_previous(PlainInput)

    def action_next_choice(self) -> None:
        field = self.focused
        if not isinstance(field, PlainInput) or field.id not in ("model", "mode"):
            field = self.query_one("#model", PlainInput)
            field.focus()
        choices = MODES if field.id == "mode" else [model.name for model in self._known]
        if choices:
            at = choices.index(field.value) if field.value in choices else -1
            field.value = choices[(at + 1) % len(choices)]
            field.cursor_position = len(field.value)

    def action_reset_field(self) -> None:
        self._reset([self.focused.id or ""] if isinstance(self.focused, PlainInput) else [])

    def action_reset_all(self) -> None:
        self._reset(COLUMN_SETTINGS)

    def _reset(self, keys: Sequence[str]) -> None:
        """Write into these fields what the reference has."""
        if self._reference is None:
            return
        there = _values(self._reference)
        wanted = [key for key in keys if key in COLUMN_SETTINGS]
        unknown = [_BY_KEY[key].label for key in wanted if there[key] == NOT_RECORDED]
        if not wanted:
            self.complain("Model and name are a column's own; F7 takes all else from the reference.")
            return
        self.complain(f"Not recorded of the reference: {', '.join(unknown)}." if unknown else "")
        for key in wanted:
            if there[key] != NOT_RECORDED:
                self.query_one(f"#{key}", PlainInput).value = there[key]
                self._hint(key, _BY_KEY[key].hint)

    def action_set_in_all(self) -> None:
        """Give what the focused field says to every column, now."""
        key = self.focused.id or "" if isinstance(self.focused, PlainInput) else ""
        if key not in COLUMN_SETTINGS:
            self.complain("Model and name are a column's own; no other column gets them.")
            return
        field, bench = _BY_KEY[key], self._workbench.bench
        typed = self.query_one(f"#{key}", PlainInput).value.strip()
        try:
            value = field.read(typed)
        except InputError as error:
            self._wrong(key, error)
            return
        self.complain("")
        self.tell(set_in_all(bench, key, value, typed or "none"))
        if self._column is not None:
            name, before = self.query_one("#name", PlainInput), self._column.name
            self._column = bench.columns[self._place]
            name.value = self._column.name if name.value == before else name.value
        if self._reference is not None:
            self._reference = bench.reference_column
        self._hint(key, field.hint)
        do(self.app, self._workbench, self._workbench.save())

    def on_input_changed(self, event: PlainInput.Changed) -> None:
        """A name that only repeats the model's follows it."""
        if event.input.id in self._hints and self.is_mounted:
            self._show_hint(event.input.id)
        if event.input.id == "model":
            self._name_after(event.value)

    def _name_after(self, model: str) -> None:
        name = self.query_one("#name", PlainInput)
        if name.value in ("", self._followed):
            before = self._column.condition.model if self._column else None
            unchanged = before is not None and model.strip() == _written(before)
            name.value = self._followed = before.name if before and unchanged else _own_name(model.strip())

    def action_accept(self) -> None:
        if not self._checking:
            self._checking = True
            self._accept()

    @work
    async def _accept(self) -> None:
        try:
            edited = await self._read()
        finally:
            self._checking = False
        if edited is not None:
            self.dismiss(edited)

    async def _read(self) -> Column | None:
        """The condition as it is written, or None, with the reasons beside the fields."""
        self.complain("")
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for field in FIELDS:
            text = self.query_one(f"#{field.key}", PlainInput).value.strip()
            try:
                values[field.key] = None if self._unrecorded(field.key, text) else field.read(text)
                if field.key != "model":
                    self._hint(field.key, field.hint)
            except InputError as error:
                wrong.append(field.key)
                self._wrong(field.key, error)
        if "model" in values:
            model, message = await self._resolve(values["model"])
            if model is None:
                wrong.insert(0, "model")
                self._hint("model", "no such model; see below", wrong=True)
                self.complain(message)
            else:
                self._hint("model", model.kind)
        if wrong:
            self.query_one(f"#{wrong[0]}", PlainInput).focus()
            return None
        assert model is not None
        before = self._column.condition if self._column else None
        base = before if before is not None and before.model == model else Condition.zero_shot(model)
        settings = {key: values[key] for key in SETTINGS}
        return Column(Condition.of_settings(values["name"], base.model, base.context, settings), values["n"])

    def _wrong(self, key: str, error: InputError) -> None:
        message = str(error)
        self._hint(key, message.split("; ", 1)[-1] if " is " in message else message, wrong=True)

    def _unrecorded(self, key: str, text: str) -> bool:
        """Whether a field still says that an import did not tell; another model has to be told."""
        condition = self._column.condition if self._column else None
        return (
            condition is not None
            and key in condition.unrecorded
            and text == NOT_RECORDED
            and self.query_one("#model", PlainInput).value.strip() == _written(condition.model)
        )

    async def _resolve(self, written: str) -> tuple[Model | None, str]:
        if self._column is not None and written == _written(self._column.condition.model):
            return self._column.condition.model, ""
        from alignbench.models.catalog import resolve

        try:
            return await asyncio.to_thread(resolve, written), ""
        except AlignbenchError as error:
            return None, str(error)


def _values(column: Column | None) -> dict[str, str]:
    """What the fields say of a column, or of one that is new."""
    condition = column.condition if column else None
    sampling = condition.sampling if condition else Sampling()
    values = {name: _typed(value) for name, value in asdict(sampling).items() if name != "stop"}
    values["stop"] = write_stops(sampling.stop)
    values["n"] = str(column.n if column else DEFAULT_SAMPLES)
    values["seed"] = str(condition.seed if condition else 0)
    values["mode"] = condition.mode if condition else "strict"
    values |= dict.fromkeys(condition.unrecorded if condition else (), NOT_RECORDED)
    values["name"] = condition.name if condition else ""
    values["model"] = _written(condition.model) if condition else ""
    return values


def _typed(value: float) -> str:
    """A number as it is typed: in short where that is the same number."""
    short = f"{value:g}"
    return short if isinstance(value, float) and float(short) == value else str(value)


def _written(model: Model) -> str:
    """A model as a person writes it: its reference where that says more than the name."""
    from alignbench.models.embedded import FORMER
    from alignbench.models.reference import parted_model
    from alignbench.models.stages import STAGES

    if model.reference in FORMER:
        return FORMER[model.reference]
    _, adapter = parted_model(model)
    adapted = adapter is not None and adapter.target not in STAGES
    return model.reference if adapted or model.reference.startswith("llama:") else model.name


def _own_name(text: str) -> str:
    """What a model is called that is written like this; the text itself while it is no reference yet."""
    from alignbench.models.reference import own_name, parse_reference

    try:
        return own_name(parse_reference(text)) if ":" in text or "+" in text else text
    except InputError:
        return text
