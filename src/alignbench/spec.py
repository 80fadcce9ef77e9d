"""The values an experiment is made of: prompts, models, contexts, sampling parameters, conditions.

Everything here is frozen and hashes by content. A hash is the SHA-256 of a canonical JSON text, so it is the same on
every machine and does not change with the order in which fields were written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal, Self

from alignbench import bounds, launch
from alignbench.answer_options import AnswerOptions
from alignbench.errors import InputError
from alignbench.prompt_parts import Filled, Rung, Turn, transcript

Kind = Literal["base", "aligned"]
Mode = Literal["strict", "fast"]
Select = Literal["fixed", "random", "nearest-prompt", "nearest-response", "nearest-format"]
Order = Literal["given", "similar-first", "similar-last", "shuffled"]
Draw = Literal["prompt", "all"]
Level = Literal["keywords", "topics", "outline", "sentence", "summary", "free", "first"]
Overflow = Literal["drop", "refuse"]

DEFAULT_SAMPLES = 5
IMPORTED = "imported:"  # begins the reference of a model whose responses came from elsewhere


def content_hash(value: Any) -> str:
    """SHA-256 (hex) of a text, or of the canonical JSON of any other value."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Prompt:
    """One query. A session knows it by its `id`: two may have one text. `set` is empty for one typed by hand.

    Attributes:
        text: what is asked, the last message of a conversation
        answers: of a survey question, its options and how people chose among them
        earlier: the messages before it, see `prompt_parts.why_no_prompt`
        rung: its place in a ladder of constraints
        filled: the template and the values that it was made of
    """

    id: str
    text: str
    set: str = ""
    answers: AnswerOptions | None = None
    earlier: tuple[Turn, ...] = ()
    rung: Rung | None = None
    filled: Filled | None = None

    @property
    def hash(self) -> str:
        """Hash of the text, or of all messages where some come before it: what random numbers and caches go by."""
        if not self.earlier:
            return content_hash(self.text)
        return content_hash([[turn.role, turn.content] for turn in self.messages])

    @property
    def messages(self) -> tuple[Turn, ...]:
        """All messages, the text as the last one."""
        return *self.earlier, Turn("user", self.text)

    @property
    def system(self) -> str:
        """The system message; empty where there is none."""
        return self.earlier[0].content if self.earlier and self.earlier[0].role == "system" else ""

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What user and assistant said before the text."""
        return self.earlier[1:] if self.system else self.earlier

    @property
    def shown(self) -> str:
        """All of it, for people and for judges: the text, with the messages before it where there are some."""
        return transcript(self.messages) if self.earlier else self.text

    @property
    def key(self) -> str:
        """What tells it from every other prompt: its hash and its id."""
        return self.hash + self.id

    @property
    def is_named(self) -> bool:
        """Whether its id was given to it, and not made from its text."""
        return self.id != made_id(self.hash, self.set)

    @classmethod
    def typed(cls, text: str, earlier: tuple[Turn, ...] = ()) -> Self:
        """A prompt typed by hand, perhaps after messages that were there."""
        prompt = cls("", text, earlier=earlier)
        return replace(prompt, id=made_id(prompt.hash))


def made_id(text_hash: str, set: str = "") -> str:
    """The id of a prompt that comes without one, of a set or typed by hand."""
    return f"{set}-{text_hash[:12]}" if set else f"typed-{text_hash[:8]}"


DTYPES = ("auto", "float32", "bfloat16", "float16")
_LAYERS = f"a number of layers, {bounds.GPU_LAYERS.words}"
QUANTIZED = ("", "8bit", "4bit")
ATTENTION = ("sdpa", "flash_attention_2", "eager")


def _is_device(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"auto|cpu|cuda(:\d+)?", value) is not None


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a model is loaded. Raises InputError for any other value."""

    device: str = "auto"  # auto, cpu, cuda, cuda:1
    dtype: str = "auto"  # auto, float32, bfloat16, float16 (transformers)
    gpu_layers: int = -1  # layers llama.cpp puts on the GPU, -1 for all
    quantize: str = ""  # 8bit or 4bit through bitsandbytes, or empty
    attention: str = "sdpa"  # sdpa, flash_attention_2 or eager (transformers)
    trust_remote_code: bool = False  # run code that comes with the weights
    command: launch.Words = ()  # what starts vLLM, empty for `vllm serve`
    args: launch.Words = ()  # of vLLM
    env: launch.Variables = ()  # of vLLM, beside the environment of alignbench

    def __post_init__(self) -> None:
        object.__setattr__(self, "command", launch.words("command", self.command))
        object.__setattr__(self, "args", launch.arguments(self.args))
        object.__setattr__(self, "env", launch.variables(self.env))
        for name, value, ok, expected in (
            ("device", self.device, _is_device(self.device), "auto, cpu, cuda or cuda:N"),
            ("dtype", self.dtype, self.dtype in DTYPES, f"one of {', '.join(DTYPES)}"),
            ("gpu_layers", self.gpu_layers, bounds.GPU_LAYERS.has(self.gpu_layers), _LAYERS),
            ("quantize", self.quantize, self.quantize in QUANTIZED, "8bit or 4bit"),
            ("attention", self.attention, self.attention in ATTENTION, f"one of {', '.join(ATTENTION)}"),
            ("trust_remote_code", self.trust_remote_code, isinstance(self.trust_remote_code, bool), "true or false"),
        ):
            if not ok:
                raise InputError(f"{name} is {value!r}; expected {expected}.")


@dataclass(frozen=True, slots=True)
class Model:
    """A model under a name. `reference` says where it is: `demo-base`, `llama:/path.gguf`, `hf:org/name`, ...

    `kind`: what the user says, else aligned if the weights come with a chat template. The weights of an `imported:`
    model are not here: its responses were read from files, and it cannot be sampled.
    """

    name: str
    reference: str
    kind: Kind
    options: LoadOptions = LoadOptions()

    @property
    def is_imported(self) -> bool:
        return self.reference.startswith(IMPORTED)

    def with_options(self, **options: Any) -> Self:
        """A copy loaded in another way; options that have their default value leave what the model says."""
        default = LoadOptions()
        changed = {name: value for name, value in options.items() if value != getattr(default, name)}
        return replace(self, options=replace(self.options, **changed))


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt with its response, and perhaps a hint at the response. All are stripped of outer white space.

    Raises InputError where prompt or response are empty.
    """

    prompt: str
    response: str
    hint: str = ""

    def __post_init__(self) -> None:
        for name in ("prompt", "response", "hint"):
            object.__setattr__(self, name, getattr(self, name).strip())
        for name in ("prompt", "response"):
            if not getattr(self, name):
                raise InputError(f"The {name} of an example is empty; expected a text.")


@dataclass(frozen=True)
class ExampleSet:
    """Examples in order, addressed by content. name and origin are for people: neither is compared or hashed.

    Attributes:
        gone: the hash of a set whose examples are not in the database any more; it has no items, and nothing is
            selected from it
    """

    items: tuple[Example, ...] = ()
    name: str = field(default="", compare=False)
    origin: str = field(default="", compare=False)
    gone: str = ""

    @cached_property
    def hash(self) -> str:
        """Hash of the examples and their order."""
        return self.gone or content_hash([[item.prompt, item.response, item.hint] for item in self.items])


@dataclass(frozen=True, slots=True)
class EmbedderPrompt:
    """What is written before the texts that examples are found by: the query's, and those of the pool."""

    query: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True)
class Examples:
    """Which examples come before a query.

    Attributes:
        pool: what they are selected from
        condition: instead of a pool, the samples `sample` of this condition in the same session
        k: how many, None for all of a fixed list
        seed: of a random selection and of a shuffled order
        draw: whether a random selection is made for each prompt or once for all
        mmr: weight of similarity against novelty in maximal marginal relevance (Carbonell and Goldstein 1998), over 0
            and at most 1; None is off
        near_duplicate: an example at least this similar to the query, 0 to 1, is left out
        teacher: the condition whose sample `sample` is taken for the response to the query; empty: `condition`, else
            the session's reference
        embedder: a folder, empty for the embedded model
        embedder_prompt: None for what the model itself asks for
        hints: whether a hint is made of each example that has none, as the query's is made of the teacher's answer
    """

    pool: ExampleSet = ExampleSet()
    condition: str = ""
    select: Select = "fixed"
    k: int | None = None
    seed: int = 0
    order: Order = "given"
    draw: Draw = "prompt"
    mmr: float | None = None
    near_duplicate: float = 0.95
    teacher: str = ""
    sample: int = 0
    embedder: str = ""
    embedder_prompt: EmbedderPrompt | None = None
    hints: bool = False

    @property
    def why_none(self) -> str:
        """Why nothing can be selected: the set is gone. Empty where it is there."""
        if not self.pool.gone:
            return ""
        name = f"example set {self.pool.name!r}" if self.pool.name else "example set"
        return f"The {name} ({self.pool.gone[:8]}) is not in the database any more; expected another one."

    @property
    def by_response(self) -> bool:
        """Whether they are selected by the teacher's response to the query."""
        return self.select in ("nearest-response", "nearest-format")

    @property
    def embedded(self) -> bool:
        """Whether they are selected by embeddings."""
        return self.select in ("nearest-prompt", "nearest-response")

    @property
    def shared(self) -> bool:
        """Whether every prompt gets the same examples."""
        return self.select == "fixed" or (self.select == "random" and self.draw == "all")


@dataclass(frozen=True, slots=True)
class Hint:
    """A text about the response, at a resolution. Either `text`, the same for every prompt, or made by the model
    `maker` from sample `sample` of `condition`, asked with `template`. Level first: the model that answers writes it.
    A text that was written from a made hint names the sample that this was made from.
    """

    level: Level
    text: str = ""
    condition: str = ""
    sample: int = 0
    maker: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Prefill:
    """How the response begins: `text`, or the first `tokens` tokens of sample `sample` of `condition`, in tokens of the
    model that goes on."""

    text: str = ""
    condition: str = ""
    sample: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class Context:
    """What surrounds the query.

    Attributes:
        template: `plain` (URIAL-style fences), `chat` (the model's own), or the file that `source`, a Jinja template,
            is from
        instruction: the system message of the chat layout
        stops: texts that end a response, beside those of the layout
        arguments: a JSON object of variables for the template
        overflow: what is done with a context longer than the window: drop the farthest examples, or refuse
        thinking_end: what a reasoning model writes between its thoughts and its answer
        verbalized: how many answers with probabilities one generation gives, each a sample of its own; 0 where a
            generation is one sample. `{answers}` in the instruction stands for it
    """

    template: str
    name: str = ""
    instruction: str = ""
    examples: Examples | None = None
    hint: Hint | None = None
    prefill: Prefill | None = None
    source: str = ""
    stops: tuple[str, ...] = ()
    arguments: str = ""
    overflow: Overflow = "drop"
    thinking_end: str = ""
    verbalized: int = 0

    @cached_property
    def hash(self) -> str:
        """Hash of all but names; defaults take no part, so that a new field does not change the hashes of old ones."""
        value = self.to_json()
        value.pop("name", None)
        if "examples" in value:
            value["examples"].pop("set", None)
        return content_hash(value)

    @property
    def zero_shot(self) -> bool:
        """Whether the query stands alone in one of the two built-in layouts."""
        return self == Context(template=self.template, name=self.name)

    @property
    def writes_first(self) -> bool:
        """Whether a model writes thoughts or a hint before its answer, which are no part of the response."""
        return bool(self.thinking_end) or (self.hint is not None and self.hint.level == "first")

    def to_json(self) -> dict[str, Any]:
        """The fields that differ from their defaults, ready for JSON. A pool is its hash, and `set` its name."""
        value = _changed(self)
        if self.source:
            value["template"] = "jinja"
        if self.examples is not None:
            value["examples"] = _changed(self.examples)
            if self.examples.pool.items or self.examples.pool.gone:
                value["examples"] |= {"pool": self.examples.pool.hash, "set": self.examples.pool.name}
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any], pool_of: Callable[[str], ExampleSet]) -> Self:
        """What `to_json` gave. pool_of: the set of a hash."""
        fields: dict[str, Any] = dict(value)
        if (examples := fields.get("examples")) is not None:
            pool = ExampleSet()
            if "pool" in examples:
                pool = replace(pool_of(examples["pool"]), name=examples["set"])
            rest = {k: v for k, v in examples.items() if k not in ("pool", "set")}
            if "embedder_prompt" in rest:
                rest["embedder_prompt"] = EmbedderPrompt(**rest["embedder_prompt"])
            fields["examples"] = Examples(pool=pool, **rest)
        for name, kind in (("hint", Hint), ("prefill", Prefill)):
            if fields.get(name) is not None:
                fields[name] = kind(**fields[name])
        fields["stops"] = tuple(fields.get("stops", ()))
        return cls(**fields)


def _changed(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from their defaults."""
    changed: dict[str, Any] = {}
    for part in fields(value):
        content = getattr(value, part.name)
        if part.default is not MISSING and content == part.default:
            continue
        if isinstance(content, (Hint, Prefill, EmbedderPrompt)):
            content = _changed(content)
        changed[part.name] = list(content) if isinstance(content, tuple) else content
    return changed


SAMPLING_BOUNDS = {
    "temperature": bounds.TEMPERATURE,
    "top_k": bounds.TOP_K,
    "top_p": bounds.TOP_P,
    "min_p": bounds.MIN_P,
    "typical_p": bounds.TYPICAL_P,
    "repetition_penalty": bounds.REPETITION_PENALTY,
    "max_tokens": bounds.MAX_TOKENS,
}


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling parameters. Every one of them is sent to the engine; no engine default takes part.

    Attributes:
        temperature: 0 is greedy
        top_k: 0 is off
        top_p, typical_p: 1 is off
        min_p: 0 is off
        repetition_penalty: 1 is off; its window is the prompt and the generation, as in transformers
        max_tokens: most tokens of one response
        stop: texts that end a response, beside those of the layout
    """

    temperature: float = 0.7
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, bound in SAMPLING_BOUNDS.items():
            bound.check(name, getattr(self, name))
        if not all(self.stop):
            raise InputError(f"stop is {self.stop!r}; expected texts that are not empty.")


SETTINGS = (*(part.name for part in fields(Sampling)), "seed", "mode")
"""What a condition is sampled with, by name."""
NOT_RECORDED = "not recorded"  # what is shown of a fact that nobody wrote down


def written_setting(value: Any) -> str:
    """A setting as people read it."""
    if value is None:
        return NOT_RECORDED
    if isinstance(value, tuple):
        return ", ".join(map(repr, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Condition:
    """Model + context + sampling parameters; a column of the app. Sample i of it is drawn with `seed + i`.

    Attributes:
        unrecorded: names of `SETTINGS` that the file which it was imported from does not tell; what stands in their
            fields says nothing, see `settings`
    """

    name: str
    model: Model
    context: Context
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    mode: Mode = "strict"
    unrecorded: frozenset[str] = frozenset()

    @property
    def settings(self) -> dict[str, Any]:
        """What it was sampled with, by the names of `SETTINGS`; None where nobody recorded it."""
        values = {**asdict(self.sampling), "seed": self.seed, "mode": self.mode}
        return {name: None if name in self.unrecorded else value for name, value in values.items()}

    @cached_property
    def hash(self) -> str:
        """Hash of what decides the text of a sample, as far as it is recorded: neither the name nor n is in it."""
        settings = self.settings
        return content_hash(
            {
                "model": self.model.reference,
                "context": self.context.hash,
                "seed": settings.pop("seed"),
                "mode": settings.pop("mode"),
                "sampling": settings,
            }
        )

    @classmethod
    def of_settings(cls, name: str, model: Model, context: Context, settings: Mapping[str, Any]) -> Self:
        """The condition of these `settings`: one that is left out has its default, None was not recorded."""
        known = {setting: value for setting, value in settings.items() if value is not None}
        drawn = {setting: known.pop(setting) for setting in ("seed", "mode") if setting in known}
        known["stop"] = tuple(known.get("stop", ()))
        unrecorded = frozenset(setting for setting, value in settings.items() if value is None)
        return cls(name, model, context, Sampling(**known), **drawn, unrecorded=unrecorded)

    def with_options(self, **options: Any) -> Self:
        """A copy whose model is loaded in another way; see `Model.with_options`."""
        return replace(self, model=self.model.with_options(**options))

    @classmethod
    def zero_shot(cls, model: Model, **fields: Any) -> Self:
        """The condition a model has without a context."""
        return cls(name=fields.pop("name", model.name), model=model, context=default_context(model), **fields)


def default_context(model: Model) -> Context:
    """Zero-shot: `plain` for a base model, `chat` for an aligned one."""
    return Context(template="chat" if model.kind == "aligned" else "plain")


def stream_key(prompt_hash: str, condition_hash: str) -> int:
    """The second word of a cell's Philox key: the first 64 bits of SHA-256(prompt hash + condition hash).

    It keeps two cells from sharing random numbers; shared ones make same-index samples of two conditions look alike.
    """
    return int.from_bytes(hashlib.sha256((prompt_hash + condition_hash).encode()).digest()[:8], "big")
