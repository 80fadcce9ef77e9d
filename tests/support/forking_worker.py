"""Stands in for a worker: its child sleeps on with the pipe in its hands, and it says which process that is."""

import os
import signal
import sys
from multiprocessing.connection import Connection

if __name__ == "__main__":
    pipe = Connection(int(sys.argv[1]))
    child = os.fork()
    if child == 0:
        signal.pause()
    pipe.send(child)
    os._exit(3)
