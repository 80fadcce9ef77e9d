"""Whether a server gives the same text for the same seed: measured on a few short draws, since no server promises it.

One seed is drawn twice alone and, where several requests are sent at once, once more in a crowd of others, since larger
batches may round differently. Other seeds are the control: where they bring the same text too, nothing can be told.
What was equal for some tokens need not be for hundreds: it is a measurement, and no promise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from alignbench.engines.protocol import Replay, SampleRequest
from alignbench.models.reference import is_served
from alignbench.spec import Sampling

TOKENS = 12  # of a draw
SECONDS = 20.0  # for all of it
TEMPERATURE = 1.5  # at which seeds part early, also those of a model that is sure of itself

QUERY = "Write whatever comes to mind:"
_OTHER_QUERY = "Here is a list of things that were found on a beach after a storm in the north, one after the other:"
_SEED, _OTHERS = 11, (12, 13)

Draw = Callable[[str, int], Awaitable[str]]

WORDS: Final[Mapping[Replay, str]] = {
    "": "not measured",
    "in a crowd": f"a seed gave the same {TOKENS} tokens alone and among other requests",
    "one by one": f"a seed gave the same {TOKENS} tokens twice, one request at a time",
    "alone": f"a seed gave the same {TOKENS} tokens alone, and others among other requests",
    "no": "a seed gave two texts",
    "no seed": "the server takes no seed",
    "unclear": "every seed gave the same text, so nothing can be told",
}
"""What was measured, for people."""


def probe(query: str, *, chat: bool) -> SampleRequest:
    """The request that is drawn."""
    sampling = Sampling(temperature=TEMPERATURE, max_tokens=TOKENS)
    messages = (("user", query),) if chat else ()
    return SampleRequest(0, "", query, sampling, (), (0,), seed=0, stream=1, messages=messages)


async def measured(draw: Draw, width: int, takes_seed: Callable[[], bool]) -> Replay:
    """What a server does with a seed.

    Args:
        draw: gives the text of a query and a seed
        width: requests that are sent at once
        takes_seed: whether the server has not refused the seeds of the draws so far
    """
    first, again = await draw(QUERY, _SEED), await draw(QUERY, _SEED)
    if not takes_seed():
        return "no seed"
    if first != again:
        return "no"
    if width < 2:
        other = await draw(QUERY, _OTHERS[0])
        return "unclear" if other == first else "one by one"
    wanted = ((QUERY, _OTHERS[0]), (QUERY, _SEED), (QUERY, _OTHERS[1]), (_OTHER_QUERY, _OTHERS[0]))
    one, crowded, two, _ = await asyncio.gather(*(draw(query, seed) for query, seed in wanted))
    if crowded != first:
        return "alone"
    return "unclear" if first in (one, two) else "in a crowd"


def replay_words(reference: str, facts: Mapping[str, object]) -> str:
    """What a session knows of a model's replay, in words; empty for a model that is behind no server.

    facts: those of the model in the manifest's `loaded`.
    """
    if not is_served(reference):
        return ""
    known = facts.get("replay", "")
    return next((words for replay, words in WORDS.items() if replay == known), WORDS[""])
