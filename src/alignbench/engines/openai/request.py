"""How a sampling request is written for a server, and what is learnt from its refusals.

Temperature, top_p, max_tokens, stop and seed are fields of the API. The others are extensions: a server that refuses
one of them gets the request again without it where its value is off, and the sample fails where it is not. max_tokens
has a second name, max_completion_tokens, for servers that refuse the first. A model whose temperature is fixed, as that
of many that think is, is asked without one; so is a server that takes no seed. `remarks` says both of a sample. Servers
that are known to pass over a field in silence (by their documentation; they give themselves away in /models) are never
asked for it. A schema is asked for in the form that most servers know, then in the forms of others, then not at all:
whoever reads the response checks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from alignbench.engines.openai.server_error import ServerError
from alignbench.engines.protocol import SampleRequest
from alignbench.errors import EngineError
from alignbench.models.server_settings import LIMITS
from alignbench.parsing import parse_json
from alignbench.spec import Sampling

_OFF = Sampling(temperature=1.0)
# Names of a parameter in requests: transformers and vLLM have one name for the penalty, llama.cpp has another.
_EXTENSIONS = {
    "top_k": ("top_k",),
    "min_p": ("min_p",),
    "typical_p": ("typical_p",),
    "repetition_penalty": ("repetition_penalty", "repeat_penalty"),
}
_OPTIONAL = {"top_p": ("top_p",), **_EXTENSIONS}  # what is refused only where it is not off
# Not needed to get the same text: stops are also looked for here, and seeds of servers promise little.
_SPARE = (
    "return_token_ids",
    "stream_options",
    "logprobs",
    "top_logprobs",
    "seed",
    "stop",
    "frequency_penalty",
    "presence_penalty",
)
_FORMAT = "response_format"
_FORMAT_WORDS = (_FORMAT, "json_schema", "json_object", "schema", "grammar")  # what a refusal of it may name
_TEMPERATURE = "temperature"
_WINDOW = "repeat_last_n"  # llama.cpp's; without it the penalty sees the last 64 tokens only


# How a server says that it has no such field, and how that a value is out of its range.
_NO_FIELD = re.compile(
    r"(?:un|not |isn't |n't )(?:supported|recogni[sz]ed|known|expected|permitted|allowed|accepted|available|valid)"
    r"|unknown|extra (?:inputs?|fields?)|forbidden|(?:not|n't) (?:support|accept|allow|take|recogni[sz]e)|no longer"
    r"|deprecated|removed|only (?:the )?(?:default|1\b)|fixed",
    re.IGNORECASE,
)
_OUT_OF_RANGE = re.compile(
    r"too (?:large|big|high|small|low|long)|at (?:least|most)|exceed|maximum|minimum|(?:less|greater|more) than"
    r"|between|range|positive|[<>]=?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of server."""

    name: str
    ignores: frozenset[str] = frozenset()  # parameters it passes over in silence
    width: int = 8  # requests it can work on at once
    asks_for: tuple[str, ...] = ()  # what it gives where it is asked to, by the names of fields


# By "owned_by" in the answer to /models.
_SERVERS = {
    "vllm": Server("vLLM", frozenset({"typical_p"}), width=64, asks_for=("return_token_ids",)),
    "sglang": Server("SGLang", frozenset({"typical_p"})),
    "llamacpp": Server("llama-server"),
    # It breaks off the stream it is working on when another request comes in.
    "me": Server("llama_cpp.server", frozenset({"typical_p"}), width=1),
    "library": Server("Ollama", frozenset(_EXTENSIONS)),
}


def server_of(owned_by: str) -> Server:
    """The kind of server that says this of its models."""
    return _SERVERS.get(owned_by.lower(), Server(""))


def seed_of(request: SampleRequest, sample: int) -> int:
    """The seed a server gets, 31 bits. Those of a cell's samples follow one another; its stream key sets cells apart.

    vLLM gives choice i of a request the seed + i, so that there the same seeds are used with and without `n`.
    """
    return (request.stream + request.seed + sample) % 2**31


@dataclass(slots=True)
class Requests:
    """Writes requests for one model of one server."""

    model: str
    server: Server
    limit: str = LIMITS[0]  # the name of the field for the most tokens
    bos: str = ""  # text of the BOS token, where prompts may begin with it
    _refused: set[str] = field(default_factory=set)
    _top_k_off: int = 0
    _format: int = 0  # how many of the forms of `_formats` the server has refused

    @property
    def takes_seed(self) -> bool:
        """Whether it has refused none."""
        return "seed" not in self._refused

    @property
    def refused_forms(self) -> int:
        """How many of the forms of a schema it has refused."""
        return self._format

    def path(self, request: SampleRequest) -> str:
        """The path that a request goes to."""
        return "/chat/completions" if request.messages else "/completions"

    def body(self, request: SampleRequest, seed: int, n: int, *, logprobs: bool, stream: bool = True) -> dict[str, Any]:
        """The JSON of a request for n choices. Raises EngineError where the server has no such parameter."""
        sampling = request.sampling
        body: dict[str, Any] = {"model": self.model}
        if request.messages:
            body["messages"] = [{"role": role, "content": content} for role, content in request.messages]
        else:
            body["prompt"] = request.context + request.query
        body |= {
            self.limit: sampling.max_tokens,
            _TEMPERATURE: sampling.temperature,
            "frequency_penalty": 0.0,
            "presence_penalty": 0.0,
            "seed": seed,
            "stream": stream,
        }
        if stream:
            body["stream_options"] = {"include_usage": True}
        if request.stops and not request.passes:  # a server stops at the first that comes
            body["stop"] = list(dict.fromkeys(request.stops))
        if n > 1:
            body["n"] = n
        if logprobs:
            body |= {"logprobs": True, "top_logprobs": 1} if request.messages else {"logprobs": 1}
        if request.schema and (forms := _formats(request.schema)[self._format :]):
            body[_FORMAT] = forms[0]
        if self.bos and not request.messages and body["prompt"].startswith(self.bos):
            body["add_special_tokens"] = False  # or vLLM puts a second one before it
        body |= dict.fromkeys(self.server.asks_for, True)
        body |= self._optional(sampling)
        return {name: value for name, value in body.items() if name not in self._refused}

    def remarks(self, sampling: Sampling) -> tuple[str, ...]:
        """What a sample should say of how it was drawn otherwise than asked for."""
        found = []
        if _TEMPERATURE in self._refused and sampling.temperature != _OFF.temperature:
            found.append(
                f"Drawn at the model's own temperature, not at {sampling.temperature:g}: the server takes no other."
            )
        if "seed" in self._refused:
            found.append("Drawn without a seed: the server takes none.")
        return tuple(found)

    def _optional(self, sampling: Sampling) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for parameter, names in _OPTIONAL.items():
            value = getattr(sampling, parameter)
            if value == getattr(_OFF, parameter):
                value = self._top_k_off if parameter == "top_k" else value
            else:
                self._check(parameter, value)
            fields |= dict.fromkeys(names, value)
        if sampling.repetition_penalty != _OFF.repetition_penalty:
            fields[_WINDOW] = -1
        return fields

    def supports(self, parameter: str) -> bool:
        """Whether a sampling parameter that is an extension may be asked for, as far as is known."""
        return parameter not in self.server.ignores and not self._refused.issuperset(_OPTIONAL[parameter])

    def _check(self, parameter: str, value: object) -> None:
        if not self.supports(parameter):
            who = self.server.name or "This server"
            raise EngineError(f"{who} does not support {parameter}, which is {value!r} here. Switch it off.")

    def learn(self, error: ServerError, body: dict[str, Any]) -> bool:
        """Take a refused field out of the requests to come; whether the request is worth asking again.

        The next `body` raises EngineError where the refused field had a value that matters.
        """
        # llama_cpp.server answers 500 to a form that it does not know.
        may_be_format = error.about_request or error.status in (500, 501)
        if may_be_format and _FORMAT in body and any(_is_about(error, word) for word in _FORMAT_WORDS):
            self._format = max(self._format, _place(body[_FORMAT]) + 1)
            return True
        if not error.about_request:
            return False
        if self._learn_limit(error, body) or self._learn_temperature(error, body):
            return True
        names = [name for names in _OPTIONAL.values() for name in names]
        for name in (*names, _WINDOW, *_SPARE):
            if name in body and _is_about(error, name):
                if name == "top_k" and body[name] == 0:
                    self._top_k_off = -1
                else:
                    self._refused.add(name)
                return True
        return False

    def _learn_limit(self, error: ServerError, body: dict[str, Any]) -> bool:
        """Take the other name of max_tokens. One that was refused is not tried again."""
        used = next(name for name in LIMITS if name in body)
        other = LIMITS[1 - LIMITS.index(used)]
        named = _is_about(error, used) and (_refuses_field(error) or (error.param == used and other in error.detail))
        if not named or other in self._refused:
            return False
        self._refused.add(used)
        self.limit = other
        return True

    def _learn_temperature(self, error: ServerError, body: dict[str, Any]) -> bool:
        if _TEMPERATURE not in body or not _is_about(error, _TEMPERATURE) or not _refuses_field(error):
            return False
        self._refused.add(_TEMPERATURE)
        return True


def _formats(schema: str) -> list[dict[str, Any]]:
    """Ways to ask for JSON: of a schema as OpenAI, vLLM, SGLang, Ollama and llama-server have it; as llama_cpp.server
    has it; of any form."""
    described = parse_json(schema)
    return [
        {"type": "json_schema", "json_schema": {"name": "reply", "schema": described}},
        {"type": "json_object", "schema": described},
        {"type": "json_object"},
    ]


def _place(form: dict[str, Any]) -> int:
    """The index of a form in `_formats`; requests that run at once may be refused the same one."""
    return 0 if "json_schema" in form else 1 if "schema" in form else 2


def refuses_n(error: ServerError) -> bool:
    """Whether a server says that it gives one choice only."""
    named = error.param == "n" or re.search(r"['\"`]n['\"`]|\bn\b\s*[=>:]", error.detail) is not None
    return error.about_request and named


def _is_about(error: ServerError, name: str) -> bool:
    return error.param == name or re.search(rf"(?<!\w){name}(?!\w)", error.detail) is not None


def _refuses_field(error: ServerError) -> bool:
    """Whether a server says that it has no such field, and not that it wants another value."""
    if _NO_FIELD.search(error.kind.replace("_", " ")):
        return True
    wants_another = _OUT_OF_RANGE.search(error.detail) and "default" not in error.detail
    return _NO_FIELD.search(error.detail) is not None and not wants_another
