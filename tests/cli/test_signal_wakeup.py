"""A signal that does not end the main thread's wait is acted on all the same."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.support.waiting import LIMIT

# Sent to another thread, a signal does what one does that comes just before a wait: its handler is to run in the main
# thread, which waits on.
SCRIPT = """
import queue, signal, sys, threading, time
from alignbench.cli import signal_wakeup

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
signal_wakeup.begin()

def send():
    time.sleep(0.3)
    signal.pthread_kill(threading.get_ident(), {number})
    time.sleep(600)

threading.Thread(target=send, daemon=True).start()
try:
    queue.Queue().get()
except KeyboardInterrupt:
    sys.exit("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wait_ends_with_a_signal_that_came_before_it(number: signal.Signals) -> None:
    script = SCRIPT.format(number=int(number))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LIMIT)
    assert (done.returncode, done.stderr) == (1, "ended\n")
