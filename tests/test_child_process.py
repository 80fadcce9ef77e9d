"""Limits of our processes, where the user has limits already."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import LIMIT, wait_until

pytestmark = pytest.mark.linux

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
resource.setrlimit(resource.RLIMIT_AS, (900 << 20, 900 << 20))
from alignbench.contexts import sandbox
sandbox.main()
print(resource.getrlimit(resource.RLIMIT_CPU)[1], *resource.getrlimit(resource.RLIMIT_AS))
"""


def test_the_sandbox_keeps_to_lower_limits_of_the_user() -> None:
    request = json.dumps({"source": "{{ a }}", "strict": False, "layout": False, "variables": [{"a": "tea"}]})
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED], input=request + "\n", capture_output=True, text=True, check=True, timeout=LIMIT
    )
    answer, limits = ran.stdout.splitlines()
    assert json.loads(answer) == {"texts": ["tea"]}
    assert limits.split() == ["100", str(900 << 20), str(900 << 20)]


def test_a_command_that_is_ended_closes_what_is_open(tmp_path: Path) -> None:
    """Before and after models are at work too."""
    reader, writer = os.pipe()  # whoever opens the file waits for who writes to it
    command = subprocess.Popen(
        [sys.executable, "-m", "alignbench", "score", f"/dev/fd/{reader}"],
        pass_fds=[reader], stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    os.write(writer, b'{"prompt_id": "p", ')
    wait_until(lambda: _catches(command.pid))
    command.send_signal(signal.SIGTERM)
    _, said = command.communicate(timeout=LIMIT)
    os.close(writer)
    os.close(reader)
    assert command.returncode == 128 + signal.SIGTERM
    assert said == "alignbench: ended by SIGTERM\n"


def _catches(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)
