"""Controls whose outcome is known beforehand: what a ledger should find where the answer is given away or withheld."""

from __future__ import annotations

from dataclasses import replace

from alignbench.contexts.example_files import shipped_example_set
from alignbench.contexts.rendering import Content
from alignbench.ledger.ablation import PreparedContext
from alignbench.ledger.prepare import TeacherResponses
from alignbench.ledger.request import HINTED, LedgerRequest
from alignbench.scoring.null import other_prompt
from alignbench.spec import Condition, Context, Examples, Hint, Sampling

COPY, OTHER_KEYWORDS = "copy of the source", "keywords of another prompt"
SHOWN_ALL, SHOWN_ONE = "all of its examples", "one of its examples"

_HIDDEN = "hidden examples"


def copy_of_source(request: LedgerRequest, responses: TeacherResponses) -> PreparedContext:
    """The source itself in place of a hint: it should save much on the source, and on held-out responses nothing."""
    hint = Hint("free", condition=request.teacher.name, sample=HINTED)
    contents = {id: Content(hint=texts[HINTED]) for id, texts in responses.by_prompt.items() if HINTED in texts}
    return PreparedContext(COPY, replace(request.floor, name=COPY, hint=hint), contents, frozenset({HINTED}))


def keywords_of_another(keywords: PreparedContext) -> PreparedContext:
    """The hints of the prompts dealt out anew, each to a prompt that it was not made for: they should save nothing."""
    others = other_prompt(keywords.contents, seed=0)
    contents = {id: keywords.contents[other] for id, other in others.items()}
    return replace(keywords, name=OTHER_KEYWORDS, contents=contents)


def hidden_examples(request: LedgerRequest) -> LedgerRequest:
    """A ledger whose teacher is the base model itself with three hidden examples.

    All of these should close the whole gap, one of them a part of it, and a bare prompt none.
    """
    pool = shipped_example_set("short")

    def showing(k: int, name: str) -> Context:
        return replace(request.floor, name=name, examples=Examples(pool=pool, k=k))

    own = request.teacher
    teacher = Condition(
        f"{request.base.name} + {_HIDDEN}",
        request.base,
        showing(3, _HIDDEN),
        Sampling(temperature=1.0, max_tokens=own.sampling.max_tokens),
        own.seed,
        own.mode,
    )
    return replace(request, teacher=teacher, contexts=(showing(3, SHOWN_ALL), showing(1, SHOWN_ONE)))
