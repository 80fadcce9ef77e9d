"""Log-probs of given responses under a model, token by token, kept so that each is computed once."""

from __future__ import annotations

import json
from typing import Any

from alignbench.metrics.likelihood import TokenLogprobs
from alignbench.store.base import ConnectedMixin
from alignbench.store.encoding import encode_text, now, pack_floats, pack_ids, unpack_floats, unpack_ids


class LikelihoodsMixin(ConnectedMixin):
    """Log-probs of responses under models."""

    def likelihood(
        self, model: str, prompt_hash: str, text_hash: str, closings: tuple[str, ...] | None = None
    ) -> TokenLogprobs | None:
        """The log-probs of a response under a model; None where they were never computed, or not with its end.

        Args:
            model: what decides the numbers: the hash of the weights and how they are run.
            prompt_hash: of all the text before the response, as the model saw it.
            text_hash: of the response.
            closings: texts that end it as an end token does; None where its end is not asked for.
        """
        row = self._row(
            "SELECT * FROM likelihoods WHERE model = ? AND prompt_hash = ? AND text_hash = ?",
            encode_text(model),
            prompt_hash,
            text_hash,
        )
        if row is None or (closings is not None and row["closings"] != _packed(closings)):
            return None
        end = None if closings is None else row["end_logprob"]
        return next(
            self._readable([row], lambda row: _logprobs(row, end), lambda row: f"log-probs of text {row['text_hash']}"),
            None,
        )

    def add_likelihood(
        self,
        model: str,
        prompt_hash: str,
        text_hash: str,
        tokens: TokenLogprobs,
        closings: tuple[str, ...] | None = None,
    ) -> None:
        """Keep the log-probs of a response, with that of its end where it was asked for. See `likelihood`."""
        with self._write():
            self._execute(
                """
                INSERT INTO likelihoods
                    (model, prompt_hash, text_hash, created, ids, logprob, rank, closings, end_logprob, token_ends)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (model, prompt_hash, text_hash) DO UPDATE SET created = excluded.created,
                    ids = excluded.ids, logprob = excluded.logprob, rank = excluded.rank,
                    closings = excluded.closings, end_logprob = excluded.end_logprob, token_ends = excluded.token_ends
                """,
                encode_text(model),
                prompt_hash,
                text_hash,
                now(),
                pack_ids(tokens.ids),
                pack_floats(tokens.logprob),
                pack_ids(tokens.rank),
                None if closings is None else _packed(closings),
                tokens.end,
                None if tokens.token_ends is None else pack_ids(tokens.token_ends),
            )


def _logprobs(row: dict[str, Any], end: float | None) -> TokenLogprobs:
    ids, logprob, rank = unpack_ids(row["ids"]), unpack_floats(row["logprob"]), unpack_ids(row["rank"])
    token_ends = None if row["token_ends"] is None else unpack_ids(row["token_ends"])
    if not len(ids) == len(logprob) == len(rank) or (token_ends is not None and len(token_ends) != len(ids)):
        raise ValueError("the columns are not equally long")
    return TokenLogprobs(ids, logprob, rank, end, token_ends)


def _packed(closings: tuple[str, ...]) -> str:
    return json.dumps(closings)
