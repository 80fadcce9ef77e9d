"""Server-sent events, as a server writes them and as they are cut on their way."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from alignbench.engines.openai.event_stream import server_sent


@given(st.lists(st.binary(min_size=1, max_size=4)), st.data())
def test_server_sent_events_do_not_depend_on_the_chunks(parts: list[bytes], data: st.DataObject) -> None:
    raw = b"".join(b"data: " + part.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n" for part in parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=8)))

    async def read(chunks: list[bytes]) -> list[str]:
        async def given() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        return [text async for text in server_sent(given())]

    pieces = [raw[a:b] for a, b in itertools.pairwise([0, *cuts, len(raw)])]
    assert asyncio.run(read(pieces)) == asyncio.run(read([raw]))
    assert len(asyncio.run(read([raw]))) == len(parts)
