"""What a ledger is about, and which samples of the teacher count as held out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alignbench.contexts.hints import hint_template, made_levels
from alignbench.contexts.source_samples import samples_in_context, unknown_conditions
from alignbench.errors import InputError
from alignbench.models.catalog import no_weights
from alignbench.spec import Condition, Context, Hint, Model, Prompt, content_hash, default_context

HINTED = 0  # the sample of the teacher that the hints of the curve are made from


@dataclass(frozen=True, slots=True)
class LedgerRequest:
    """What a ledger is about. InputError where a context cannot be in a ledger, or leaves no response held out."""

    prompts: tuple[Prompt, ...]
    prompts_name: str  # what the user calls the prompts
    teacher: Condition
    base: Model
    contexts: tuple[Context, ...]
    n: int  # of the teacher's responses to each prompt

    def __post_init__(self) -> None:
        for model in (self.teacher.model, self.base):
            check_weights(model)
        if why := unreadable(self.teacher.context, self.teacher.name):
            raise InputError(why)
        names = [context.name for context in self.contexts]
        for context in self.contexts:
            if names.count(context.name) > 1:
                raise InputError(f"Two contexts are called {context.name!r}; give one a name of its own.")
            if context.name == self.floor.name:
                raise InputError(f"The context {context.name!r} is in every ledger; leave it out of the contexts.")
            if why := unreadable(context, context.name):
                raise InputError(why)
        if unknown := unknown_conditions(self.contexts, self.teacher.name, [self.teacher.name]):
            raise InputError(
                f"A context is made of samples of {unknown[0]!r}; expected those of the teacher, {self.teacher.name!r}."
            )
        if not self.held_out:
            samples = ", ".join(map(str, sorted(self.sources)))
            raise InputError(
                f"n is {self.n}, and contexts tell of sample {samples}: no response is held out. Expected n of "
                f"{max(self.sources) + 2} or more."
            )

    @property
    def floor(self) -> Context:
        """The base model's own layout, with nothing in it."""
        return replace(default_context(self.base), name="zero-shot")

    @property
    def curve(self) -> tuple[Context, ...]:
        """A hint of each level alone around the prompt, from the lowest resolution to the highest."""
        return tuple(
            replace(
                self.floor,
                name=f"hint {level}",
                hint=Hint(level, "", self.teacher.name, HINTED, self.teacher.name, hint_template(level)),
            )
            for level in made_levels()
        )

    def source(self, context: Context) -> frozenset[int]:
        """The samples that a context is made from; where it is made from none, those of the hints of the curve."""
        return samples_in_context(context, self.teacher.name) or frozenset({HINTED})

    @property
    def sources(self) -> frozenset[int]:
        return frozenset({HINTED}).union(*map(self.source, self.contexts))

    @property
    def held_out(self) -> frozenset[int]:
        """The samples that no context is made from."""
        return frozenset(range(self.n)) - self.sources

    @property
    def key(self) -> str:
        """What a ledger that goes on where it was stopped has to have in common: more contexts or samples may come."""
        return content_hash([self.prompts_name, self.teacher.name, self.teacher.hash, self.base.reference])


def check_weights(model: Model) -> None:
    """Raises InputError where there are none to read responses under."""
    if model.is_imported:
        raise InputError(no_weights(model.reference))


def thinks(name: str) -> str:
    """Why the responses of a condition are not read that follow its thoughts."""
    return f"{name} thinks before its answers; a ledger reads responses that follow their prompt."


def unreadable(context: Context, name: str) -> str:
    """Why whole responses cannot be read after a context, called `name`; empty where they can."""
    if context.prefill is not None:
        return f"{name} begins the response itself; a ledger reads whole responses."
    if context.hint is not None and context.hint.level == "first":
        return f"The hint of {name} is written by the base model; expected one that is given."
    if context.writes_first:
        return thinks(name)
    if context.verbalized:
        return f"{name} asks for {context.verbalized} answers at once; a ledger reads responses that stand alone."
    return ""
