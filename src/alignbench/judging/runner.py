"""Ask a judge what is missing and store each judgment as it comes.

Iterating over a `JudgeRun` does the work in the caller's thread, which owns the store; the judge works in a process of
its own. Judges are greedy and their requests run together (fast mode): a judgment is a measurement that is kept, not
one that is replayed.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from alignbench.contexts.rendering import Rendered, render
from alignbench.engines.protocol import (
    LOAD,
    Capabilities,
    Done,
    EnginePool,
    Event,
    Failed,
    Finished,
    Loaded,
    Loading,
    SampleRequest,
    SampleResult,
)
from alignbench.errors import AlignbenchError, EngineError
from alignbench.judging.plan import JudgeItem, JudgePlan
from alignbench.judging.replies import ParsedReply, read_reply
from alignbench.metrics.words import is_empty
from alignbench.spec import Prompt, Sampling, default_context, stream_key
from alignbench.store import Judgment, Store

ATTEMPTS = 3  # replies to one item until one can be read
LOOKAHEAD = 64  # requests the judge has at once
RETRY_TEMPERATURE = 0.7  # a greedy judge would only repeat itself

_EMPTY = "the response is empty"


@dataclass(frozen=True, slots=True)
class JudgeLoading:
    fraction: float


@dataclass(frozen=True, slots=True)
class JudgeLoaded:
    capabilities: Capabilities
    seconds: float


@dataclass(frozen=True, slots=True)
class Judged:
    """The judgment is stored.

    Attributes:
        asked: how many replies it took; 0 where there was nothing to ask
        note: what a reader should know about the reply, empty where there is nothing
    """

    item: JudgeItem
    judgment: Judgment
    asked: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class JudgeFailed:
    """The judge could not be asked; nothing is stored, and the next run tries again."""

    item: JudgeItem
    message: str


JudgeEvent = JudgeLoading | JudgeLoaded | Judged | JudgeFailed


@dataclass(frozen=True, slots=True)
class _RunningRequest:
    """A request that runs."""

    item: JudgeItem
    request: SampleRequest
    attempt: int = 1


class JudgeRun:
    """One pass over a plan. Iterate over it once; `cancel` may be called from any thread meanwhile.

    Raises EngineError where the judge cannot be loaded.

    Attributes:
        total: Items so far, those that judgments led to included.
    """

    def __init__(self, plan: JudgePlan, pool: EnginePool, store: Store) -> None:
        self.plan = plan
        self._pool = pool
        self._store = store
        self._inbox: queue.Queue[Event | None] = queue.Queue()
        self._waiting = deque(plan.items)
        self.total = len(plan.items)
        self._running: dict[int, _RunningRequest] = {}  # by request key
        self._lock = threading.Lock()
        self._cancelled = False
        self._prompts = {prompt.id: prompt for prompt in store.prompts(plan.session)}

    def cancel(self) -> None:
        """Stop asking; judgments that are stored stay."""
        with self._lock:
            self._cancelled = True
            keys = list(self._running)
        if self._pool.capabilities(self.plan.judge) is None:
            self._pool.cancel(self.plan.judge, LOAD)
        for key in keys:
            self._pool.cancel(self.plan.judge, key)
        self._inbox.put(None)

    def __iter__(self) -> Iterator[JudgeEvent]:
        if not self._waiting:
            return
        self._load()
        loaded = False
        while not self._stopped() and (self._waiting or self._running):
            match self._inbox.get():
                case Loading(fraction=fraction):
                    yield JudgeLoading(fraction)
                case Loaded() as event:
                    if not loaded:
                        yield JudgeLoaded(event.capabilities, event.seconds)
                    loaded = True
                    yield from self._ask_more()
                case Failed(key=0, message=message):
                    raise EngineError(message)
                case Finished() as event:
                    yield from self._take(event)
                case Failed() as event:
                    if running := self._end(event.key):
                        yield JudgeFailed(running.item, event.message)
                    # The worker may be gone: loading again answers at once if it is not.
                    self._load()
                case Done():
                    yield from self._ask_more()

    def _load(self) -> None:
        with self._lock:
            cancelled = self._cancelled
        if not cancelled:
            self._pool.load(self.plan.judge, self._inbox.put)

    def _stopped(self) -> bool:
        """Cancelled, and what ran has come to its end."""
        with self._lock:
            return self._cancelled and not self._running

    def _end(self, key: int) -> _RunningRequest | None:
        """Forget a request that has ended; None where its reply was taken before."""
        with self._lock:
            return self._running.pop(key, None)

    def _ask_more(self) -> Iterator[JudgeEvent]:
        capabilities = self._pool.capabilities(self.plan.judge)
        if capabilities is None:  # the worker died since it was loaded
            self._load()
            return
        while self._waiting and len(self._running) < LOOKAHEAD and not self._cancelled:
            item = self._waiting.popleft()
            texts = self._texts(item)
            if any(is_empty(text) for text in texts[1:]):
                yield self._store_judgment(item, ParsedReply("na", {}, _EMPTY), "", 0)
                continue
            try:
                request = self._request(item, texts, capabilities)
            except AlignbenchError as error:
                yield JudgeFailed(item, str(error))
                continue
            self._send(_RunningRequest(item, request))

    def _texts(self, item: JudgeItem) -> tuple[str, ...]:
        """The question, with the messages before it, and the responses: in a pair the reference's first."""
        judged = self._store.sample(item.sample_id)
        prompt = self._prompts.get(item.prompt_id)
        question = judged.prompt if prompt is None else prompt.shown
        if item.members:
            return question, *(self._store.sample(member).text for member in item.members)
        if item.reference_sample_id is None:
            return question, judged.text
        return question, self._store.sample(item.reference_sample_id).text, judged.text

    def _request(self, item: JudgeItem, texts: Sequence[str], capabilities: Capabilities) -> SampleRequest:
        template = self.plan.template
        asked = template.ask(
            texts[0], texts[1:], flipped=item.flipped, constraints=item.constraints, options=item.options
        )
        prompt = Prompt.typed(asked)
        rendered = _shared(render(prompt, default_context(self.plan.judge), capabilities), template.instructions)
        return SampleRequest(
            key=self._pool.new_key(),
            context=rendered.context,
            query=rendered.query,
            sampling=Sampling(temperature=0.0, max_tokens=template.max_tokens),
            stops=rendered.stops,
            samples=(0,),
            seed=0,
            stream=stream_key(prompt.hash, template.hash),
            mode="fast",
            messages=rendered.messages,
            schema=template.schema_of(len(item.options or item.constraints) or len(texts) - 1),
        )

    def _send(self, running: _RunningRequest) -> None:
        with self._lock:
            if self._cancelled:
                return
            self._running[running.request.key] = running
        self._pool.sample(self.plan.judge, running.request, self._inbox.put)

    def _take(self, event: Finished) -> Iterator[JudgeEvent]:
        running, result = self._end(event.key), event.result
        if running is None or result.finish_reason == "cancelled":
            return
        parsed = self._read(running.item, result)
        if parsed.status == "invalid" and running.attempt < ATTEMPTS:
            request = replace(
                running.request,
                key=self._pool.new_key(),
                sampling=replace(running.request.sampling, temperature=RETRY_TEMPERATURE),
                seed=running.attempt,
            )
            self._send(_RunningRequest(running.item, request, running.attempt + 1))
        else:
            yield self._store_judgment(running.item, parsed, result.raw_text, running.attempt, result.note)

    def _read(self, item: JudgeItem, result: SampleResult) -> ParsedReply:
        parsed = read_reply(
            self.plan.template,
            result.raw_text,
            flipped=item.flipped,
            n=len(item.constraints or item.members),
            options=item.options,
        )
        if parsed.status == "invalid" and result.finish_reason == "length":
            return replace(parsed, reason=f"cut at {result.n_drawn} tokens: {parsed.reason}")
        return parsed

    def _store_judgment(
        self, item: JudgeItem, parsed: ParsedReply, reply: str, n_replies: int, note: str = ""
    ) -> Judged:
        judgment = Judgment(
            kind=self.plan.template.kind,
            judge=self.plan.judge.reference,
            template_hash=self.plan.template.hash,
            sample_id=item.sample_id,
            reference_sample_id=item.reference_sample_id,
            status=parsed.status,
            fields=parsed.fields,
            reason=parsed.reason,
            reply=reply,
            flipped=item.flipped,
        )
        self._store.add_judgments(self.plan.session, [judgment])
        following = self.plan.after(item, judgment)
        self._waiting.extend(following)
        self.total += len(following)
        return Judged(item, judgment, n_replies, note)


def _shared(rendered: Rendered, instructions: str) -> Rendered:
    """The instructions, which are the same for all items, as part of the context: the judge reads them once."""
    if not rendered.query.startswith(instructions):
        return rendered
    return replace(rendered, context=rendered.context + instructions, query=rendered.query.removeprefix(instructions))
