"""What words of the field mean that screens use without explaining them, a line for each.

Scores say themselves what they are: F7 shows it below the table.
"""

from __future__ import annotations

import re
from functools import cache

GLOSSARY: dict[str, str] = {
    "account": "The ledger's table: bits per response that each piece of the context costs to say, and saves.",
    "aligned": "A model after instruction tuning and learning from preferences; a base model is one before that.",
    "base": "A model as pretraining leaves it: it continues text, and follows no instructions by itself.",
    "bits": "Information, log2 of 1 / probability: a token of 1 bit had probability 1/2.",
    "ceiling": "The reference against itself, different samples of it: no column can be asked to come closer.",
    "confound": "A difference between two columns that nobody studies, and that may explain what the scores show.",
    "contested": "A prompt to which reasonable people give different answers, so that a stance can be told.",
    "coverage": "The share of sentences that another response says too, by a cosine of 0.6 or more.",
    "covered": "Said by the reference too: a sentence with a cosine of 0.6 or more to one of its sentences.",
    "cut": "A sample that ended at its limit on tokens, not by itself.",
    "entropy": "How open a model's choice of a token is, on average over tokens, in bits; 0 where it is certain.",
    "examples": "Prompts with responses that stand before the query: in-context learning, no training.",
    "fast": "Sampling in batches as they come: quicker than strict, and not repeatable to the token.",
    "floor": "The base model without a context against the reference: where recovery begins.",
    "frontier": "The points that no other one beats in both: diversity against quality, or against similarity.",
    "gap": "Ceiling minus floor: what alignment moved. Where its interval holds 0 there is nothing to recover.",
    "held out": "Compared only with samples of the reference that the context does not tell of.",
    "hint": "What a context gives away of one sample of the reference, from keywords to a summary.",
    "interval": "95%, over prompts: bootstrap from 20 on, Student's t below; of one prompt, jackknife over samples.",
    "jaccard": "Words that two texts share, of all words of both; 0 none, 1 all.",
    "leakage": "What a hint saves on the very sample it was made from, beyond what it saves on held-out ones.",
    "marginal": "A token that is the base model's second or third choice.",
    "matched": "At matched length: texts cut to the same number of words before they are compared.",
    "mmr": "Maximal marginal relevance: examples near the query but not one another.",
    "near duplicate": "An example this similar to the query, 0 to 1, or more; left out, as it gives the answer away.",
    "overflow": "What to do where a prompt does not fit the model's window: drop examples, or refuse it.",
    "overton": "Overton pluralism: one response that holds the whole range of reasonable answers.",
    "quality gate": "Only responses that a judge grades at least this good count.",
    "recovery": "(similarity - floor) / (ceiling - floor): how much of what alignment moved the column brings back.",
    "reference": "The column marked *: all others are compared with it, most often an aligned model.",
    "refusal": "A response that declines to answer.",
    "seed": "Where random numbers begin: sample 1 uses it, sample 2 the next, so that each can be drawn again.",
    "shifted": "A token that is not among the base model's first three choices.",
    "source": "The sample of the reference that a hint is made of.",
    "stance": "The side that a response takes on a contested prompt, as a judge reads it.",
    "strict": "Sampling that replays: the same seed gives the same tokens again. Servers promise it in no mode.",
    "teacher": "The condition whose responses are the measure: the ledger reads them under the other columns.",
    "template": "The text that stands around each turn of a prompt; a chat model expects its own.",
    "token shift": "The rank of each token under a base model: which of them alignment changed.",
    "top k": "Only the k most probable tokens are drawn from.",
    "top p": "Nucleus sampling: only the most probable tokens, up to this sum of probabilities, are drawn from.",
    "under study": "What two columns are meant to differ in: model, context or sampling.",
    "unshifted": "A token that is the base model's first choice too.",
    "verbalized": "Verbalized sampling: one reply lists several answers, each with its probability as the model says.",
}


@cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(GLOSSARY, key=len, reverse=True)
    words = "|".join(re.escape(word).replace("\\ ", r"[\s_-]+") for word in longest_first)
    return re.compile(rf"(?<![\w-])({words})s?(?!\w)", re.IGNORECASE)


def words_in(text: str) -> list[str]:
    """The words of the glossary that a text uses, in the order of the alphabet."""
    found = {re.sub(r"[\s_-]+", " ", match[1].lower()) for match in _pattern().finditer(text)}
    return sorted(GLOSSARY.keys() & found)
