"""The probability of each option from the first token of a response alone, where a server gives no more than that.

An option is counted where the response begins with its letter, as a token that is the letter, perhaps with a space
before it. That is exact where the letters of all options are among the alternatives that the server lists.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from alignbench.answer_options import LETTERS, AnswerOptions

ALTERNATIVES = 20  # to ask for: as many as OpenAI gives

_SPACES = " \u2581\u0120"  # as texts, and as tokenizers of SentencePiece and of bytes write them


def first_token_masses(
    answers: AnswerOptions, alternatives: Sequence[tuple[str, float]]
) -> tuple[tuple[float, ...], float]:
    """Probability of each option, in the given order, and what is left. ValueError names a letter that is not listed.

    answers: of the prompt, in the order that it shows. alternatives: texts of tokens and their log-probs, nats.
    """
    masses = [0.0] * len(answers.options)
    for letter, place in zip(LETTERS, answers.shown, strict=False):
        listed = [logprob for token, logprob in alternatives if _stands_for(token, letter)]
        if not listed:
            raise ValueError(f"the letter {letter} is not among the {len(alternatives)} likeliest first tokens")
        masses[place] = math.fsum(map(math.exp, listed))
    return tuple(masses), max(0.0, 1.0 - math.fsum(masses))


def _stands_for(token: str, letter: str) -> bool:
    return token == letter or (token[:1] in _SPACES and token[1:] == letter)
