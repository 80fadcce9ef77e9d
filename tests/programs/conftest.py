"""Files that other programs make themselves, and exports that they open, in the environments of tools/programs.sh.

`make test-programs` names their folder in ALIGNBENCH_TEST_PROGRAMS; without it nothing here is collected.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PROGRAMS = Path(os.environ.get("ALIGNBENCH_TEST_PROGRAMS", ""))
SOURCE = Path(__file__).parents[2] / "src"
collect_ignore_glob = [] if "ALIGNBENCH_TEST_PROGRAMS" in os.environ else ["test_*.py"]


def run(program: str, *arguments: str, folder: Path) -> str:
    """What the Python of a program's environment prints, in a folder; it reaches no hub."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "hf"), "NO_COLOR": "1"}
    ran = subprocess.run(
        [str(PROGRAMS / program / "bin" / "python"), *arguments],
        cwd=folder,
        env={**os.environ, **offline, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
