"""Prepares the context of a cell: selects examples, makes hints, and fits it all into the window."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alignbench import paths
from alignbench.contexts.hints import QUOTE, example_hint
from alignbench.contexts.neighbours import NeighbourIndex, keep_index, load_index
from alignbench.contexts.preview import Preview, preview
from alignbench.contexts.rendering import Content, render
from alignbench.contexts.response_format import format_vectors
from alignbench.contexts.selection import ExampleSelection, is_near_duplicate, select
from alignbench.engines.blocking import loaded, tokenized
from alignbench.engines.embedder import DEFAULT_EMBEDDER, embedded_path, embedder_name, no_prefix
from alignbench.engines.protocol import Capabilities, EmbedPool, EnginePool
from alignbench.engines.text_prefixes import TextPrefixes, text_prefixes
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import EngineError, InputError
from alignbench.experiments.cell_content import cell_content, is_prepared
from alignbench.experiments.hint_maker import OtherResponse, made_hint, n_tokens
from alignbench.experiments.plan import PlannedCell
from alignbench.models.catalog import resolve
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.spec import Condition, Context, Example, Examples, ExampleSet, Hint, Model, Prompt, Select, content_hash
from alignbench.store import HintRow, NewHint, Store


@dataclass(frozen=True, slots=True)
class FilledContext:
    """A context, filled for one prompt.

    Attributes:
        pool: what the selection was made from
        notes: what a person should know of it: near duplicates that were passed over, examples that did not fit, a hint
            that quotes
        hint: what a model made, or `prepare` kept
    """

    content: Content
    pool: ExampleSet
    selection: ExampleSelection | None
    hint: HintRow | None
    preview: Preview | None
    notes: tuple[str, ...] = ()


class _Prefixes(NamedTuple):
    """Of the query and of the pool's texts; None for what the model asks for before a text."""

    query: str | None
    document: str | None


class Preparer:
    """Prepares the contexts of one run. Calls block while models load and work, on the thread of the store."""

    def __init__(self, store: Store, pool: EnginePool, session: int, embed: EmbedPool | None) -> None:
        """embed: the default embedding model; without one, nearest examples cannot be selected."""
        self._store, self._pool, self._session, self._embed = store, pool, session, embed
        self._indexes: dict[str, NeighbourIndex] = {}
        self._pools: dict[tuple[str, int], ExampleSet] = {}
        self._embedders: dict[str, WorkerPool] = {}

    def close(self) -> None:
        """End the embedding models that only selection used."""
        for pool in self._embedders.values():
            pool.close()

    def prepare(self, cell: PlannedCell) -> FilledContext:
        """Prepare a cell and store what was selected and made.

        Raises InputError or EngineError, each with one message for the cell, where that cannot be done.
        """
        prepared = self.compose(cell.prompt, cell.condition)
        context, hint = cell.condition.context, prepared.hint
        length = None
        if context.hint is not None and context.hint.text:
            length = n_tokens(self._pool, cell.condition.model, context.hint.text)
        with self._store.together():
            if prepared.selection is not None:
                self._store.keep_selection(cell.id, prepared.pool, prepared.selection)
            if context.hint is not None and context.hint.text:
                new = NewHint(context.hint.level, context.hint.text, n_tokens=length)
                hint = self._store.add_hint(self._session, cell.prompt, new)
            if hint is not None:
                self._store.set_cell_hint(cell.id, hint.id)
            if context.prefill is not None:
                self._store.set_prefill(cell.id, prepared.content.prefill)
        return replace(prepared, hint=hint)

    def compose(self, prompt: Prompt, condition: Condition) -> FilledContext:
        """The context filled for a prompt, with nothing stored but hints that a model made for it."""
        context = condition.context
        notes: list[str] = []
        pool, selection = ExampleSet(), None
        if context.examples is not None:
            pool, selection = self.selection(prompt, context.examples)
            if (of_examples := example_hint(context)) is not None:
                selection = selection.with_hints(pool.items, partial(self._example_hint, hint=of_examples))
            near = [s for s in selection.left_out if not is_near_duplicate(prompt.text, pool.items[s.index], 1.0)]
            if near:  # that the prompt itself is no example goes without saying
                what = "near duplicate" if len(near) == 1 else "near duplicates"
                notes.append(f"{len(near)} {what} of the prompt left out")
            if selection.left_out and not selection.chosen:
                notes.append("no example is left: the prompt itself is the only one there is")
        hint, text = None, context.hint.text if context.hint is not None else ""
        if context.hint is not None and not text and context.hint.level != "first":
            hint, more = self.made_hint(prompt, context.hint)
            text = hint.text
            notes += more
        prefill = self._prefill(prompt, context, condition.model)
        content = Content(selection.examples(pool.items) if selection else (), text, prefill)
        shown = self.preview(prompt, condition, content)
        while shown is not None and shown.overflow:
            if context.overflow == "refuse" or selection is None or not selection.chosen:
                raise InputError(_too_long(shown))
            selection = selection.without_farthest()
            content = replace(content, examples=selection.examples(pool.items))
            shown = self.preview(prompt, condition, content)
        if selection is not None and (n := len(selection.dropped)):
            notes.append(f"{n} of {n + len(selection.chosen)} examples dropped: they do not fit the window")
        return FilledContext(content, pool, selection, hint, shown, tuple(notes))

    def content(self, cell: PlannedCell) -> Content:
        """What the context of a cell holds: what it was prepared with, else what it would be prepared with."""
        if is_prepared(self._store, cell):
            return cell_content(self._store, cell)
        return self.compose(cell.prompt, cell.condition).content

    def preview(self, prompt: Prompt, condition: Condition, content: Content) -> Preview | None:
        """The exact text of a content, with its tokens; None where the model does not tell them, as a server."""
        capabilities = loaded(self._pool, condition.model)
        rendered = render(prompt, condition.context, capabilities, content)
        try:
            answer = tokenized(self._pool, condition.model, [rendered.text])
        except EngineError:
            return None
        return preview(rendered, answer.ids[0], answer.pieces[0], capabilities, condition.sampling.max_tokens)

    def capabilities(self, model: Model) -> Capabilities:
        """The capabilities of a model, which is loaded for it."""
        return loaded(self._pool, model)

    # Examples

    def selection(self, prompt: Prompt, examples: Examples, response: str = "") -> tuple[ExampleSet, ExampleSelection]:
        """The pool and what is selected from it. response: the teacher's, where the session does not have it."""
        pool = examples.pool
        if examples.why_none:
            raise InputError(examples.why_none)
        if examples.condition:
            pool = self._teachers_pool(examples.condition, examples.sample)
            examples = replace(examples, pool=pool)
        if not examples.select.startswith("nearest"):
            return pool, select(prompt.text, examples)
        text = response if examples.by_response else prompt.text
        if not text:
            teacher = examples.teacher or examples.condition or self._reference(examples.select)
            text = self._store.teacher_sample(self._session, prompt, teacher, examples.sample).text
        if not examples.embedded:
            return pool, select(prompt.text, examples, self._format_index(pool), format_vectors([text])[0])
        prefixes = self._prefixes(examples)
        near = self._vectors(examples.embedder, [text], prefixes.query)[0]
        return pool, select(prompt.text, examples, self._index(examples, prefixes.document), near)

    def _teachers_pool(self, condition: str, sample: int) -> ExampleSet:
        key = condition, sample
        if key not in self._pools:
            self._pools[key] = self._store.condition_examples(self._session, condition, sample)
        return self._pools[key]

    def _reference(self, select: Select) -> str:
        reference = self._store.session(self._session).reference
        if reference is None:
            raise InputError(f"select {select!r} needs a teacher: name one, or give the session a reference.")
        return reference

    def _format_index(self, pool: ExampleSet) -> NeighbourIndex:
        """Over the forms of the responses of a pool."""
        key = f"format {pool.hash}"
        if key not in self._indexes:
            self._indexes[key] = NeighbourIndex(format_vectors([item.response for item in pool.items]))
        return self._indexes[key]

    def _prefixes(self, examples: Examples) -> _Prefixes:
        """What is written before the query and before the pool's texts. InputError where the model wants to be told."""
        if examples.embedder_prompt is not None:
            return _Prefixes(examples.embedder_prompt.query, examples.embedder_prompt.document)
        own = text_prefixes(Path(examples.embedder)) if examples.embedder else TextPrefixes()
        if own.why_unknown:
            raise InputError(no_prefix(examples.embedder, own.why_unknown))
        return _Prefixes(None if own.query == own.document else own.query, None)

    def _index(self, examples: Examples, prefix: str | None) -> NeighbourIndex:
        """Over the prompts or the responses of a pool: built once, then kept in the cache folder."""
        responses = examples.by_response
        key = content_hash(
            [examples.pool.hash, self._model(examples.embedder), responses, *([] if prefix is None else [prefix])]
        )
        if key not in self._indexes:
            path = paths.cache_dir() / "indexes" / f"{key}.npy"
            index = load_index(path)
            if index is None:
                texts = [item.response if responses else item.prompt for item in examples.pool.items]
                index = NeighbourIndex(self._vectors(examples.embedder, texts, prefix))
                keep_index(path, index)
            self._indexes[key] = index
        return self._indexes[key]

    def _vectors(self, embedder: str, texts: list[str], prefix: str | None) -> NDArray[np.float32]:
        """(len(texts), dim), rows of length 1 or 0. EngineError where they cannot be made."""
        embeddings = Embeddings(self._store, self._embed_pool(embedder), self._model(embedder), prefix=prefix)
        embeddings.make(texts)
        vectors = embeddings.vectors(texts)
        if embeddings.why_not or not vectors:
            raise EngineError(f"Examples cannot be selected: {embeddings.why_not or 'no text has a vector'}.")
        zero = np.zeros_like(next(iter(vectors.values())))
        return np.stack([vectors.get(text, zero) for text in texts])

    def _embed_pool(self, embedder: str) -> EmbedPool | None:
        if not embedder and (self._embed is None or paths.user_config().embedder in ("", DEFAULT_EMBEDDER)):
            return self._embed
        if embedder not in self._embedders:
            self._embedders[embedder] = WorkerPool(embedder=Path(embedder) if embedder else embedded_path())
        return self._embedders[embedder]

    @staticmethod
    def _model(embedder: str) -> str:
        return embedder_name(Path(embedder)) if embedder else DEFAULT_EMBEDDER

    # Hints and prefills

    def made_hint(self, prompt: Prompt, hint: Hint) -> tuple[HintRow, list[str]]:
        """The hint that its maker makes of its source, made once and stored; and whether it quotes, in words."""
        row = self._hint_of(prompt, hint)
        quote = row.longest_quote or 0
        return row, [f"the hint quotes {quote} words in a row from its source"] if quote >= QUOTE else []

    def _hint_of(self, prompt: Prompt, hint: Hint) -> HintRow:
        """The hint of a sample of the session."""
        source = self._store.teacher_sample(self._session, prompt, hint.condition, hint.sample)
        return made_hint(self._store, self._pool, self._session, prompt, hint, source, self._maker(hint.maker))

    def _example_hint(self, example: Example, hint: Hint) -> str:
        """The hint of an example: of the sample that it is, where it is one of this session, else of its text."""
        for prompt in self._prompts_of.get(example.prompt, ()) if hint.condition else ():
            if self._answered(prompt, hint) == example.response:
                return self._hint_of(prompt, hint).text
        prompt, source = Prompt.typed(example.prompt), OtherResponse(example.response)
        return made_hint(self._store, self._pool, self._session, prompt, hint, source, self._maker(hint.maker)).text

    def _answered(self, prompt: Prompt, hint: Hint) -> str:
        """The sample of a prompt that a hint is made of, as examples have it; empty where there is none."""
        try:
            return self._store.teacher_sample(self._session, prompt, hint.condition, hint.sample).text.strip()
        except InputError:
            return ""

    @cached_property
    def _prompts_of(self) -> dict[str, list[Prompt]]:
        """The prompts of the session by their text, as examples have it."""
        prompts: dict[str, list[Prompt]] = {}
        for prompt in self._store.prompts(self._session):
            prompts.setdefault(prompt.text.strip(), []).append(prompt)
        return prompts

    def known_hint(self, prompt: Prompt, hint: Hint) -> HintRow | None:
        """The hint that `made_hint` would give without asking a model; None where it would have to ask."""
        source = self._store.teacher_sample(self._session, prompt, hint.condition, hint.sample)
        maker = self._maker(hint.maker).name
        return self._store.made_hint(self._session, prompt, hint.level, maker, hint.template, content_hash(source.text))

    def _maker(self, name: str) -> Model:
        """A condition of the session stands for its model, and a model's name means what it means there."""
        conditions = self._store.conditions(self._session)
        by_name = (each.model for each in conditions if each.name == name)
        by_model = (each.model for each in conditions if each.model.name == name)
        return next(itertools.chain(by_name, by_model), None) or resolve(name)

    def _prefill(self, prompt: Prompt, context: Context, model: Model) -> str:
        prefill = context.prefill
        if prefill is None or prefill.text:
            return prefill.text if prefill else ""
        source = self._store.teacher_sample(self._session, prompt, prefill.condition, prefill.sample)
        loaded(self._pool, model)
        empty, whole = tokenized(self._pool, model, ["", source.text]).pieces
        return b"".join(whole[len(empty) : len(empty) + prefill.tokens]).decode(errors="ignore").strip()


def _too_long(preview: Preview) -> str:
    return (
        f"The context has {preview.n_tokens} tokens and the response may have {preview.max_tokens}: "
        f"{preview.n_tokens + preview.max_tokens} together, but the model's context window is {preview.window}. "
        "Shorten the context or lower max_tokens."
    )
