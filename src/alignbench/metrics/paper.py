"""Words as the paper counts them: NLTK's tokens, case kept, its English stop words and all-punctuation tokens out.

This mode gives the numbers of Lake, Choi and Durrett 2024 (arXiv 2406.17692). NLTK and two pieces of its data, Punkt's
parameters for English and the English stop list of 179 words, are loaded when the mode is first asked for.
"""

from __future__ import annotations

import string
import sys
from functools import cache, lru_cache

from alignbench.errors import AlignbenchError
from alignbench.extras import needed
from alignbench.metrics.values import WordMode

_PUNCTUATION = frozenset(string.punctuation)


@cache
def paper_mode() -> WordMode:
    """The mode; AlignbenchError where NLTK or its data is not there."""
    with needed("Paper mode counts words with", "scores"):
        from nltk.corpus import stopwords
        from nltk.tokenize import word_tokenize
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
    """NLTK's words of a text are those of its sentences, and most sentences come again: in parts of a text, too."""
    from nltk.tokenize import sent_tokenize

    return tuple([word for sentence in sent_tokenize(text) for word in _of_sentence(sentence)])


@lru_cache(maxsize=20_000)
def _of_sentence(sentence: str) -> tuple[str, ...]:
    from nltk.tokenize import word_tokenize

    tokens = word_tokenize(sentence, preserve_line=True)
    return tuple([sys.intern(token) for token in tokens if not _PUNCTUATION.issuperset(token)])
