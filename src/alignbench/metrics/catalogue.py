"""The scores there are, one entry each; `registry` looks them up."""

from __future__ import annotations

from alignbench.metrics.coverage import COVERAGE_THRESHOLD
from alignbench.metrics.diversity import EAD_VOCABULARY, MATTR_WINDOW
from alignbench.metrics.judged import JUDGED
from alignbench.metrics.likelihood import ORDERS
from alignbench.metrics.metric import Metric
from alignbench.metrics.semantic import CLASS_THRESHOLD
from alignbench.metrics.values import WORKBENCH

_WORDS = f"1+{WORKBENCH.version}"
_COSINE = "cosine similarity of sentence embeddings: Reimers and Gurevych 2019, arXiv 1908.10084"

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="words",
            title="words",
            meaning=(
                "Mean length of a response in words, and its standard deviation. Longer responses share more words by "
                "chance, so read the lexical scores beside it."
            ),
            scope=("within",),
            low=0.0,
            high=None,
            more_diverse="",
            source="Unicode words (UAX 29); one character is a word in scripts written without spaces",
            version=_WORDS,
            needs=("text",),
            min_samples=1,
        ),
        Metric(
            name="jaccard",
            title="lexical similarity",
            meaning=(
                "How many content words two responses share, out of all the words they use: the mean over pairs. "
                "Shown as lexical diversity, one minus it, where more is more diverse."
            ),
            scope=("within", "cross"),
            low=0.0,
            high=1.0,
            more_diverse="lower",
            source="Jaccard 1912; over responses as in Lake, Choi and Durrett 2024, arXiv 2406.17692",
            version=_WORDS,
            needs=("text",),
            min_samples=2,
        ),
        Metric(
            name="jaccard_2",
            title="lexical similarity of word pairs",
            meaning=(
                "How many pairs of neighbouring content words two responses share, out of all they use: the mean over "
                "pairs. It sees phrases where lexical similarity sees words."
            ),
            scope=("within", "cross"),
            low=0.0,
            high=1.0,
            more_diverse="lower",
            source="Jaccard 1912; Lake, Choi and Durrett 2024, arXiv 2406.17692",
            version=_WORDS,
            needs=("text",),
            min_samples=2,
        ),
        Metric(
            name="jaccard_stem",
            title="lexical similarity of stems",
            meaning=(
                "Lexical similarity after cutting English endings, so that run and running are one word. Other "
                "languages stay as they are."
            ),
            scope=("within", "cross"),
            low=0.0,
            high=1.0,
            more_diverse="lower",
            source="Porter 1980, as in NLTK; Lake, Choi and Durrett 2024, arXiv 2406.17692",
            version=_WORDS,
            needs=("text",),
            min_samples=2,
        ),
        Metric(
            name="rouge_l",
            title="ROUGE-L",
            meaning=(
                "How much of two responses is the same words in the same order, gaps allowed: F1 of the longest common "
                "subsequence, the mean over pairs."
            ),
            scope=("within", "cross"),
            low=0.0,
            high=1.0,
            more_diverse="lower",
            source="Lin 2004, W04-1013",
            version=_WORDS,
            needs=("text",),
            min_samples=2,
        ),
        Metric(
            name="self_bleu",
            title="self-BLEU",
            meaning=(
                "How far each response is made of phrases of the others: its BLEU-4 against all of them, the mean over "
                "responses. It rises as samples are added, so compare it at equal n."
            ),
            scope=("within",),
            low=0.0,
            high=1.0,
            more_diverse="lower",
            source="Zhu et al. 2018, arXiv 1802.01886; smoothing method 1 of Chen and Cherry 2014, W14-3346",
            version=_WORDS,
            needs=("text",),
            min_samples=2,
            moves_with_n=True,
        ),
        *(
            Metric(
                name=f"distinct_{order}",
                title=f"distinct-{order}",
                meaning=(
                    f"Different {what} over all {what} of the set: low where responses repeat themselves or each "
                    "other. It falls as samples are added, so compare it at equal n."
                ),
                scope=("within",),
                low=0.0,
                high=1.0,
                more_diverse="higher",
                source="Li et al. 2016, arXiv 1510.03055",
                version=_WORDS,
                needs=("text",),
                min_samples=1,
                moves_with_n=True,
            )
            for order, what in ((1, "words"), (2, "word pairs"), (3, "word triples"))
        ),
        Metric(
            name="ead_1",
            title="expectation-adjusted distinct-1",
            meaning=(
                f"Different words over the number that as many random draws from {EAD_VOCABULARY:,} words would show: "
                "distinct-1 freed of most of its dependence on length."
            ),
            scope=("within",),
            low=0.0,
            high=None,
            more_diverse="higher",
            source=f"Liu et al. 2022, arXiv 2202.13587, with V = {EAD_VOCABULARY}",
            version=_WORDS,
            needs=("text",),
            min_samples=1,
            moves_with_n=True,
        ),
        Metric(
            name="ngram_diversity",
            title="n-gram diversity",
            meaning=(
                "The sum of the shares of different n-grams for n = 1 to 4, inside responses. It falls as samples are "
                "added, so compare it at equal n."
            ),
            scope=("within",),
            low=0.0,
            high=4.0,
            more_diverse="higher",
            source="Padmakumar and He 2024, arXiv 2309.05196; Shaib et al. 2024, arXiv 2403.00553",
            version=_WORDS,
            needs=("text",),
            min_samples=1,
            moves_with_n=True,
        ),
        Metric(
            name="compression_ratio",
            title="compression ratio",
            meaning=(
                "Bytes of all responses over their bytes after gzip: high where they repeat themselves or each other. "
                "It rises as samples are added, so compare it at equal n."
            ),
            scope=("within",),
            low=0.0,
            high=None,
            more_diverse="lower",
            source="Shaib et al. 2024, arXiv 2403.00553; one gzip of the responses in order, joined by newlines",
            version="1",
            needs=("text",),
            min_samples=1,
            moves_with_n=True,
        ),
        Metric(
            name="self_repetition",
            title="self-repetition",
            meaning=(
                "How often the four-word phrases of a response stand elsewhere in the set, as the mean logarithm. It "
                "rises as samples are added, so compare it at equal n."
            ),
            scope=("within",),
            low=0.0,
            high=None,
            more_diverse="lower",
            source="Salkar et al. 2022, 2022.aacl-short.42",
            version=_WORDS,
            needs=("text",),
            min_samples=1,
            moves_with_n=True,
        ),
        Metric(
            name="vendi_ngram",
            title="Vendi score, n-grams",
            meaning=(
                "How many entirely different responses the set is worth by its words and word pairs, from 1 to the "
                "number of samples. Compare it at equal n, or divide it by n."
            ),
            scope=("within",),
            low=1.0,
            high=None,
            more_diverse="higher",
            source="Friedman and Dieng 2023, arXiv 2210.02410",
            version=_WORDS,
            needs=("text",),
            min_samples=2,
            moves_with_n=True,
        ),
        Metric(
            name="mattr",
            title="MATTR",
            meaning=(
                f"Different words over words in a window of {MATTR_WINDOW} that slides through each response: varied "
                "wording inside a response, whatever its length."
            ),
            scope=("within",),
            low=0.0,
            high=1.0,
            more_diverse="higher",
            source="Covington and McFall 2010, doi 10.1080/09296171003643098",
            version=_WORDS,
            needs=("text",),
            min_samples=1,
        ),
        Metric(
            name="embedding_diversity",
            title="embedding diversity",
            meaning=(
                "One minus the mean cosine similarity of the responses' sentence embeddings, over pairs. It sees "
                "topics rather than words, and does not see stance."
            ),
            scope=("within",),
            low=0.0,
            high=2.0,
            more_diverse="higher",
            source=_COSINE,
            version="1",
            needs=("embeddings",),
            min_samples=2,
        ),
        Metric(
            name="embedding_similarity",
            title="embedding similarity",
            meaning=(
                "Mean cosine similarity of a condition's responses to the reference's. Its ceiling is the reference "
                "against itself. It does not see stance."
            ),
            scope=("cross",),
            low=-1.0,
            high=1.0,
            more_diverse="",
            source=_COSINE,
            version="1",
            needs=("embeddings",),
            min_samples=1,
        ),
        Metric(
            name="vendi_embedding",
            title="Vendi score, embeddings",
            meaning=(
                "How many entirely different responses the set is worth by its embeddings, from 1 to the number of "
                "samples. Compare it at equal n, or divide it by n. It does not see stance."
            ),
            scope=("within",),
            low=1.0,
            high=None,
            more_diverse="higher",
            source="Friedman and Dieng 2023, arXiv 2210.02410",
            version="1",
            needs=("embeddings",),
            min_samples=2,
            moves_with_n=True,
        ),
        Metric(
            name="semantic_classes",
            title="distinct answers",
            meaning=(
                "How many different answers there are: a sample joins the first one whose embedding has a cosine of "
                f"{CLASS_THRESHOLD} or more with its own. Compare it at equal n. It does not see stance."
            ),
            scope=("within",),
            low=1.0,
            high=None,
            more_diverse="higher",
            source="distinct-k of NoveltyBench: Zhang et al. 2025, arXiv 2504.05228",
            version="1",
            needs=("embeddings",),
            min_samples=1,
            moves_with_n=True,
        ),
        Metric(
            name="coverage",
            title="coverage",
            meaning=(
                "Share of a condition's sentences that one response of the reference says too, by a cosine of "
                f"{COVERAGE_THRESHOLD} or more. It is not symmetric, and does not see stance."
            ),
            scope=("cross",),
            low=0.0,
            high=1.0,
            more_diverse="",
            source="after Lake, Choi and Durrett 2024, arXiv 2406.17692",
            version="1",
            needs=("text", "sentence embeddings"),
            min_samples=1,
            live=False,
        ),
        Metric(
            name="bertscore_f1",
            title="BERTScore",
            meaning=(
                "How well the tokens of two responses match one by one in an encoder's view, as F1: the mean over "
                "pairs. It sees paraphrase; its numbers depend on the encoder and its layer."
            ),
            scope=("within", "cross"),
            low=-1.0,
            high=1.0,
            more_diverse="lower",
            source="Zhang et al. 2020, arXiv 1904.09675; no idf, no rescaling",
            version="1",
            needs=("text", "token vectors"),
            min_samples=2,
            live=False,
        ),
        Metric(
            name="surprisal",
            title="surprisal",
            meaning=(
                "Mean bits of a token under the model that wrote it. Equal temperatures are not equal entropies: read "
                "it beside every diversity."
            ),
            scope=("within",),
            low=0.0,
            high=None,
            more_diverse="higher",
            source="-log2 p(token), stored at sampling",
            version="1",
            needs=("log-probs",),
            min_samples=1,
            live=False,
        ),
        Metric(
            name="response_logprob",
            title="response likelihood",
            meaning=(
                "How likely a base model without a context finds the responses: mean log-prob of a token, in nats, and "
                "of a byte. Two base models compare in bytes only."
            ),
            scope=("within",),
            low=None,
            high=0.0,
            more_diverse="",
            source="teacher forcing in the zero-shot layout; the mean over responses",
            version="1",
            needs=("text", "base model"),
            min_samples=1,
            live=False,
        ),
        Metric(
            name="progressive_surprise",
            title="progressive surprise",
            meaning=(
                "Bits per byte of a response once the base model has read the others, times how coherent each is "
                "alone: what is still new, noise left out."
            ),
            scope=("within",),
            low=0.0,
            high=None,
            more_diverse="higher",
            source=f"Williams-King, Khoriaty and Feng 2026, arXiv 2606.01811; the mean over {ORDERS} seeded orders",
            version="1",
            needs=("text", "base model"),
            min_samples=2,
            live=False,
            moves_with_n=True,
        ),
        Metric(
            name="alignment_gap",
            title="alignment gap",
            meaning=(
                "How many bits a byte the reference's responses cost more under a condition's model and context than "
                "under their own: 0 where nothing is left to align. Its recovery is the share of the floor's gap that "
                "is closed."
            ),
            scope=("cross",),
            low=None,
            high=None,
            more_diverse="",
            source=(
                "log-likelihood ratio: estimates KL(reference || condition) with one tokenizer and a reference drawn "
                "at temperature 1, else a difference of cross-entropies; token shares of Lin et al. 2023, "
                "arXiv 2312.01552"
            ),
            version="1",
            needs=("text", "both models"),
            min_samples=1,
            live=False,
            is_distance=True,
        ),
        *JUDGED,
    )
}
