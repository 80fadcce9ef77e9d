"""Hints made by a model from a teacher's sample."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from alignbench.contexts.hints import give_away, hint_request
from alignbench.contexts.rendering import render
from alignbench.engines.blocking import completed, loaded, tokenized
from alignbench.engines.protocol import EnginePool, SampleRequest
from alignbench.engines.thoughts import answer_alone
from alignbench.errors import EngineError
from alignbench.spec import Hint, Level, Model, Prompt, Sampling, content_hash, default_context
from alignbench.store import HintRow, NewHint, SampleRow, Store

# Room for a hint of each level; a hint is short or it is none.
_MAX_TOKENS: dict[Level, int] = {"keywords": 48, "topics": 96, "outline": 256, "sentence": 64, "summary": 192}
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class OtherResponse:
    """A response that is no sample of the session."""

    text: str
    id: None = None


def made_hint(
    store: Store,
    pool: EnginePool,
    session: int,
    prompt: Prompt,
    hint: Hint,
    source: SampleRow | OtherResponse,
    maker: Model,
) -> HintRow:
    """The hint that `maker` makes of a response: the one that is stored, else a new one, which is then stored.

    The maker works at temperature 0. Raises EngineError where it gives no response or an empty one.

    Args:
        store: keeps the hint
        pool: loads the maker
        session: that the hint belongs to
        prompt: that is responded to
        hint: its level and template
        source: the response
        maker: the model that writes
    """
    source_hash = content_hash(source.text)
    known = store.made_hint(session, prompt, hint.level, maker.name, hint.template, source_hash)
    if known is not None and source.id in (None, known.source_id):
        return known
    if known is not None:  # of another sample of the same text, perhaps of another prompt
        new = NewHint(**{each.name: getattr(known, each.name) for each in fields(NewHint)})
        return store.add_hint(session, prompt, replace(new, source_id=source.id))
    capabilities = loaded(pool, maker)
    request = hint_request(hint.template, prompt.text, source.text)
    rendered = render(Prompt.typed(request), default_context(maker), capabilities)
    answer = completed(
        pool,
        maker,
        SampleRequest(
            key=pool.new_key(),
            context=rendered.context,
            query=rendered.query,
            sampling=Sampling(temperature=0.0, max_tokens=_MAX_TOKENS.get(hint.level, _LONGEST)),
            stops=rendered.stops,
            samples=(0,),
            seed=0,
            stream=0,
            messages=rendered.messages,
            alone=True,
            thinking_end=rendered.thoughts.end if rendered.thoughts else "",
        ),
    )
    answer = answer_alone(answer, rendered.thoughts)
    text = answer.text.strip()
    if answer.refused:
        raise EngineError(f"{maker.name} refused to write a {hint.level} for the prompt {prompt.id}: {text}")
    if not text:
        why = f"its thoughts took all of {answer.n_drawn} tokens" if answer.thinking else "it answered nothing"
        raise EngineError(f"{maker.name} gave no {hint.level} for the prompt {prompt.id}: {why}.")
    overlap = give_away(text, source.text)
    new = NewHint(
        level=hint.level,
        text=text,
        maker=maker.name,
        template=hint.template,
        source_id=source.id,
        source_hash=source_hash,
        n_tokens=n_tokens(pool, maker, text),
        give_away=overlap.recall,
        longest_quote=overlap.longest_quote,
    )
    return store.add_hint(session, prompt, new)


def n_tokens(pool: EnginePool, model: Model, text: str) -> int | None:
    """Length of a text in tokens of a loaded model, a BOS not counted; None where the model does not tell."""
    try:
        empty, full = tokenized(pool, model, ["", text]).ids
    except EngineError:
        return None
    return len(full) - len(empty)
