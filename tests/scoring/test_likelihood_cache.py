"""Scores that ask a model for log-probs of given texts: asked once ever, with known answers from a fake model."""

from __future__ import annotations

import itertools
import math
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from alignbench import paths
from alignbench.engines.protocol import Capabilities, Failed, LikelihoodRequest, Loaded, Scored, Sink
from alignbench.metrics.values import Value
from alignbench.progress import tracked
from alignbench.scoring import likelihood_cache as module
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.scoring.model_based.alignment_gap import Gaps, session_gaps
from alignbench.scoring.model_based.base_model import LOGPROB, SURPRISE, BaseScores, progressive_passage
from alignbench.scoring.responses import CellTexts, SessionResponses
from alignbench.spec import Condition, Context, Hint, Model, Prefill, Prompt, Sampling
from alignbench.store import Store
from tests.support.fakes import CAPABILITIES
from tests.support.samples import result
from tests.support.toy_ends import KL, WITHOUT_ENDS, EndsPool

BASE = Model("tiny", "llama:/tiny.gguf", "base")
TEACHER = Model("chat", "llama:/chat.gguf", "aligned")
BITS = {"tiny": 1.0, "chat": 0.5}  # of a byte that does not stand before the response already
KNOWN = 0.25  # of one that does


@dataclass
class ScorePool:
    """A token a byte. fail: messages of the next answers, None where one works."""

    fail: list[str | None] = field(default_factory=list)
    refuse_load: str = ""
    dies: bool = False  # a failure takes the worker with it
    loads: list[str] = field(default_factory=list)
    requests: list[LikelihoodRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keys = itertools.count(1)
        self._loaded: set[Model] = set()

    def new_key(self) -> int:
        return next(self._keys)

    def load(self, model: Model, sink: Sink) -> None:
        self.loads.append(model.name)
        if self.refuse_load:
            sink(Failed(0, self.refuse_load))
            return
        self._loaded.add(model)
        sink(Loaded(model.name, self._what(model), 0.0))

    def capabilities(self, model: Model) -> Capabilities | None:
        return self._what(model) if model in self._loaded else None

    def _what(self, model: Model) -> Capabilities:
        return CAPABILITIES[model.kind]

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
        self.requests.append(request)
        message = self.fail.pop(0) if self.fail else None
        if message is not None:
            if self.dies:
                self._loaded.discard(model)
            sink(Failed(request.key, message))
            return
        n = len(request.continuation.encode())
        bits = KNOWN if request.continuation in request.context else BITS[model.name]
        sink(
            Scored(
                request.key, np.arange(n, dtype=np.int32), ("x",) * n, np.full(n, -bits * math.log(2), np.float32),
                np.arange(1, n + 1, dtype=np.int32), np.empty((n, 0), np.int32), np.empty((n, 0), np.float32),
                ((),) * n, 1,
            )
        )  # fmt: skip


@pytest.fixture(autouse=True)
def weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "weights_hash", lambda model: f"hash of {model.name}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "kept.db") as store:
        yield store


def passages(*responses: str) -> list[Passage]:
    return [Passage("A context. ", "A query: ", response) for response in responses]


def test_a_passage_is_asked_once_ever_and_then_no_model_is_loaded(store: Store) -> None:
    pool = ScorePool()
    first = LikelihoodCache(store, pool)  # type: ignore[arg-type]
    steps: list[tuple[str, int, int]] = []
    first.make(BASE, tracked(passages("one", "two", "one"), lambda *progress: steps.append(progress), "reading"))
    assert [request.continuation for request in pool.requests] == ["one", "two"]
    assert all(
        (request.context, request.query, request.top) == ("A context. ", "A query: ", 0) for request in pool.requests
    )
    assert steps == [("reading", 1, 3), ("reading", 2, 3), ("reading", 3, 3)]
    later = ScorePool()
    again = LikelihoodCache(store, later)  # type: ignore[arg-type]
    again.make(BASE, passages("one", "two"))
    assert (later.loads, later.requests) == ([], [])
    tokens = again.tokens(BASE, passages("two")[0])
    assert tokens is not None
    assert tokens.logprob == pytest.approx([-math.log(2)] * 3)
    assert tokens.rank.tolist() == [1, 2, 3]
    # The same text cut elsewhere into context and query is the same passage; another prompt or model is another one.
    assert again.tokens(BASE, Passage("A context. A ", "query: ", "two")) is not None
    assert again.tokens(BASE, Passage("Another. ", "A query: ", "two")) is None
    assert again.tokens(TEACHER, passages("two")[0]) is None


def test_the_tokenizer_that_models_toml_names_is_part_of_what_scores_are_kept_by(store: Store, tmp_path: Path) -> None:
    file, folder = paths.models_file(), tmp_path / "tokenizer"
    file.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir()
    model = Model("served", "openai:http://h.example/v1#served", "aligned")
    kept_by = []
    for line, content in (("", "{}"), (f'tokenizer = "hf:{folder}"', "{}"), (f'tokenizer = "hf:{folder}"', "[]")):
        file.write_text(f'[models.served]\nreference = "{model.reference}"\n{line}\n')
        (folder / "tokenizer.json").write_text(content)
        kept_by.append(LikelihoodCache(store, ScorePool()).identity(model))  # type: ignore[arg-type]
    assert kept_by[0] == "hash of served"
    assert len({*kept_by}) == 3
    assert all(str(folder) in each for each in kept_by[1:])
    (folder / "tokenizer.json").unlink()
    gone = LikelihoodCache(store, ScorePool())  # type: ignore[arg-type]
    assert (gone.identity(model), gone.capabilities(model)) == ("", None)
    assert "has no tokenizer" in gone.why_not(model, passages("one")[0])


def test_a_worker_that_died_is_started_again_and_a_refusal_is_the_passages_own(store: Store) -> None:
    pool = ScorePool(fail=["the worker died"], dies=True)
    likelihoods = LikelihoodCache(store, pool)  # type: ignore[arg-type]
    likelihoods.make(BASE, passages("one"))
    assert likelihoods.tokens(BASE, passages("one")[0]) is not None
    assert len(pool.loads) == 2
    pool = ScorePool(fail=["9 tokens, but the window is 8"] * 2)
    likelihoods = LikelihoodCache(store, pool)  # type: ignore[arg-type]
    likelihoods.make(BASE, passages("two"))
    likelihoods.make(BASE, passages("three"))
    assert likelihoods.tokens(BASE, passages("two")[0]) is None
    assert likelihoods.why_not(BASE, passages("two")[0]) == "9 tokens, but the window is 8"
    assert likelihoods.tokens(BASE, passages("three")[0]) is not None


@dataclass
class SilentPool(ScorePool):
    """Of a server: so many lanes, and nothing comes of them until one of its requests has waited too long."""

    lanes: int = 6
    cancelled: list[int] = field(default_factory=list)
    waiting: list[tuple[int, Callable[[Scored | Failed], None]]] = field(default_factory=list)

    def _what(self, model: Model) -> Capabilities:
        return replace(CAPABILITIES[model.kind], lanes=self.lanes)

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
        del model
        self.requests.append(request)
        self.waiting.append((request.key, sink))
        if len(self.waiting) == self.lanes:
            key, first = self.waiting.pop(0)
            first(Failed(key, "It sent nothing for 2 s.", unavailable=True))

    def cancel(self, model: Model, key: int) -> None:
        del model
        self.cancelled.append(key)
        dict(self.waiting)[key](Failed(key, "The scoring was cancelled."))


def test_a_server_that_gives_no_answer_is_asked_for_nothing_more(store: Store) -> None:
    pool, texts = SilentPool(), passages(*map(str, range(20)))
    likelihoods = LikelihoodCache(store, pool)  # type: ignore[arg-type]
    likelihoods.make(BASE, texts)
    assert [request.continuation for request in pool.requests] == [*map(str, range(pool.lanes))]
    assert len(pool.cancelled) == pool.lanes - 1
    assert {likelihoods.why_not(BASE, each) for each in texts} == {"It sent nothing for 2 s."}
    again = ScorePool()
    later = LikelihoodCache(store, again)  # type: ignore[arg-type]
    later.make(BASE, texts)
    assert len(again.requests) == len(texts)


def test_a_model_that_cannot_be_asked_is_tried_once(store: Store) -> None:
    pool = ScorePool(refuse_load="not enough memory")
    likelihoods = LikelihoodCache(store, pool)  # type: ignore[arg-type]
    likelihoods.make(BASE, passages("one", "two"))
    assert likelihoods.why_not(BASE, passages("two")[0]) == "not enough memory"
    assert (len(pool.loads), pool.requests) == (1, [])


# Under a base model


class KnownResponses:
    def __init__(self, texts: dict[str, list[str]]) -> None:
        self._texts = texts
        self.prompts = ("p",)
        self.conditions = tuple(texts)
        self.n, self.left_out, self.contested = sum(map(len, texts.values())), 0, frozenset()

    def cells(self, _: str) -> CellTexts:
        return {condition: dict(enumerate(texts)) for condition, texts in self._texts.items()}

    def token_scores(self, *_: object) -> dict[str, dict[str, Value]]:
        return {}


def base_scores(store: Store, pool: ScorePool, prompt: str | None, **texts: list[str]) -> dict[str, dict[str, Value]]:
    scores = BaseScores(LikelihoodCache(store, pool), BASE, lambda _: prompt)  # type: ignore[arg-type]
    values = scores.within(KnownResponses(texts), {LOGPROB, SURPRISE}, lambda *_: None)
    return {condition: value for (_, condition), value in values.items()}


def test_scores_under_a_base_model(store: Store) -> None:
    pool = ScorePool()
    values = base_scores(store, pool, "Why?", A=["ab", "né", " \n"], B=["ab", "ab", "ab"], C=["ab"], D=[""])
    logprob = values["A"][LOGPROB]
    assert logprob.value == pytest.approx(-math.log(2))
    assert logprob.n == 2
    assert logprob.extra["bits_per_byte"] == pytest.approx(1.0)
    assert logprob.extra["per_byte"] == pytest.approx(-math.log(2))
    different, same = values["A"][SURPRISE], values["B"][SURPRISE]
    assert different.value == pytest.approx(1.0 * 2**-1.0)
    assert (different.n, different.extra["orders"]) == (2, 2.0)
    assert same.value == pytest.approx(KNOWN * 2**-1.0)  # the base model knows the last one from the others
    assert (values["C"][SURPRISE].value, values["C"][SURPRISE].reason) == (None, "needs 2 samples, has 1")
    assert values["C"][LOGPROB].value is not None
    assert values["D"][LOGPROB].reason == "needs 1 sample, has 0"
    n = len(pool.requests)
    base_scores(store, pool, "Why?", A=["ab", "né"], B=["ab", "ab", "ab"])
    assert len(pool.requests) == n


def test_what_is_missing_under_a_base_model_has_its_reason(store: Store) -> None:
    assert "text is not known" in base_scores(store, ScorePool(), None, A=["one", "two"])["A"][LOGPROB].reason
    refused = base_scores(store, ScorePool(fail=["9 tokens, window 8"] * 100), "Why?", A=["one", "two"])["A"]
    assert (refused[SURPRISE].value, refused[SURPRISE].reason) == (None, "9 tokens, window 8")
    assert (refused[LOGPROB].value, refused[LOGPROB].reason) == (None, "9 tokens, window 8")


def test_the_others_stand_before_the_last_one_each_under_its_letter() -> None:
    passage = progressive_passage("Why?", ["one", "two", "one"])
    assert passage.context == "Why?\n\nResponse A: one\n\nResponse B: two\n\nResponse C: "
    assert (passage.query, passage.response) == ("", "one")
    many = progressive_passage("Why?", ["x"] * 29).context
    assert "Response Z: x\n\nResponse AA: x\n\nResponse AB: x\n\nResponse AC: " in many


# The alignment gap


def session(store: Store, temperature: float = 1.0) -> int:
    number = store.create_session("diaries", reference="chat")
    for prompt in (Prompt("p0", "Why dance?"), Prompt("p1", "Why sing?")):
        for model in (TEACHER, BASE):
            condition = Condition.zero_shot(model, sampling=Sampling(temperature=temperature))
            cell = store.add_cell(number, prompt, condition, 2)
            if (model, prompt.id) != (BASE, "p1"):
                store.set_rendered(cell, f"# {model.name}: {prompt.text} ")
            for i in range(2):
                store.add_sample(cell, result(i, f"{model.name} says {i}"))
    return number


def gaps_of(store: Store, number: int, likelihoods: LikelihoodCache) -> Gaps:
    return session_gaps(
        store, number, SessionResponses(store, number), "chat", "tiny", store.sources(number, "chat"),
        likelihoods, lambda *_: None,
    )  # fmt: skip


def test_the_gap_is_all_bits_over_all_bytes(store: Store) -> None:
    """10 bits of 5 bytes and 20 of 100: .286, not the mean of 2 and .2."""

    class Uneven(ScorePool):
        def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
            bits = {5: 2.0, 100: 0.2}[len(request.continuation)] * (model == BASE)
            super().score(model, request, lambda answer: sink(costing(answer, bits)))

    number = store.create_session("uneven", reference="chat")
    for model in (TEACHER, BASE):
        cell = store.add_cell(number, Prompt("p0", "Why?"), Condition.zero_shot(model), 2)
        store.set_rendered(cell, f"# {model.name}: Why? ")
        for i, text in enumerate(("a" * 5, "b" * 100)):
            store.add_sample(cell, result(i, text, "length"))
    likelihoods = LikelihoodCache(store, Uneven())  # type: ignore[arg-type]
    gaps = gaps_of(store, number, likelihoods)
    assert gaps.compared["p0"].held_out.cross["tiny"]["alignment_gap"].value == pytest.approx(30 / 105)
    assert gaps.compared["p0"].held_out.cross["tiny"]["alignment_gap"].extra["bits"] == pytest.approx(15.0)
    assert gaps.ends["tiny"].so_far == "of the text so far in 2 of 2 responses: 2 cut"


def test_answers_after_thoughts_do_not_follow_their_prompt(store: Store) -> None:
    number = store.create_session("wise", reference="chat")
    contexts = (Context("chat", thinking_end="</think>"), Context("plain"))
    for model, context in zip((TEACHER, BASE), contexts, strict=True):
        cell = store.add_cell(number, Prompt("p0", "Why?"), Condition(model.name, model, context), 1)
        store.set_rendered(cell, f"# {model.name}: Why? ")
        store.add_sample(cell, result(0, "Because.", raw_text="Hm.</think>Because."))
    likelihoods = LikelihoodCache(store, ScorePool())  # type: ignore[arg-type]
    gaps = gaps_of(store, number, likelihoods)
    reason = gaps.compared["p0"].held_out.cross["tiny"]["alignment_gap"].reason
    assert reason == "chat writes something before its answers, so they do not follow its prompt"


def test_a_condition_that_begins_the_response_reads_no_whole_one(store: Store) -> None:
    number = store.create_session("begun", reference="chat")
    contexts = (Context("chat"), Context("plain", prefill=Prefill(text="Be")))
    for model, context in zip((TEACHER, BASE), contexts, strict=True):
        cell = store.add_cell(number, Prompt("p0", "Why?"), Condition(model.name, model, context), 1)
        store.set_rendered(cell, f"# {model.name}: Why? ")
        store.add_sample(cell, result(0, "Because."))
    gaps = gaps_of(store, number, LikelihoodCache(store, ScorePool()))  # type: ignore[arg-type]
    gap = gaps.compared["p0"].held_out.cross["tiny"]["alignment_gap"]
    assert gap.value is None
    assert gap.reason == "tiny begins the response itself, so whole responses do not follow its prompt"


def costing(answer: Scored | Failed, bits: float) -> Scored:
    assert isinstance(answer, Scored)
    return replace(answer, logprob=np.full(len(answer.ids), -bits * math.log(2), np.float32))


def test_the_gap_of_known_models_is_their_divergence(store: Store) -> None:
    number = store.create_session("toy", reference="chat")
    pool = EndsPool()
    sampling = Sampling(temperature=1.0)
    for model in (TEACHER, BASE):
        cell = store.add_cell(number, Prompt("p0", "Why?"), Condition.zero_shot(model, sampling=sampling), 2)
        store.set_rendered(cell, f"# {model.name}: Why? ")
        for i, text in enumerate(("a", "aaa")):
            store.add_sample(cell, result(i, text))
    likelihoods = LikelihoodCache(store, pool)
    gaps = gaps_of(store, number, likelihoods)
    gap = gaps.compared["p0"].held_out.cross["tiny"]["alignment_gap"]
    assert (gap.value, gap.extra["bits"]) == (pytest.approx(KL / 2), pytest.approx(KL))
    assert (gap.extra["ended"], gap.extra["end_bits"]) == (1.0, pytest.approx(math.log2(5)))
    text = [gap.extra[f"{part}_bits"] for part in ("opening", "format", "rest")]
    assert text == pytest.approx([WITHOUT_ENDS, 0.0, 0.0], abs=1e-6)
    assert gaps.ends["tiny"].so_far == ""
    closings = {request.closings for name, request in pool.scored if name == "tiny"}
    assert closings == {("```", "\n```")}


def test_the_gap_of_a_session(store: Store) -> None:
    number, pool = session(store), ScorePool()
    likelihoods = LikelihoodCache(store, pool)  # type: ignore[arg-type]
    gaps = gaps_of(store, number, likelihoods)
    gap = gaps.compared["p0"].held_out.cross["tiny"]["alignment_gap"]
    assert gap.value == pytest.approx(BITS["tiny"] - BITS["chat"])
    assert (gap.n_pairs, gap.ceiling) == (2, 0.0)
    n = len("chat says 0")
    shifts = {"unshifted": 1 / n, "marginal": 2 / n, "shifted": (n - 3) / n}
    parts = {"in_parts": 1.0, "opening_bits": 0.5 * 5, "format_bits": 0.0, "rest_bits": 0.5 * (n - 5)}
    assert gap.extra == pytest.approx({"bits": 0.5 * n, **shifts, **parts})
    assert gaps.compared["p0"].held_out.cross["chat"]["alignment_gap"].value == 0.0
    assert gaps.compared["p1"].held_out.cross["tiny"]["alignment_gap"].reason == "tiny has no sampled response to it"
    assert gaps.cross_entropies == {}
    # What all prompts of a condition begin with is their context: it is computed once.
    assert {(r.context, r.query) for r in pool.requests if "chat:" in r.context} == {
        ("# chat: Why ", "dance? "), ("# chat: Why ", "sing? "),
    }  # fmt: skip
    n_requests = len(pool.requests)
    again = LikelihoodCache(store, pool)  # type: ignore[arg-type]
    gaps_of(store, number, again)
    assert len(pool.requests) == n_requests


@dataclass
class ServedPool(ScorePool):
    """Its aligned models are behind a server, which may say how it renders chats."""

    template: str | None = "{% for m in messages %}<{{ m['content'] }}>{% endfor %}"

    def _what(self, model: Model) -> Capabilities:
        known = CAPABILITIES[model.kind]
        if model.kind == "base":
            return known
        return replace(known, renders_chat=True, chat_template=self.template, no_template="name its tokenizer")


def test_the_gap_of_chats_that_a_server_renders(store: Store) -> None:
    served = replace(TEACHER, reference="openai:http://127.0.0.1:1/v1#chat")
    number = store.create_session("served", reference="chat")
    context = Context("chat", instruction="Be kind.", prefill=None)
    for model, of_model in ((served, context), (BASE, Condition.zero_shot(BASE).context)):
        condition = Condition(model.name, model, of_model, Sampling())
        cell = store.add_cell(number, Prompt("p0", "Why dance?"), condition, 2)
        store.set_rendered(cell, "Why dance?")  # of a server all that is known is what it was asked
        for i in range(2):
            store.add_sample(cell, result(i, f"{model.name} says {i}"))
    pool = ServedPool()
    gap = gaps_of(store, number, LikelihoodCache(store, pool)).compared["p0"]  # type: ignore[arg-type]
    value = gap.held_out.cross["tiny"]["alignment_gap"]
    assert value.value == pytest.approx(BITS["tiny"] - BITS["chat"])
    texts = {request.context + request.query for request in pool.requests}
    assert texts == {"<Be kind.><Why dance?>", "Why dance?"}
    silent = ServedPool(template=None)
    gap = gaps_of(store, number, LikelihoodCache(store, silent)).compared["p0"]  # type: ignore[arg-type]
    assert gap.held_out.cross["tiny"]["alignment_gap"].reason == (
        "what stood before the responses of chat is not known: its server renders chats itself and does not say how "
        "(name its tokenizer)"
    )


def test_the_bits_of_another_tokenizer_are_not_told_apart(store: Store) -> None:
    class Other(ScorePool):
        def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
            def answer(scored: Scored | Failed) -> None:
                assert isinstance(scored, Scored)
                sink(replace(scored, ids=scored.ids + (model == BASE)))

            super().score(model, request, answer)

    gaps = gaps_of(store, session(store), LikelihoodCache(store, Other()))  # type: ignore[arg-type]
    extra = gaps.compared["p0"].held_out.cross["tiny"]["alignment_gap"].extra
    assert extra["in_parts"] == 0.0
    assert not {"opening_bits", "format_bits", "rest_bits"} & {*extra}


def test_a_gap_that_estimates_no_divergence_says_why(store: Store) -> None:
    number = session(store, temperature=0.7)
    likelihoods = LikelihoodCache(store, ScorePool())  # type: ignore[arg-type]
    gaps = gaps_of(store, number, likelihoods)
    assert gaps.cross_entropies == {"tiny": "the reference was not drawn at temperature 1 from the whole distribution"}


def test_a_hinted_condition_is_measured_on_held_out_responses(store: Store) -> None:
    """The hint is the reference's first response, word for word: all of the gap closes there and none elsewhere."""
    number = session(store)
    hint = Hint("summary", condition="chat", sample=0, maker="chat", template="summary")
    condition = Condition("hinted", BASE, Context("plain", hint=hint))
    cell = store.add_cell(number, Prompt("p0", "Why dance?"), condition, 1)
    store.set_rendered(cell, "Hint: chat says 0. Why dance? ")
    store.add_sample(cell, result(0, "because"))
    likelihoods = LikelihoodCache(store, ScorePool())  # type: ignore[arg-type]
    gaps = gaps_of(store, number, likelihoods)
    compared = gaps.compared["p0"]
    gap, bare = (compared.held_out.cross[name]["alignment_gap"] for name in ("hinted", "tiny"))
    assert gap.value == bare.value == pytest.approx(BITS["tiny"] - BITS["chat"])
    assert gap.n_pairs == 1
    assert {*compared.source} == {"hinted"}
    source, whole = compared.source["hinted"]["alignment_gap"], compared.with_source.cross["hinted"]["alignment_gap"]
    assert source.value == pytest.approx(KNOWN - BITS["chat"])
    assert whole.value == pytest.approx((KNOWN + BITS["tiny"]) / 2 - BITS["chat"])
    assert compared.held_out.floor["hinted"]["alignment_gap"].value == bare.value


def test_what_the_store_does_not_take_is_known_all_the_same(store: Store) -> None:
    pool = ScorePool()
    with sqlite3.connect(store.path) as writer, Store.read(store.path) as reader:
        writer.execute("BEGIN IMMEDIATE")
        cache = LikelihoodCache(reader, pool)  # type: ignore[arg-type]
        cache.make(BASE, passages("one", "two"))
        assert all(cache.tokens(BASE, passage) is not None for passage in passages("one", "two"))
        cache.make(BASE, passages("one", "three"))
        assert [request.continuation for request in pool.requests] == ["one", "two", "three"]
        writer.execute("ROLLBACK")
    assert store.db.execute("SELECT count(*) FROM likelihoods").fetchone()[0] == 0
