"""Server-sent events: from bytes that may be cut anywhere to events, by the rules of the HTML standard (9.2.6).

Three things are more than the rules: an event with blank data, which some servers send to keep a connection alive, is
passed over; what follows the last blank line is given too, for the reader of the data to find it incomplete; and a
body that begins as JSON is one event.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from dataclasses import dataclass

from alignbench.engines.openai.server_error import ServerError

MOST_BYTES = 64 << 20  # of an event

_LINE_END = re.compile(rb"\r\n|\n|\r")
_FIELD = re.compile(rb"(?:data|event|id|retry)?:|data[\r\n]")
_BLANK = b" \t\r\n"
_IDLE = re.compile(r"null|\W*(?:ping|pong|keep[-_ ]?alive|heart[-_ ]?beat)\W*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """kind: what the server calls it, empty where it says nothing. whole: it is all of a body that is no stream."""

    data: str
    kind: str = ""
    whole: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether it only keeps the connection alive."""
        if self.kind == "error":
            return False
        named = self.kind not in ("", "message") and not self.data.lstrip().startswith("{")
        return named or _IDLE.fullmatch(self.data.strip()) is not None


def begins_as_events(body: bytes) -> bool:
    """Whether a body is an event stream, whatever its header says."""
    return _FIELD.match(body.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)) is not None


async def server_sent(chunks: AsyncIterable[bytes]) -> AsyncGenerator[ServerEvent, None]:
    """The events of a stream. Raises ServerError for one that never ends."""
    lines, fields = _Lines(), _Fields()
    start = b""  # the body, until its first line says whether it is JSON
    sniffing, is_json, n_bytes = True, False, 0
    whole: list[bytes] = []
    async for chunk in chunks:
        n_bytes += len(chunk)
        if n_bytes > MOST_BYTES:
            raise ServerError(f"The server streamed an event of over {MOST_BYTES >> 20} MiB.")
        if sniffing:
            start += chunk
            first = start.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)
            if not first or codecs.BOM_UTF8.startswith(start):
                continue
            chunk, sniffing, is_json = start.removeprefix(codecs.BOM_UTF8), False, first.startswith((b"{", b"["))
        if is_json:
            whole.append(chunk)
            continue
        for line in lines.feed(chunk):
            if not line:
                n_bytes = 0
            if event := fields.take(line):
                yield event
    if is_json:
        yield ServerEvent(b"".join(whole).decode("utf-8", "replace"), whole=True)
    elif event := fields.end(lines.rest):
        yield event


class _Lines:
    """Cuts bytes into lines that end in CRLF, LF or CR."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of the line that has not ended
        self._after_cr = False  # an LF that comes now belongs to the CR before it

    @property
    def rest(self) -> bytes:
        return b"".join(self._pieces)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        start = 0
        for end in _LINE_END.finditer(chunk):
            self._pieces.append(chunk[start : end.start()])
            yield self.rest
            self._pieces.clear()
            start = end.end()
        self._after_cr = chunk.endswith(b"\r")
        if start < len(chunk):
            self._pieces.append(chunk[start:])


class _Fields:
    """Puts the fields of an event together."""

    def __init__(self) -> None:
        self._kind = ""
        self._data: list[str] = []

    def take(self, line: bytes) -> ServerEvent | None:
        """The event that a line ends, if it does."""
        if not line:
            return self.end(b"")
        name, _, value = line.decode("utf-8", "replace").partition(":")  # a comment has no name
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._kind = value
        return None

    def end(self, rest: bytes) -> ServerEvent | None:
        """What has come of an event when nothing more does. rest: a line that has not ended."""
        if rest:
            self.take(rest)
        event = ServerEvent("\n".join(self._data), self._kind)
        self._kind = ""
        self._data.clear()
        return event if event.data.strip() else None
