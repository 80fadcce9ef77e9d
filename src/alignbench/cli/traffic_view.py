"""What servers are sent, on stderr: a line for each request, one for its body, one for its end."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from alignbench.cli import printing
from alignbench.engines import server_traffic
from alignbench.engines.server_traffic import Sent, Traffic


def show_traffic() -> Callable[[], None]:
    """Show it from now on, until what is returned is called."""
    server_traffic.listen(_View().say)
    return lambda: server_traffic.listen(None)


class _View:
    """Numbers the requests of all processes in their order; threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers: dict[tuple[int, int], int] = {}

    def say(self, traffic: Traffic) -> None:
        with self._lock:
            number = self._numbers.setdefault((traffic.process, traffic.number), len(self._numbers) + 1)
            for line in _lines(traffic):
                printing.say(f"#{number} {line}")


def _lines(traffic: Traffic) -> list[str]:
    if isinstance(traffic, Sent):
        return [f"{traffic.method} {traffic.url}", *([traffic.body] if traffic.body else [])]
    status = "no answer" if traffic.status is None else f"status {traffic.status}"
    whole, head = f"{traffic.seconds:.2f} s", "" if traffic.head is None else f"{traffic.head:.2f} s"
    began = "" if head in ("", whole) else f", its beginning after {head}"
    return [f"{status} after {whole}{began}{'; ' if traffic.problem else ''}{traffic.problem}"]
