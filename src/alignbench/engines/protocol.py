"""What front ends, runner and engines say to each other: requests, events and the pool's interface.

All of these are frozen values that can be pickled; they cross the pipe between the front end and a worker process.
Engines work over token ids: the text of a request is rendered once by the front end, tokenized once by the engine,
and the ids come back with the `Started` event so that they can be stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from alignbench.spec import Kind, Mode, Model, Sampling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alignbench.models.adapter import Adapter

FinishReason = Literal["stop", "length", "cancelled", "error"]
Replay = Literal["", "in a crowd", "one by one", "alone", "no", "no seed", "unclear"]
"""What was measured of a server's seeds (engines.openai.replay); empty where nothing was."""

CHAT_PROBE = (("user", "One."), ("assistant", "Two."), ("user", "Three?"))  # (role, content)

LOAD = 0  # the key of loading a model, as a request


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a loaded model is and can do."""

    kind: Kind  # aligned if there is a chat template
    chat_template: str | None  # Jinja source
    bos: str  # text of the BOS token, empty where the model has none
    eos: str
    adds_bos: bool
    n_ctx_train: int  # longest context the model was trained for, in tokens
    n_vocab: int
    device: str
    description: str  # architecture, size and quantization, for people
    file_hash: str = ""  # SHA-256 of the weights, or the revision of a hub model; empty where it is not known
    renders_chat: bool = False  # a server that applies the chat template itself: it gets messages, not text
    chat_probe: str = ""  # CHAT_PROBE as such a server renders it; empty where it does not say
    chat_fields: str = ""  # JSON object of what such a server's chat template gets beside the messages
    no_template: str = ""  # of such a server without a chat template here: how it would give one
    lanes: int = 1  # requests of strict mode that are worked on side by side
    special_tokens: tuple[tuple[str, str], ...] = ()  # (name in templates, text), such as pad_token
    adapter_hash: str = ""  # SHA-256 of the adapter that is added to the weights; empty where there is none
    replay: Replay = ""  # of a server: what it did with a seed when the model was loaded
    arithmetic: str = ""  # library and instruction sets that compute: others draw other texts; empty where not known


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """Draw `samples` (indices) of one cell. Sample i uses seed + i and the stream key of its cell.

    Engines hold responses to `schema` as far as they can: llama.cpp by a grammar, servers by response_format where they
    have it, transformers not at all. Whoever reads a response checks it.
    """

    key: int  # names the request in events and cancellations
    context: str  # rendered text that cells with the same context share
    query: str  # the rest, up to where the response begins
    sampling: Sampling
    stops: tuple[str, ...]  # the layout's and the user's
    samples: tuple[int, ...]
    seed: int
    stream: int
    mode: Mode = "strict"
    passes: int = 0  # how often the first stop may come without ending the response
    messages: tuple[tuple[str, str], ...] = ()  # (role, content); in place of text where the model renders chat itself
    schema: str = ""  # a JSON schema, as text
    alone: bool = False  # the cell will never have another sample
    thinking_end: str = ""  # what stands between thoughts and answer where the model writes both into one text


@dataclass(frozen=True, slots=True)
class TokenStats:
    """Per token of one sample, arrays of length n_tokens.

    Attributes:
        ids: token ids
        logprob, entropy: of the raw distribution, in nats
        sampling_logprob, sampling_entropy: of the distribution that was drawn from, after temperature, truncation and
            penalties; where a schema refused the first draw, of what it allows
    """

    ids: NDArray[np.int32]
    logprob: NDArray[np.float32]
    entropy: NDArray[np.float32]
    sampling_logprob: NDArray[np.float32]
    sampling_entropy: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SampleResult:
    """One finished, cut, cancelled or broken response.

    Attributes:
        raw_text: all the generated text
        text: the same with one trailing stop removed
        n_prompt_tokens: None where a server does not say
        n_tokens: of every drawn token, the one that ended the response included; None where a server does not say how
            many of them are the answer's
        logprob: sum of the raw log-probs, nats
        seconds: wall time from the start of its generation to its end
        thinking: what the model thought before its answer, where the engine gets it apart: then texts, tokens and
            log-probs are those of the answer alone. None where there are no such thoughts
        n_thinking_tokens: of the thoughts, or, in a text that has both, up to the end of its first `thinking_end`. None
            where it is not known, or there are none
        refused: the server says that the text is a refusal
        note: what a reader should know about it, empty where there is nothing
        error: why the response broke off, of finish reason error; the texts are what had come
    """

    sample: int
    text: str
    raw_text: str
    finish_reason: FinishReason
    n_prompt_tokens: int | None
    n_tokens: int | None
    seconds: float
    logprob: float
    tokens: TokenStats
    thinking: str | None = None
    n_thinking_tokens: int | None = None
    refused: bool = False
    note: str = ""
    error: str = ""

    @property
    def n_drawn(self) -> int | None:
        """Tokens of thoughts and answer."""
        return None if self.n_tokens is None else self.n_tokens + (self.n_thinking_tokens or 0)


@dataclass(frozen=True, slots=True)
class LikelihoodRequest:
    """Log-probs of a given continuation, teacher forced; or of the tokens that a response may begin with.

    Attributes:
        top: alternatives to report for each token, 0 for none
        closings: texts that end a response here as an end token does; None where its end is not asked for
        first: in place of a continuation: the answer has no token, and one row of alternatives, as many as can be had.
            Of servers alone, which may not score what they are given
        messages: (role, content); of `first`, in place of text where the server renders chats itself
    """

    key: int
    context: str
    query: str
    continuation: str
    top: int = 5
    closings: tuple[str, ...] | None = None
    first: bool = False
    messages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """Answer to a LikelihoodRequest, for the T tokens of the continuation.

    Attributes:
        ids: (T,)
        pieces: their texts
        logprob: (T,), raw distribution at temperature 1, nats
        rank: (T,), 1 is the model's first choice
        top_ids, top_logprob: (T, top), best first
        top_pieces: their texts
        end: log-prob, nats, that the response ends after these tokens: that an end token follows, or one of the
            closings. A token that would span the border of text and closing counts too, so it may be over 0: what
            matters is its sum with the others. None where it was not asked for, or cannot be told.
    """

    key: int
    ids: NDArray[np.int32]
    pieces: tuple[str, ...]
    logprob: NDArray[np.float32]
    rank: NDArray[np.int32]
    top_ids: NDArray[np.int32]
    top_logprob: NDArray[np.float32]
    top_pieces: tuple[tuple[str, ...], ...]
    n_context_tokens: int
    end: float | None = None


@dataclass(frozen=True, slots=True)
class TokenizeRequest:
    """The tokens of rendered texts, as a prompt has them."""

    key: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tokenized:
    """Answer to a TokenizeRequest: of each text its token ids, the BOS among them where the model wants one, and the
    bytes of each token, special tokens by name."""

    key: int
    ids: tuple[tuple[int, ...], ...]
    pieces: tuple[tuple[bytes, ...], ...]


# Events. A request ends with exactly one Done or Failed; a load with exactly one Loaded or Failed.


@dataclass(frozen=True, slots=True)
class Loading:
    """Progress of loading a model, 0 to 1. stage: what is done now, in a word or two; empty where it is not said."""

    model: str
    fraction: float
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    model: str
    capabilities: Capabilities
    seconds: float


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt is in the cache. `n_cached` of its tokens were there already."""

    key: int
    prompt_ids: tuple[int, ...]
    n_cached: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Delta:
    """New text of one sample since the last one, safe to show (no half character, no half-seen stop)."""

    sample: int
    text: str
    n_tokens: int  # of the sample so far


@dataclass(frozen=True, slots=True)
class TextDeltas:
    """Deltas of a cell, coalesced to at most about 25 events a second."""

    key: int
    deltas: tuple[Delta, ...]
    n_tokens: int  # drawn since the last event


@dataclass(frozen=True, slots=True)
class Finished:
    """A sample is complete (stop, length) or cancelled."""

    key: int
    result: SampleResult


@dataclass(frozen=True, slots=True)
class Failed:
    """The request (or the load, key 0) failed; samples that had not finished get this message.

    Attributes:
        crowded: a load that there is no room for until models that are at work have ended
        broken: those of the samples that say themselves what went wrong, with what had come of them
        lost: the engine is gone with it; loading the model again starts another one
        unavailable: the server gives no answer, whatever it is asked: others would wait as long for nothing
    """

    key: int
    message: str
    crowded: bool = False
    broken: tuple[SampleResult, ...] = ()
    lost: bool = False
    unavailable: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more will come for this request."""

    key: int


More = Callable[[], Sequence[SampleRequest]]
"""Requests that have come since it was last called, of the mode and the adapter of those before; it does not wait."""

MoreLikelihoods = Callable[[], Sequence[LikelihoodRequest]]
"""As `More`, of scoring requests."""

Event = Loading | Loaded | Started | TextDeltas | Finished | Failed | Done
Sink = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Answer to an embedding request."""

    key: int
    vectors: NDArray[np.float32]  # (n, dim) float32, rows of length 1
    windows: tuple[int, ...]  # pieces each text was cut into
    model: str


@dataclass(frozen=True, slots=True)
class TokensEmbedded:
    """Answer to a request for token vectors, for each of n texts."""

    key: int
    vectors: tuple[NDArray[np.float32], ...]  # (t, dim) float32 of its t tokens
    counts: tuple[NDArray[np.bool_], ...]  # (t,), False for marks of beginning and end
    model: str
    layer: int  # of the encoder, counted from 1


@dataclass(frozen=True, slots=True)
class Entailed:
    """Answer to a request about entailment.

    Attributes:
        entails: (n,), of each pair whether its first text entails the second
        cut: pairs that are longer than the model's window
    """

    key: int
    entails: NDArray[np.bool_]
    cut: int
    model: str


class Engine(Protocol):
    """What a worker process holds: one loaded model. Called from one thread, but for `threads`."""

    threads: int  # CPU threads, may be set while a request runs
    takes_more: bool  # whether what comes while it runs is carried out with it, of any mode and context, as servers can

    def capabilities(self) -> Capabilities:
        """What the loaded model is and can do."""

    def use(self, adapter: Adapter | None) -> None:
        """Compute with the weights as an adapter changes them from now on; None for the weights themselves.

        Nothing in a cache outlasts a change. Raises InputError or EngineError where the adapter cannot be loaded.
        """

    def sample(self, requests: Sequence[SampleRequest], more: More | None = None) -> Iterator[Event]:
        """Carry out requests of one mode: for each Started, TextDeltas..., Finished a sample, then Done or Failed.

        Several come only in fast mode, all with the same context. An exception fails those that have not ended. One
        that `takes_more` asks for more while it works; the others pass it over.
        """

    def score(self, request: LikelihoodRequest) -> Scored:
        """Log-probs, ranks and alternatives of a given continuation. Raises EngineError."""

    def score_all(
        self, requests: Sequence[LikelihoodRequest], more: MoreLikelihoods | None = None
    ) -> Iterator[Scored | Failed]:
        """Answer scoring requests, each as soon as it can be.

        Several come only to one that `takes_more`, which answers them side by side, with those that come meanwhile;
        there one that fails leaves the others alone. Elsewhere it raises EngineError, also for what is `first`.
        """

    def tokens(self, request: TokenizeRequest) -> Tokenized:
        """Token ids and bytes of texts. Raises EngineError where a server keeps them to itself."""


class EmbedPool(Protocol):
    """An embedding model in a process of its own."""

    def embed(
        self, texts: tuple[str, ...], sink: Callable[[Embedded | Failed], None], prefix: str | None = None
    ) -> None:
        """Queue texts for embedding; the sink gets one answer from another thread. Never blocks.

        prefix: written before each text; None for what the model itself asks for.
        """

    def embed_tokens(self, texts: tuple[str, ...], sink: Callable[[TokensEmbedded | Failed], None]) -> None:
        """Queue texts whose tokens are to be embedded one by one; as `embed`."""

    def cancel_embedding(self, sink: Callable[[Any], None]) -> None:
        """Have the sink of a request answered soon, if with a failure. A process that hangs is ended."""


class EnginePool(Protocol):
    """Loaded models, each in a process of its own. Sinks are called from the pool's threads and must not block."""

    def load(self, model: Model, sink: Sink) -> None:
        """Load a model, or say at once that it is loaded: Loading..., then Loaded or Failed. Never blocks."""

    def capabilities(self, model: Model) -> Capabilities | None:
        """What a loaded model is and can do; None where it is not loaded."""

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        """Queue a request on a loaded model: Started, TextDeltas..., Finished a sample, then Done or Failed."""

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
        """Queue a scoring request on a loaded model; the sink gets one answer."""

    def tokenize(self, model: Model, texts: Sequence[str], sink: Callable[[Tokenized | Failed], None]) -> None:
        """Queue texts for a loaded model's tokenizer; the sink gets one answer. It waits for requests before it."""

    def cancel(self, model: Model, key: int, samples: Sequence[int] | None = None) -> None:
        """Cancel some samples of a request, or all of it. What was generated comes back as cancelled samples.

        A process that does not act on the latter is ended, and the request fails. The key LOAD: of loading the model.
        """

    def new_key(self) -> int:
        """A request key that no other request of this pool has."""

    def unload(self, model: Model) -> None:
        """End the model's process."""

    def close(self) -> None:
        """End every process."""
