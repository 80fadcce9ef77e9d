"""Scores of many responses in one pass, some prompts at a time: memory grows with the numbers, not with the texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from alignbench.contexts.source_samples import Sources, no_sources
from alignbench.metrics.intervals import Interval
from alignbench.metrics.registry import METRICS
from alignbench.metrics.sentences import sentences
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import Cross, Value
from alignbench.progress import Progress, silent
from alignbench.scoring.aggregate import COUNTS, ScoreKey, score_tables
from alignbench.scoring.coverage import sentence_vectors
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.matched import MatchedValues
from alignbench.scoring.null import shuffled_cycle
from alignbench.scoring.precomputed import PrecomputedScores
from alignbench.scoring.processes import Chunk, scored_chunks, worth_starting
from alignbench.scoring.prompt_scores import Comparisons, PromptScores, completed
from alignbench.scoring.responses import Responses, Texts, all_texts
from alignbench.scoring.score_tables import ScoreTables
from alignbench.scoring.scorer import CellResponses, PromptResponses, Scorer, ScoreRequest
from alignbench.scoring.token_scores import stored_scores

OfCells = Mapping[tuple[str, str], Mapping[str, Value]]  # by prompt and condition, and metric

_NONE: OfCells = MappingProxyType({})
_CHUNK = 8  # prompts scored at once, at most


def score_responses(
    responses: Responses,
    request: ScoreRequest,
    embeddings: Embeddings | None,
    progress: Progress = silent,
    *,
    of_sentences: Embeddings | None = None,
    given: PrecomputedScores | None = None,
    of_classes: OfCells = _NONE,
    sources: Sources = no_sources,
    processes: int = 1,
    computed: Callable[[Mapping[str, PromptScores]], None] | None = None,
) -> ScoreTables:
    """The tables of `aggregate.score_tables` over all prompts.

    One prompt alone gets intervals too, by leaving out its samples one by one (see `jackknifed`).

    Args:
        responses: What is scored.
        wanted: The scores.
        embeddings: Of whole responses; None where no wanted metric needs any.
        progress: Called with what is being done.
        of_sentences: Embeddings of their sentences; None where no wanted metric needs any.
        given: Scores that are there already; they have no jackknife.
        of_classes: Scores of classes that do not come from embeddings and so see stance, on contested prompts too.
        sources: The samples of the reference that contexts are made from (see `held_out`).
        processes: How many may share the work; the numbers are the same for any.
        computed: Called with the scores of every prompt.
    """
    scored = scored_prompts(
        responses,
        request,
        embeddings,
        progress,
        of_sentences=of_sentences,
        given=given,
        of_classes=of_classes,
        sources=sources,
        processes=processes,
    )
    if computed is not None:
        computed(scored)
    intervals = jackknifed(responses, request, embeddings, sources)
    uncertainty = Uncertainty(resamples=request.resamples, seed=request.seed)
    return tables_of(scored.values(), responses.conditions, request, uncertainty, intervals)


def tables_of(
    scored: Iterable[PromptScores],
    conditions: Sequence[str],
    request: ScoreRequest,
    uncertainty: Uncertainty,
    of_one_prompt: Mapping[ScoreKey, Interval] | None = None,
) -> ScoreTables:
    """The tables of prompts that are scored. of_one_prompt: see `jackknifed`."""
    return score_tables(
        [*scored],
        conditions,
        within=(*request.within, *COUNTS),
        cross=request.cross,
        reference=request.reference,
        floor=request.floor,
        no_floor=request.no_floor,
        uncertainty=uncertainty,
        jackknifed=of_one_prompt,
    )


def scored_prompts(
    responses: Responses,
    request: ScoreRequest,
    embeddings: Embeddings | None,
    progress: Progress = silent,
    *,
    of_sentences: Embeddings | None = None,
    given: PrecomputedScores | None = None,
    of_classes: OfCells = _NONE,
    sources: Sources = no_sources,
    processes: int = 1,
) -> dict[str, PromptScores]:
    """The scores of every prompt, in the order of the ids. Args: as of `score_responses`."""
    if embeddings is not None:
        embeddings.make(all_texts(responses), progress, total=responses.n)
    if of_sentences is not None:
        n_sentences = sum(len(sentences(text)) for text in all_texts(responses))
        pieces = (sentence for text in all_texts(responses) for sentence in sentences(text))
        of_sentences.make(pieces, progress, what="embedding sentences", total=n_sentences)
    source = _ResponseVectors(responses, embeddings, of_sentences, sources)
    cycle = shuffled_cycle(responses.prompts, request.seed)
    scores = dict.fromkeys(cycle, PromptScores())
    for part, started in _parts(request, worth_starting(processes, responses.n)):
        of_part: list[PromptScores] = []
        for chunk in scored_chunks(part, _chunks(cycle, source, part.reference, started), started):
            of_part += chunk
            progress("scoring", len(of_part), len(cycle))
        scores = {prompt: scores[prompt] | more for prompt, more in zip(cycle, of_part, strict=True)}
    return {
        prompt: completed(
            scores[prompt],
            _given(prompt, responses, request, given or PrecomputedScores()),
            contested=prompt in responses.contested,
        )
        | PromptScores({name: of_classes.get((prompt, name), {}) for name in responses.conditions})
        for prompt in sorted(cycle)
    }


def jackknifed(
    responses: Responses, request: ScoreRequest, embeddings: Embeddings | None, sources: Sources = no_sources
) -> dict[ScoreKey, Interval]:
    """Intervals of the live scores of a single prompt from leaving out its samples in turn; none of several prompts,
    whose intervals are over prompts."""
    if len(responses.prompts) != 1:
        return {}
    vectors = _ResponseVectors(responses, embeddings, None, sources)
    return Scorer(request).jackknifed(vectors.prompt(responses.prompts[0]))


def matched_lengths(responses: Responses, request: ScoreRequest) -> dict[str, MatchedValues]:
    """Of every prompt, what `PromptScores.matched` has; nothing without a reference."""
    if request.reference is None:
        return {}
    source, scorer = _ResponseVectors(responses, None, None, no_sources), Scorer(request)
    return {prompt: scorer.matched(source.prompt(prompt), request.reference) for prompt in responses.prompts}


def _parts(request: ScoreRequest, processes: int) -> Iterator[tuple[ScoreRequest, int]]:
    """What is scored together, and by how many processes: functions of users by this one, so that each of them is
    loaded once."""
    own = {name for name in (*request.within, *request.cross) if METRICS[name].runs_outside}
    if {*request.within, *request.cross} - own or not own:
        yield _of(request, {*request.within, *request.cross} - own), processes
    if own:
        yield _of(request, own), 1


def _of(request: ScoreRequest, metrics: Collection[str]) -> ScoreRequest:
    within, cross = ([name for name in names if name in metrics] for names in (request.within, request.cross))
    return replace(request, within=tuple(within), cross=tuple(cross))


def _chunks(cycle: Sequence[str], source: _ResponseVectors, reference: str | None, processes: int) -> Iterator[Chunk]:
    """Prompts go round in a shuffled cycle: the answers to the next one are the null of each."""
    size = max(1, min(_CHUNK, len(cycle) // (4 * processes)))
    for start in range(0, len(cycle), size):
        following = None
        if reference is not None and len(cycle) > 1:
            after = start + size
            following = source.cell(cycle[after] if after < len(cycle) else cycle[0], reference)
        yield [source.prompt(prompt) for prompt in cycle[start : start + size]], following


def _given(prompt: str, responses: Responses, request: ScoreRequest, precomputed: PrecomputedScores) -> PromptScores:
    """What is not computed from texts: scores that are stored or given, and why others are null."""
    no_value = {name: Value(None, 0, reason) for name, reason in request.unavailable.items()}
    no_pairs = {name: Cross(None, 0, None, reason, reason) for name, reason in request.unavailable.items()}
    stored = responses.token_scores(prompt, names) if (names := stored_scores(request.within)) else {}
    within = {}
    for condition in responses.conditions:
        of_condition = precomputed.within.get((prompt, condition), {})
        within[condition] = {**no_value, **stored.get(condition, {}), **of_condition}
    nothing = PromptScores(within, Comparisons(dict.fromkeys(responses.conditions, no_pairs)))
    return nothing | precomputed.compared.get(prompt, PromptScores())


class _ResponseVectors:
    """Responses with the vectors that are kept."""

    def __init__(
        self,
        responses: Responses,
        embeddings: Embeddings | None,
        of_sentences: Embeddings | None,
        sources: Sources,
    ) -> None:
        self._responses, self._embeddings, self._of_sentences = responses, embeddings, of_sentences
        self._sources = sources

    def prompt(self, prompt: str) -> PromptResponses:
        """Of every condition, also of those without a response to this prompt."""
        there, sources = self._responses.cells(prompt), self._sources(prompt)
        return {
            condition: replace(self._cell(there.get(condition, {})), source_samples=sources.get(condition, ()))
            for condition in self._responses.conditions
        }

    def cell(self, prompt: str, condition: str) -> CellResponses:
        return self._cell(self._responses.cells(prompt).get(condition, {}))

    def _cell(self, texts: Texts) -> CellResponses:
        said, no_sentences = None, ""
        if self._of_sentences is not None:
            said, no_sentences = sentence_vectors(texts, self._of_sentences), self._of_sentences.why_not
        if self._embeddings is None:
            return CellResponses(texts, sentences=said, no_sentences=no_sentences)
        kept = self._embeddings.vectors(texts.values())
        vectors = {sample: kept[text] for sample, text in texts.items() if text in kept}
        return CellResponses(texts, vectors, self._embeddings.why_not, said, no_sentences)
