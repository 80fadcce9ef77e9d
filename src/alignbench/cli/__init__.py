"""The command line: one file a group of commands; stdout is data, stderr is narration.

Exit codes: 0 done, 1 failed, 2 bad usage or input, 3 finished with some cells failed, 130 interrupted.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the `alignbench` command: an error is one message, not a traceback."""
    from alignbench.cli.app import app
    from alignbench.display import visible
    from alignbench.errors import AlignbenchError

    try:
        app()
    except AlignbenchError as error:
        print(f"alignbench: {visible(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("alignbench: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of stdout has left: nothing more to say, and no traceback at exit
        sys.exit(1)
