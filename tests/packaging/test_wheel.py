"""The wheel, installed without extras and without a compiler: what a new user gets. Nothing here needs a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.on_a_terminal import terminal_of
from tests.support.waiting import LIMIT

pytest.importorskip("hatchling", reason="the wheel is built with hatchling, which is not installed")
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "alignbench"
COMPILERS = ("cc", "c++", "gcc", "g++", "clang", "clang++", "cmake")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    for kind in ("wheel", "sdist"):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)],
            cwd=ROOT, check=True, capture_output=True, timeout=LIMIT,
        )  # fmt: skip
    return folder


def shipped() -> set[str]:
    """What has to be in the wheel, by its name there."""
    package = {path: f"alignbench/{path.relative_to(PACKAGE).as_posix()}" for path in PACKAGE.rglob("*")}
    prompts = {
        path: f"alignbench/_prompts/{path.relative_to(ROOT / 'prompts')}" for path in (ROOT / "prompts").rglob("*")
    }
    return {name for path, name in (package | prompts).items() if path.is_file() and "__pycache__" not in path.parts}


def test_all_that_is_shipped_is_in_the_wheel(dist: Path) -> None:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        described = wheel.read(next(name for name in wheel.namelist() if name.endswith("/METADATA"))).decode()
    assert names == shipped()
    assert "License-File: LICENSE" in described


def test_the_source_distribution_holds_what_the_wheel_is_made_of(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    wanted = {f"src/{name}" for name in shipped() if not name.startswith("alignbench/_prompts/")}
    assert wanted <= names
    assert {"LICENSE", "README.md", "CHANGELOG.md", "CITATION.cff", "constraints.txt", "pyproject.toml"} <= names
    assert not [name for name in names if name.endswith((".db", ".pyc")) or "/.venv" in name]


@pytest.fixture(scope="module")
def light(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A virtual environment with the wheel and what it needs without extras, as the one of this test has it."""
    folder = tmp_path_factory.mktemp("light")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=LIMIT)
    site = next(folder.glob("lib/python3*/site-packages"))
    for name in _needed("alignbench"):
        for file in metadata.files(name) or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (site / top).exists():
                (site / top).symlink_to(Path(str(metadata.distribution(name).locate_file(top))))
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "-q", "--no-deps",
         "--no-index", str(next(dist.glob("*.whl")))],
        check=True, capture_output=True, timeout=LIMIT,
    )  # fmt: skip
    yield folder
    shutil.rmtree(folder)


def _needed(name: str) -> set[str]:
    """The distributions that one needs without extras, and they need."""
    found: set[str] = set()
    queue = [Requirement(name)]
    while queue:
        wanted = queue.pop()
        for text in metadata.requires(wanted.name) or ():
            requirement = Requirement(text)
            chosen = [{"extra": extra} for extra in wanted.extras] or [{"extra": ""}]
            if requirement.marker is not None and not any(map(requirement.marker.evaluate, chosen)):
                continue
            if requirement.name not in found:
                found.add(requirement.name)
                queue.append(requirement)
    return found


@pytest.fixture
def environment(light: Path, tmp_path: Path) -> Mapping[str, str]:
    """An empty home folder, and no compiler on the PATH."""
    path = tmp_path / "programs"
    path.mkdir()
    (path / "sh").symlink_to("/bin/sh")
    assert not [name for name in COMPILERS if shutil.which(name, path=str(path))]
    return {
        "HOME": str(tmp_path),
        "ALIGNBENCH_CONFIG_DIR": str(tmp_path / "config"),
        "PATH": f"{light / 'bin'}{os.pathsep}{path}",
        "LANG": "C.UTF-8",
        "TERM": "xterm",
    }


def ran(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = shutil.which("alignbench", path=environment["PATH"])
    assert command is not None
    return subprocess.run(
        [command, *arguments], env=environment, cwd=environment["HOME"], capture_output=True, text=True, timeout=LIMIT,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def test_commands(environment: Mapping[str, str]) -> None:
    rows = [
        {"prompt_id": "tea", "prompt": "Why tea?", "condition": name, "text": text}
        for name in ("a", "b")
        for text in ("It warms the hands.", "It is a pause in the day.")
    ]
    samples = Path(environment["HOME"], "samples.jsonl")
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    scored = ran(environment, "score", "--file", "samples.jsonl", "--reference", "a", "--json")
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)
    assert ran(environment, "import", "jsonl", "samples.jsonl").returncode == 0
    assert ran(environment, "report", "1").returncode == 0

    drawn = ran(environment, "sample", "--prompt", "Why?", "--model", "demo-base", "-n", "1")
    assert drawn.returncode == 2
    assert "pip install 'alignbench[llama,demo]'" in drawn.stderr
    figures = ran(environment, "report", "1", "--figures", "figures")
    assert "pip install 'alignbench[report]'" in figures.stderr
    served = ran(environment, "serve")
    assert "pip install 'alignbench[serve]'" in served.stderr


def test_doctor_names_what_each_extra_adds(environment: Mapping[str, str]) -> None:
    from alignbench.extras import EXTRAS

    checks = {check["name"]: check for check in json.loads(ran(environment, "doctor", "--json").stdout)}
    for name, extra in EXTRAS.items():
        check = checks["llama.cpp" if name == "llama" else f"extra {name}"]
        assert check["status"] == "missing"
        assert extra.adds in check["advice"]
        assert f"pip install 'alignbench[{name}]'" in check["advice"]
    assert ran(environment, "doctor").returncode == 1, "there is no model"
    Path(environment["ALIGNBENCH_CONFIG_DIR"]).mkdir()
    models = Path(environment["ALIGNBENCH_CONFIG_DIR"], "models.toml")
    models.write_text('[models.served]\nreference = "openai:http://127.0.0.1:1/v1#x"\n')
    assert ran(environment, "doctor").returncode == 0


def test_the_app_opens_and_says_what_can_be_done(environment: Mapping[str, str]) -> None:
    master, slave = terminal_of(100, 30)
    app = subprocess.Popen(
        [str(shutil.which("alignbench", path=environment["PATH"]))],
        stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=environment["HOME"], start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    seen, end = b"", time.monotonic() + LIMIT
    while b"This model cannot be loaded here" not in seen:
        assert time.monotonic() < end, seen
        seen += os.read(master, 65536)
    os.write(master, b"\x11")  # Ctrl+Q
    try:
        while os.read(master, 65536):
            pass
    except OSError:  # nobody has the other end any more
        pass
    os.close(master)
    assert app.wait(LIMIT) == 0
