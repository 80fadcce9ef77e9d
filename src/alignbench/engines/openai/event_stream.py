"""Server-sent events: from bytes that may be cut anywhere to the data of events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable


async def server_sent(chunks: AsyncIterable[bytes]) -> AsyncGenerator[str, None]:
    """The data of server-sent events, from bytes that may be cut anywhere. Comments and other fields are passed over.

    Lines end in LF or CRLF. What follows the last line end is given too: it is for the reader of the data to find it
    incomplete.
    """
    rest = b""
    data: list[str] = []
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            text = line.removesuffix(b"\r").decode("utf-8", "replace")
            if text.startswith("data:"):
                data.append(text[5:].removeprefix(" "))
            elif not text and data:
                yield "\n".join(data)
                data = []
    if rest.startswith(b"data:"):
        data.append(rest[5:].decode("utf-8", "replace").strip())
    if data:
        yield "\n".join(data)
