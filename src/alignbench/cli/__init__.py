"""The command line: one file a group of commands; stdout is data, stderr is narration.

Exit codes: 0 done, 1 failed, 2 bad usage or input, 3 finished with some cells failed, 130 interrupted, 143 ended by
SIGTERM before or after the part that a signal interrupts in good order.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn


def main() -> None:
    """Entry point of the `alignbench` command: an error is one message, not a traceback."""
    if sys.platform == "win32":
        sys.exit(_on_windows())
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _end)
        from alignbench.cli import completion, printing, signal_wakeup
        from alignbench.cli.app import app
        from alignbench.cli.late import late_group
        from alignbench.errors import AlignbenchError

        def run() -> object:
            try:
                return late_group(app)(prog_name=completion.PROGRAM, color=False)
            except UnicodeDecodeError:
                if "--install-completion" not in sys.argv:
                    raise
                raise AlignbenchError(completion.NOT_UTF8) from None

        if completion.VARIABLE in os.environ:
            printing.data(completion.answer(run), end="")
            sys.exit(0)
        signal_wakeup.begin()
        printing.guard()
    except (KeyboardInterrupt, _EndedBySignal) as end:  # so early that nothing has begun
        sys.exit(_ended(end))
    code = _exit_code(run)
    written = _exit_code(printing.finish)
    sys.exit(code or written)


def _exit_code(step: Callable[[], object]) -> int:
    """What a part of the command ends with; its error is said."""
    from alignbench.cli import printing
    from alignbench.cli.streams import ReaderLeft
    from alignbench.errors import AlignbenchError

    try:
        step()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (KeyboardInterrupt, _EndedBySignal) as end:
        return _ended(end)
    except ReaderLeft:
        return 1
    except AlignbenchError as error:
        printing.say(f"alignbench: {error}")
        return error.exit_code
    except OSError as error:  # of the machine: no descriptor is left, the disk is full
        printing.say(f"alignbench: {_words(error)}")
        return 1
    return 0


def _ended(end: KeyboardInterrupt | _EndedBySignal) -> int:
    """Say what ended the command; its exit code."""
    from alignbench.cli import printing

    if isinstance(end, KeyboardInterrupt):
        printing.say("alignbench: interrupted")
        return 130
    printing.say(f"alignbench: ended by {signal.Signals(end.number).name}")
    return 128 + end.number


def _on_windows() -> int:
    """Say what to do there; 2, as of input that cannot be used."""
    from alignbench.cli import printing

    printing.say(
        "alignbench: It runs on Linux and macOS. On Windows, install it in WSL, the Linux that comes with Windows: "
        "`wsl --install`, then in its window as on Linux."
    )
    return 2


def _words(error: OSError) -> str:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"Too many files are open; this process may have {most} at once (see ulimit -n)."
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."


class _EndedBySignal(BaseException):
    """Closes what is open on the way out: workers, files that are not whole yet."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _end(number: int, _: FrameType | None) -> NoReturn:
    raise _EndedBySignal(number)
