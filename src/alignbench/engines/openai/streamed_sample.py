"""A sample while a server generates it: its text and thoughts, its tokens, and how it ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from alignbench.engines.openai.choices import Piece, Token, Usage, tokens_of_end
from alignbench.engines.openai.finish_reasons import REFUSED, Ending, ending_of
from alignbench.engines.openai.joined_text import JoinedText
from alignbench.engines.openai.server_error import excerpt
from alignbench.engines.protocol import FinishReason, SampleRequest, SampleResult, TokenStats
from alignbench.engines.text_stream import TextStream

_MOST_REMARKS = 3  # in the note of a sample
_MOST_PIECES = 16  # for each token that was asked for; some servers send a piece a character
_SILENT = 2  # tokens that may come without text: the one between thoughts and answer, and the last


@dataclass(slots=True)
class _Tokens:
    """Of a stretch of a response, as the log-probs have them. chunks: pieces of text that came."""

    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    chunks: int = 0

    def __len__(self) -> int:
        return len(self.ids) or self.chunks

    def add(self, tokens: tuple[Token, ...], text: str) -> None:
        self.ids += [token.id for token in tokens]
        self.logprobs += [token.logprob for token in tokens]
        self.chunks += bool(text)


class StreamedSample:
    """One sample. `reason` is set when nothing more will come for it, and `failure` too where it failed."""

    def __init__(self, sample: int, request: SampleRequest) -> None:
        self.sample = sample
        self.reason: FinishReason | None = None
        self.failure = ""
        self._request = request
        self._given = ""  # what was shown of this sample, by any attempt
        self._before: SampleResult | None = None  # what an attempt that broke off has brought
        self._begin()

    def restart(self) -> None:
        """Begin anew. What was shown of an attempt that broke off is not shown again; its text is kept until then."""
        if self.stream.raw_text or self.thinking.begun:
            self._before = self._result("error")
        self._begin()

    def _begin(self) -> None:
        self.stream = TextStream(self._request.stops, self._request.passes, self._request.thinking_end)
        self.thinking = JoinedText()
        self.ending: Ending | None = None  # what the server says; more may follow, such as the token counts
        self.begun = False
        self._text = JoinedText()
        self._remarks: dict[str, None] = {}
        self._refused = False
        self._usage = Usage()
        self._thoughts, self._answer = _Tokens(), _Tokens()
        self._mixed = False  # whether log-probs came of which it is not known whether they are of thoughts
        self._n_before_answer: int | None = None  # tokens up to the end of thoughts that are in the text itself
        self._started = self._ended = time.perf_counter()

    @property
    def finish(self) -> FinishReason | None:
        """How it ended, None where that is not known yet, or it has failed."""
        return self.ending.reason if self.ending else None

    @property
    def has_logprobs(self) -> bool:
        return bool(self._thoughts.ids or self._answer.ids)

    @property
    def n_tokens(self) -> int:
        """That have come so far, of thoughts and answer."""
        return len(self._thoughts) + len(self._answer)

    @property
    def overrun(self) -> bool:
        """Whether far more has come than was asked for."""
        return self.n_tokens > _MOST_PIECES * (self._request.sampling.max_tokens + _MOST_PIECES)

    @property
    def is_over(self) -> bool:
        """Whether nothing that comes would still count."""
        return self.reason is not None or self.stream.stopped or self.overrun

    def take(self, piece: Piece) -> str:
        """Take a piece of the server's answer in; the new text that may be shown."""
        self.begun = True
        self.remark(*piece.remarks)
        thought = self.thinking.add(piece.thinking, whole=piece.whole)
        text = self._text.add(piece.text, whole=piece.whole)
        self._refused |= piece.refusal
        was_marked = self.stream.marked
        self.stream.feed(text.encode("utf-8"))
        self._take_tokens(piece.tokens, thought, text)
        if self.stream.marked and not was_marked:
            self._n_before_answer = self._tokens_before_answer(piece.tokens)
        failed = self.ending is not None and self.ending.reason is None
        if piece.failure and not failed:
            words = excerpt(piece.failure.words) or "without words"
            self.ending = Ending(None, f"The server failed while it generated: {words}", piece.failure.may_pass)
        elif not failed and (ending := ending_of(piece.finish)):
            self.ending = self._end_of_refusal(piece.finish) or ending
        if self.stream.stopped and not failed:
            self.ending = Ending("stop")
        elif self.overrun:
            self.ending = Ending("length")
            self.remark("The server went on beyond max_tokens.")
        return self._unseen()

    def _end_of_refusal(self, word: str) -> Ending | None:
        """Some servers end a refusal with that word, and cut answers with it too."""
        if word.strip().lower() != REFUSED:
            return None
        complete = self._refused or not self.stream.raw_text.strip()
        self._refused = True
        return Ending("stop") if complete else None

    def _take_tokens(self, tokens: tuple[Token, ...], thought: str, text: str) -> None:
        if thought and text:
            n = tokens_of_end(tokens, text.strip()) if tokens else 0
            self._mixed |= n is None
            place = len(tokens) - (n or 0)
            self._thoughts.add(tokens[:place], thought)
            self._answer.add(tokens[place:], text)
        elif thought or (self.thinking.begun and not text and not self._answer):
            self._thoughts.add(tokens, thought)
        else:
            self._answer.add(tokens, text)

    def _tokens_before_answer(self, tokens: tuple[Token, ...]) -> int | None:
        """How many tokens have come up to the end of thoughts that are in the text. tokens: of the last piece."""
        answer = self.stream.raw_text.partition(self._request.thinking_end)[2].strip()
        n = tokens_of_end(tokens, answer) if answer and tokens else int(bool(answer))
        return None if n is None else max(0, len(self._answer) - n)

    def take_usage(self, usage: Usage, *, alone: bool) -> None:
        """Token counts. alone: those of the completion are of this sample; else of all that were asked for with it."""
        self.remark(*usage.remarks)
        before = self._usage
        self._usage = Usage(
            usage.prompt or before.prompt,
            (usage.completion or before.completion) if alone else None,
            (usage.thinking or before.thinking) if alone else None,
        )

    def remark(self, *remarks: str) -> None:
        """Something that a reader of the sample should know."""
        self._remarks |= dict.fromkeys(remarks)

    def end_of_stream(self) -> None:
        """The server says that this is all; a text of which it has not said how it ended is taken for a whole one."""
        if self.ending is not None or not self.stream.raw_text.strip():
            return
        n = max(self.n_tokens, self._usage.completion or 0)
        cut = n >= self._request.sampling.max_tokens
        self.ending = Ending("length" if cut else "stop")
        self.remark(
            f"The server gave no finish_reason; {f'{n} tokens came, so it was cut' if cut else 'taken for stop'}."
        )

    def end(self, reason: FinishReason) -> str:
        """Nothing more will come; the rest of the text."""
        self.reason = reason
        self._ended = time.perf_counter()
        self.stream.feed(self._text.finish().encode("utf-8"))
        self.thinking.finish()
        self.stream.finish()
        return self._unseen()

    def fail(self, message: str) -> None:
        """It has failed for good."""
        self.end("error")
        self.failure = message

    def _unseen(self) -> str:
        """Text that was not shown yet; none while a new attempt has not come up to what an earlier one showed."""
        now = self.stream.text
        if not now.startswith(self._given):
            return ""
        unseen = now[len(self._given) :]
        self._given = now
        return unseen

    def result(self) -> SampleResult:
        """The sample as it ended; one that failed or was cancelled has the text that came last, by whatever attempt."""
        assert self.reason is not None
        result = self._result(self.reason)
        if self.reason in ("error", "cancelled") and self._before and not (result.raw_text or result.thinking):
            result = self._before
        return replace(result, finish_reason=self.reason, error=self.failure)

    def _result(self, reason: FinishReason) -> SampleResult:
        n, n_thinking = self._counts()
        known = bool(self._answer.ids) and not self._mixed
        logprob = np.array(self._answer.logprobs if known else [np.nan] * (n or 0), np.float32)
        unknown = np.full(len(logprob), np.nan, np.float32)
        if infinite := int(np.isinf(logprob).sum()):
            self.remark(f"{infinite} of {len(logprob)} log-probs are -Infinity, and so is their sum.")
        return SampleResult(
            sample=self.sample,
            text=self.stream.text,
            raw_text=self.stream.raw_text,
            finish_reason=reason,
            n_prompt_tokens=self._usage.prompt,
            n_tokens=n,
            seconds=self._ended - self._started,
            logprob=float(logprob.sum(dtype=np.float64)) if len(logprob) else float("nan"),
            tokens=TokenStats(
                np.array(self._answer.ids if known else [-1] * len(logprob), np.int32), logprob, *[unknown] * 3
            ),
            thinking=self.thinking.text.strip() or None,
            n_thinking_tokens=n_thinking,
            refused=self._refused,
            note=" ".join([*self._remarks][:_MOST_REMARKS]),
        )

    def _counts(self) -> tuple[int | None, int | None]:
        """Tokens of the answer and of the thoughts: as the log-probs count them, else as the server does, else the
        pieces of text that came. None for what is not known."""
        total, of_thoughts = self._usage.completion, self._usage.thinking
        thoughts, answer = len(self._thoughts), len(self._answer)
        pieces_are_tokens = total is None or abs(total - thoughts - answer) <= _SILENT
        if not self.thinking.begun:
            n_before = self._n_before_answer
            if self.has_logprobs or not total:
                return answer, n_before
            if self.stream.marked and of_thoughts:
                n_before = of_thoughts
            return total, n_before if pieces_are_tokens or n_before == of_thoughts else None
        if self.has_logprobs and not self._mixed:
            return answer, thoughts
        if total is not None and of_thoughts is not None:  # in some counts thoughts are no part of the completion
            return (total - of_thoughts if of_thoughts <= total else total), of_thoughts
        return (answer, thoughts) if pieces_are_tokens and not self._mixed else (None, None)
