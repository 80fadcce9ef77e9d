"""Words as the paper counts them: NLTK's tokens, case kept, its English stop words and all-punctuation tokens out.

This mode gives the numbers of Lake, Choi and Durrett 2024 (arXiv 2406.17692). NLTK and two pieces of its data, Punkt's
parameters for English and the English stop list of 179 words, are loaded when the mode is first asked for.
"""

from __future__ import annotations

import string
from functools import cache

from alignbench.errors import AlignbenchError
from alignbench.metrics.values import WordMode

_PUNCTUATION = frozenset(string.punctuation)


@cache
def paper_mode() -> WordMode:
    """The mode; AlignbenchError where NLTK or its data is not there."""
    try:
        from nltk.corpus import stopwords
        from nltk.tokenize import word_tokenize
    except ImportError:
        raise AlignbenchError(
            "Paper mode counts words with NLTK, which is not installed; pip install 'alignbench[scores]'."
        ) from None
    try:
        stop_words = frozenset(stopwords.words("english"))
        word_tokenize("Is the data there?")
    except LookupError:
        raise AlignbenchError(
            "Paper mode needs NLTK's data 'punkt_tab' and 'stopwords': python -m nltk.downloader punkt_tab stopwords, "
            "or set NLTK_DATA to the folder that has them."
        ) from None

    # The paper's list has 179 words; newer releases of NLTK's data have more, and so another version.
    return WordMode("paper", f"nltk{len(stop_words)}", _words, stop_words, scores_empty=True)


def _words(text: str) -> tuple[str, ...]:
    from nltk.tokenize import word_tokenize

    return tuple([token for token in word_tokenize(text) if not _PUNCTUATION.issuperset(token)])
