"""Standard streams as commands write to them: whatever their encoding, closed, full, or nobody at the other end."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from alignbench.errors import AlignbenchError


class OutputError(AlignbenchError):
    """A result could not be written to stdout."""


class ReaderLeft(OutputError):
    """Whoever read stdout has left, as `head` does: there is nobody to tell."""


class Stream(io.TextIOBase):
    """A standard stream, or none where it was closed before the program began. What its encoding lacks is escaped."""

    encoding = "utf-8"
    failure: Exception | None = None  # of the last write that failed

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or self.encoding

    def isatty(self) -> bool:
        return self._stream is not None and not self._stream.closed and self._stream.isatty()

    def fileno(self) -> int:
        return self._there().fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        takes = text.encode(self.encoding, "backslashreplace").decode(self.encoding)
        with self._faults():
            self._there().write(takes)
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        with self._faults():
            self._there().flush()
            self._there().buffer.write(data)

    def flush(self) -> None:
        with self._faults():
            if self._stream is not None:
                self._stream.flush()

    def close(self) -> None:
        """Nothing: it is not this object's, and a fault in a finalizer would be told to nobody."""

    def fault(self, error: Exception) -> None:
        """What a write that failed leads to."""
        raise NotImplementedError

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: this program closed it
            self.failure = error
            self.fault(error)

    def discard(self) -> None:
        """Let what is still in buffers go nowhere, in place of another fault when Python ends."""
        try:
            number = self.fileno()
        except (OSError, ValueError):
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)

    def _there(self) -> TextIO:
        if self._stream is None:
            raise io.UnsupportedOperation("it is closed")
        return self._stream


class Results(Stream):
    """stdout: a fault ends the command, with a message."""

    def fault(self, error: Exception) -> None:
        self.discard()
        if isinstance(error, BrokenPipeError):
            raise ReaderLeft("Whoever read stdout has left.") from None
        reason = error.strerror if isinstance(error, OSError) else None
        raise OutputError(f"stdout cannot be written: {reason or error}.") from None

    def exact(self, text: str) -> str:
        """A text for programs, which is not written otherwise than it is. OutputError where the encoding lacks some."""
        try:
            text.encode(self.encoding, "surrogatepass")
        except UnicodeEncodeError as error:
            missing = f"U+{ord(text[error.start]):04X}"
            raise OutputError(
                f"stdout takes {self.encoding} only, which has no {missing}; "
                "write to a file with -o where there is that option, or set PYTHONIOENCODING=utf-8."
            ) from None
        return text


class Narration(Stream):
    """stderr: what cannot be written is left out, because no run may end for it."""

    def fault(self, error: Exception) -> None:
        pass
