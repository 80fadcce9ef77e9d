"""The condition of a column: model and sampling parameters, each checked beside its field."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.types import CSSPathType
from textual.widgets import Label, Static

from alignbench import bounds
from alignbench.bounds import Bound
from alignbench.errors import AlignbenchError, InputError
from alignbench.parsing import parse_json
from alignbench.spec import DEFAULT_SAMPLES, NOT_RECORDED, Condition, Model, Sampling
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.actions import CONDITION
from alignbench.tui.dialogs.base import DIALOG_CSS, DialogScreen
from alignbench.tui.styled import plain
from alignbench.tui.widgets.inputs import PlainInput
from alignbench.tui.workbench.state import Column

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
    _number("repetition_penalty", "Repetition penalty", "1 is off", bounds.REPETITION_PENALTY),
    _number("max_tokens", "Max tokens", "of one sample", bounds.MAX_TOKENS),
    _number("seed", "Seed", "sample i uses seed + i - 1", bounds.SEED),
    Field("stop", "Stop strings", 'quoted: "\\n\\n", "User:"', read_stops),
    Field("mode", "Mode", "strict replays, fast does not", _mode),
)
_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "stop")


class ConditionScreen(DialogScreen[Column | None]):
    """Edits a column, or makes one where there is none."""

    CSS_PATH: ClassVar[CSSPathType | None] = [DIALOG_CSS, "condition.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("condition", CONDITION)]
    HELP = (
        "A model is a name (F2 goes through the known ones) or a reference such as llama:/path/file.gguf. "
        "Samples that were drawn with other parameters stay in the session under the column's old name."
    )

    def __init__(self, column: Column | None) -> None:
        super().__init__()
        self._column = column
        self._known: list[Model] = []
        self._checking = False
        self._followed = column.condition.model.name if column else ""  # what a name that was not written repeats

    @property
    def heading(self) -> str:
        return "New column" if self._column is None else "Condition of the selected column"

    def body(self) -> ComposeResult:
        values = self._values()
        for field in FIELDS:
            with Horizontal(classes="field", id=f"field-{field.key}"):
                yield Label(field.label, markup=False)
                yield PlainInput(values.get(field.key, ""), id=field.key, compact=True, select_on_focus=True)
                yield Static(Content(field.hint), markup=False, classes="hint")

    def _values(self) -> dict[str, str]:
        condition = self._column.condition if self._column else None
        sampling = condition.sampling if condition else Sampling()
        values = {key: f"{getattr(sampling, key):g}" for key in _SAMPLING if key not in ("stop", "max_tokens")}
        values["max_tokens"] = str(sampling.max_tokens)
        values["stop"] = write_stops(sampling.stop)
        values["n"] = str(self._column.n if self._column else DEFAULT_SAMPLES)
        values["seed"] = str(condition.seed if condition else 0)
        values["mode"] = condition.mode if condition else "strict"
        values |= dict.fromkeys(condition.unrecorded if condition else (), NOT_RECORDED)
        values["name"] = condition.name if condition else ""
        values["model"] = _written(condition.model) if condition else ""
        return values

    def on_mount(self) -> None:
        self._look_up_models()

    @work
    async def _look_up_models(self) -> None:
        from alignbench.models.catalog import known_models

        try:
            self._known = await asyncio.to_thread(known_models)
        except AlignbenchError as error:
            self.complain(str(error))
        names = [model.name for model in self._known]
        field = self.query_one("#model", PlainInput)
        field.suggester = SuggestFromList(names)
        self._hint("model", f"F2: {', '.join(names)}" if names else "llama:/path/file.gguf")
        if not field.value and names:
            field.value = names[0]

    def _hint(self, key: str, text: str, wrong: bool = False) -> None:
        line = self.query_one(f"#field-{key}")
        line.set_class(wrong, "-wrong")
        hint = line.query_one(".hint", Static)
        hint.update(plain(f"✗ {text}" if wrong else text))
        hint.tooltip = plain(text)

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

    def on_input_changed(self, event: PlainInput.Changed) -> None:
        """A name that only repeats the model's follows it."""
        if event.input.id == "model":
            name = self.query_one("#name", PlainInput)
            if name.value in ("", self._followed):
                name.value = self._followed = _own_name(event.value.strip())

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
                message = str(error)
                self._hint(field.key, message.split("; ", 1)[-1] if " is " in message else message, wrong=True)
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
        if before is None or before.model != model:
            base = Condition.zero_shot(model)
            if before is not None:
                base = replace(base, sampling=before.sampling)
        else:
            base = before
        settings = base.settings | {key: values[key] for key in (*_SAMPLING, "seed", "mode")}
        return Column(Condition.of_settings(values["name"], base.model, base.context, settings), values["n"])

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


def _written(model: Model) -> str:
    """A model as a person writes it: its reference where that says more than the name."""
    return model.reference if ":" in model.reference and model.reference.startswith("llama:") else model.name


def _own_name(text: str) -> str:
    """What a model is called that is written like this; the text itself while it is no reference yet."""
    from alignbench.models.catalog import own_name, parse_reference

    try:
        return own_name(parse_reference(text)) if ":" in text else text
    except InputError:
        return text
