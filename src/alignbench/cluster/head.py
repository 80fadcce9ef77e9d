"""The head of a cluster, watched: Ray itself would end this process, without asking, a minute after it is gone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

_LOOK = 5.0
_LOOKS = 4  # so many in a row find nobody: it is gone


class HeadWatch:
    """Looks at the head until it is closed."""

    def __init__(self, address: str, lost: Callable[[str], None], *, look: float = _LOOK) -> None:
        """Begin to look.

        Args:
            address: HOST:PORT of the head
            lost: called once, from another thread, with what happened
            look: seconds between two looks, and for each of them
        """
        self._address, self._lost, self._look = address, lost, look
        self._over = threading.Event()
        host, _, port = address.rpartition(":")
        self._place = (host.strip("[]"), int(port))
        threading.Thread(target=self._watch, name="head of the cluster", daemon=True).start()

    def close(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        missed = 0
        while not self._over.wait(self._look):
            missed = 0 if self._answers() else missed + 1
            if missed == _LOOKS:
                self._lost(f"The head of the Ray cluster, at {self._address}, is gone.")
                return

    def _answers(self) -> bool:
        try:
            socket.create_connection(self._place, timeout=self._look).close()
        except OSError:
            return False
        return True
