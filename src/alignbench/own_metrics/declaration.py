"""What a user says of a function that scores: the decorator `alignbench.metric`, and what its signature tells."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

Of = Literal["responses", "pair"]
"""What a function takes: all responses of a condition to a prompt, as a list of texts, or the texts of two."""

if TYPE_CHECKING:
    from alignbench.metrics.metric import Direction

GROUP = "alignbench.metrics"  # of entry points, in which packages offer scores
MORE, LESS = "more is more diverse", "less is more diverse"
DIRECTIONS: Mapping[str, Direction] = {MORE: "higher", LESS: "lower", "": ""}
NEEDS = ("text", "embeddings")
SECONDS = 30.0  # that one call may take
LONGEST = 3_600.0  # seconds that a function may ask for

F = TypeVar("F", bound=Callable[..., Any])
_ATTRIBUTE = "__alignbench_metric__"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is known of a user's function.

    Attributes:
        name: In commands and JSON; the function's where empty.
        title: In tables; the name in words where empty.
        meaning: A sentence or two; the first paragraph of the docstring where empty.
        of: What it takes; told by its signature where None.
        low, high: The range of what it returns, None where that is open.
        direction: `MORE`, `LESS`, or empty where the score does not say.
        needs: Of `NEEDS`: texts, or the embeddings of a set in their place.
        symmetric: f(a, b) is f(b, a); else a pair's score is the mean of both.
        moves_with_n: Of a set: it changes with the number of responses alone, so it is compared at equal n only.
        seconds: That one call may take.
    """

    name: str = ""
    title: str = ""
    meaning: str = ""
    of: Of | None = None
    low: float | None = None
    high: float | None = None
    direction: str = ""
    needs: tuple[str, ...] = ("text",)
    symmetric: bool = False
    moves_with_n: bool = True
    seconds: float = SECONDS

    def facts(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Declaration:
        """What `facts` gave, perhaps to a database. TypeError, ValueError or LookupError for what it did not give."""
        declared = cls(**{**facts, "needs": _needs(facts["needs"])})
        for what in ("name", "title", "meaning"):
            _text(what, getattr(declared, what))
        _of(declared.of)
        low, high = _range((declared.low, declared.high))
        _direction(declared.direction)
        _seconds(declared.seconds)
        return replace(declared, low=low, high=high)


@overload
def metric(function: F, /) -> F: ...


@overload
def metric(
    *,
    name: str = "",
    title: str = "",
    meaning: str = "",
    of: Of | None = None,
    range: tuple[float | None, float | None] = (None, None),
    direction: str = "",
    needs: Sequence[str] = ("text",),
    symmetric: bool = False,
    moves_with_n: bool = True,
    seconds: float = SECONDS,
) -> Callable[[F], F]: ...


def metric(
    function: F | None = None,
    /,
    *,
    name: str = "",
    title: str = "",
    meaning: str = "",
    of: Of | None = None,
    range: tuple[float | None, float | None] = (None, None),
    direction: str = "",
    needs: Sequence[str] = ("text",),
    symmetric: bool = False,
    moves_with_n: bool = True,
    seconds: float = SECONDS,
) -> F | Callable[[F], F]:
    """Say what a function that scores responses means; it stays the function that it is.

    A function of one argument takes the texts of all responses of a condition to a prompt, in their order; one of two
    takes the texts of two responses. Both return a number, or None where there is nothing to score.

    Args:
        function: The function, where nothing is said of it.
        name: In commands and JSON, in place of the function's.
        title: In tables, in place of the name.
        meaning: What it measures, in a sentence or two, in place of the docstring's first paragraph.
        of: `responses` or `pair`, where its signature does not tell.
        range: Least and greatest value, None where there is none. A value outside is no value.
        direction: `more is more diverse` or `less is more diverse`. Of a pair: whether it is a distance or a
            similarity.
        needs: `text`, or `embeddings`: the function of a set gets their unit vectors (n, dim) in place of texts.
        symmetric: f(a, b) is f(b, a), so one of the two is enough; else a pair's score is the mean of both.
        moves_with_n: Of a set: whether more responses alone change it, so that it is compared at equal n only. With
            False one prompt gets an interval from leaving out its responses in turn.
        seconds: The most that one call may take.

    Raises:
        TypeError, ValueError: For what none of these can be.
    """
    low, high = _range(range)
    declared = Declaration(
        name=_text("name", name),
        title=_text("title", title),
        meaning=_text("meaning", meaning),
        of=_of(of),
        low=low,
        high=high,
        direction=_direction(direction),
        needs=_needs(needs),
        symmetric=bool(symmetric),
        moves_with_n=bool(moves_with_n),
        seconds=_seconds(seconds),
    )

    def declare(wrapped: F) -> F:
        setattr(wrapped, _ATTRIBUTE, declared)
        return wrapped

    return declare if function is None else declare(function)


def declared_names(module: Mapping[str, Any]) -> list[str]:
    """The functions of a module that a score can be, by their names there: those with the decorator, and its own."""
    return [
        name
        for name, value in module.items()
        if hasattr(value, _ATTRIBUTE)
        or (not name.startswith("_") and inspect.isfunction(value) and value.__module__ == module.get("__name__"))
    ]


def declaration_of(name: str, function: object) -> Declaration:
    """What is known of a function by its decorator, its docstring and its signature.

    TypeError, with what was expected, where it can be no score.
    """
    if not callable(function) or inspect.isclass(function):
        raise TypeError(f"{name} is no function")
    declared = getattr(function, _ATTRIBUTE, Declaration())
    of: Of = declared.of or _by_signature(name, function)
    if "embeddings" in declared.needs and of == "pair":
        raise TypeError(f"{name} needs embeddings and takes a pair; only a function of a set of responses gets them")
    meaning = declared.meaning or " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())
    called = declared.name or name
    return replace(
        declared,
        name=called,
        title=declared.title or called.replace("_", " "),
        meaning=meaning,
        of=of,
        moves_with_n=of == "responses" and declared.moves_with_n,
    )


def _by_signature(name: str, function: Callable[..., Any]) -> Of:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise TypeError(f"{name} does not tell its arguments; say of='responses' or of='pair'") from None
    required = [one for one in parameters if one.default is one.empty and one.kind in (0, 1)]
    by_name = [one.name for one in parameters if one.default is one.empty and one.kind is one.KEYWORD_ONLY]
    if by_name or len(required) not in (1, 2):
        said = ", ".join([*(one.name for one in required), *(f"{each}=" for each in by_name)])
        raise TypeError(
            f"{name} takes ({said}); expected one argument, the texts of a set of responses, or two, those of a pair"
        )
    return "responses" if len(required) == 1 else "pair"


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} is {value!r}; expected a text")
    return " ".join(value.split())


def _of(value: object) -> Of | None:
    match value:
        case None | "responses" | "pair":
            return value
    raise ValueError(f"of is {value!r}; expected 'responses' or 'pair'")


def _range(value: object) -> tuple[float | None, float | None]:
    wrong = ValueError(f"range is {value!r}; expected (low, high), the lower end first, None for an open end")
    if not isinstance(value, Sequence) or len(value) != 2:
        raise wrong
    try:
        least, most = (None if end is None else float(end) for end in value)
    except (TypeError, ValueError):
        raise wrong from None
    low = None if least is None or least == -math.inf else least
    high = None if most is None or most == math.inf else most
    if any(end is not None and not math.isfinite(end) for end in (low, high)):
        raise wrong
    if low is not None and high is not None and low >= high:
        raise wrong
    return low, high


def _direction(value: object) -> str:
    if value not in DIRECTIONS:
        raise ValueError(f"direction is {value!r}; expected {MORE!r} or {LESS!r}")
    return str(value)


def _needs(value: object) -> tuple[str, ...]:
    needs = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Sequence) else (value,)
    if not needs or any(need not in NEEDS for need in needs):
        raise ValueError(f"needs is {value!r}; expected some of {', '.join(NEEDS)}")
    return tuple(str(need) for need in needs)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value <= LONGEST:
        raise ValueError(f"seconds is {value!r}; expected a number over 0, at most {LONGEST:g}")
    return float(value)
