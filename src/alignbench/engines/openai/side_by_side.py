"""Scoring requests that are in flight at once, as many as a server is asked at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai.server_error import ServerError
from alignbench.engines.protocol import Failed, LikelihoodRequest, MoreLikelihoods, Scored
from alignbench.errors import EngineError

TICK_SECONDS = 0.04  # between two looks at what has come and what was cancelled


async def side_by_side(
    ask: Callable[[LikelihoodRequest], Awaitable[Scored]],
    requests: Sequence[LikelihoodRequest],
    more: MoreLikelihoods,
    width: int,
    cancel: Cancellation,
) -> AsyncGenerator[Scored | Failed, None]:
    """The answers to requests and to those that come meanwhile, each as soon as it is there.

    Args:
        ask: answers one of them. Raises EngineError
        requests: to begin with
        more: those that have come since
        width: how many are asked at once
        cancel: which were cancelled
    """
    slots = asyncio.Semaphore(width)

    async def answer(request: LikelihoodRequest) -> Scored | Failed:
        async with slots:
            try:
                return await ask(request)
            except EngineError as error:
                return Failed(request.key, str(error), unavailable=isinstance(error, ServerError) and error.is_general)

    running: dict[int, asyncio.Task[Scored | Failed]] = {}
    new = requests
    try:
        while running or new:
            running |= {request.key: asyncio.create_task(answer(request)) for request in new}
            await asyncio.wait(running.values(), timeout=TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for key, task in list(running.items()):
                cancelled = cancel.whole(key)
                if cancelled:
                    task.cancel()
                    await asyncio.wait([task])
                if task.done():
                    del running[key]
                    yield Failed(key, "The scoring was cancelled.") if cancelled else task.result()
            new = more()
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
