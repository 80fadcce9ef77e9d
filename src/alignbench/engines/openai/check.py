"""What a server can do, found out by some thirty small requests: what `alignbench models check` says of one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from alignbench.engines.openai import replay
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.protocol import LikelihoodRequest, SampleRequest
from alignbench.errors import EngineError
from alignbench.parsing import parse_json
from alignbench.spec import Sampling

_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no"]}},
    "required": ["answer"],
    "additionalProperties": False,
}
_NARROWEST = 1e-6  # a typical_p that leaves one token, so that every seed gives the same text
_FORMS = ("json_schema", "json_object with a schema", "json_object")


@dataclass(frozen=True, slots=True)
class ServerCheck:
    """One thing that a server may be able to do. ok: None where it cannot be told."""

    name: str
    ok: bool | None
    detail: str


def check_server(engine: OpenAIEngine) -> list[ServerCheck]:
    """What a model's server can do; a few tokens are drawn for each.

    Raises EngineError where it answers neither completions nor chat completions.
    """
    ways = [_answers(engine, chat=chat) for chat in (False, True)]
    working = [chat for chat, way in zip((False, True), ways, strict=True) if way.ok]
    if not working:
        raise EngineError(f"Neither way works. {' '.join(f'{way.name}: {way.detail}' for way in ways)}")
    chat = working[-1]
    checks = [*ways, *(each for way in working for each in _choices(engine, chat=way))]
    checks += [_guarded("scoring", lambda: _scoring(engine))]
    checks += [_guarded("seed", lambda: _seed(engine)), _guarded("replay", lambda: _replay(engine, chat=chat))]
    checks += [_guarded("typical_p", lambda: _typical_p(engine, chat=chat))]
    checks += [_guarded("json_schema", lambda: _json_schema(engine, chat=chat))]
    return checks


def _guarded(name: str, check: Callable[[], ServerCheck]) -> ServerCheck:
    try:
        return check()
    except EngineError as error:
        return ServerCheck(name, False, str(error))


def _way(chat: bool) -> str:
    return "chat" if chat else "completions"


def _answers(engine: OpenAIEngine, *, chat: bool) -> ServerCheck:
    """Whether it answers at all in one of the two ways."""
    try:
        (row,) = engine.ask(replay.probe(replay.QUERY, chat=chat))
    except EngineError as error:
        return ServerCheck(_way(chat), False, str(error))
    if not row.begun:
        return ServerCheck(_way(chat), False, "The answer has no choice.")
    path = "/chat/completions, for aligned models" if chat else "/completions, for base models and layouts as text"
    return ServerCheck(_way(chat), True, path)


def _choices(engine: OpenAIEngine, *, chat: bool) -> Iterator[ServerCheck]:
    """Several choices in one request, and their log-probs."""
    names = f"n, {_way(chat)}", f"logprobs, {_way(chat)}"
    try:
        endpoint = engine.endpoint(chat=chat)
    except EngineError as error:
        yield from (ServerCheck(name, False, str(error)) for name in names)
        return
    alone = "one choice a request: each sample has a request of its own"
    yield ServerCheck(names[0], endpoint.n, "several choices in one request" if endpoint.n else alone)
    known = "of the tokens that are drawn" if endpoint.logprobs else "samples have no log-probs"
    yield ServerCheck(names[1], endpoint.logprobs, known)


def _scoring(engine: OpenAIEngine) -> ServerCheck:
    """Log-probs of a given text, which likelihood, ledger and token shift need."""
    scored = engine.score(LikelihoodRequest(1, "", "The capital of France is", " Paris."))
    return ServerCheck("scoring", True, f"log-probs of a given text: {len(scored.pieces)} tokens of ' Paris.'")


def _seed(engine: OpenAIEngine) -> ServerCheck:
    taken = engine.takes_seed
    return ServerCheck("seed", taken, "is taken" if taken else "is refused: samples are drawn without one")


def _replay(engine: OpenAIEngine, *, chat: bool) -> ServerCheck:
    found = engine.measure_replay(chat=chat)
    ok = {"in a crowd": True, "one by one": True, "alone": False, "no": False, "no seed": False}.get(found)
    return ServerCheck("replay", ok, replay.WORDS[found])


def _typical_p(engine: OpenAIEngine, *, chat: bool) -> ServerCheck:
    """Whether it narrows what is drawn from, or is passed over in silence."""
    plain = replay.probe(replay.QUERY, chat=chat)
    narrow = replace(plain, sampling=replace(plain.sampling, typical_p=_NARROWEST))
    try:
        narrowed = _texts(engine, narrow)
    except EngineError:
        if engine.supports("typical_p"):
            raise
        return ServerCheck("typical_p", False, "is not taken")
    if len(narrowed) > 1:
        return ServerCheck("typical_p", False, "is passed over in silence")
    if len(_texts(engine, plain)) == 1:
        return ServerCheck("typical_p", None, "every seed gives the same text without it too, so nothing can be told")
    return ServerCheck("typical_p", True, "narrows what is drawn")


def _texts(engine: OpenAIEngine, request: SampleRequest) -> set[str]:
    """The texts of three seeds."""
    rows = [row for seed in (21, 22, 23) for row in engine.ask(request, seed=seed)]
    return {f"{row.thinking.text}\n{row.stream.raw_text}" for row in rows}


def _json_schema(engine: OpenAIEngine, *, chat: bool) -> ServerCheck:
    """Whether a response is held to a schema that the prompt does not speak of."""
    probe = replay.probe("Is the sea blue?", chat=chat)
    sampling = Sampling(temperature=1.0, max_tokens=32)
    (row,) = engine.ask(replace(probe, schema=json.dumps(_SCHEMA), sampling=sampling))
    form = engine.schema_form
    if form >= len(_FORMS):
        return ServerCheck("json_schema", False, "response_format is refused in every form")
    try:
        reply = parse_json(row.stream.raw_text)
    except ValueError:
        reply = None
    if reply in ({"answer": "yes"}, {"answer": "no"}):
        return ServerCheck("json_schema", True, f"responses are held to a schema ({_FORMS[form]})")
    if row.finish == "length":
        return ServerCheck("json_schema", None, f"{sampling.max_tokens} tokens were too few for an answer")
    return ServerCheck("json_schema", False, "response_format is taken, and the response is not held to it")
