"""Every test gets its own database, configuration and cache; no test reaches the network."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from alignbench import paths
from alignbench.machine import usable_cores
from alignbench.metrics import paper
from tests.support.paper_data import NLTK_DATA

sys.dont_write_bytecode = False  # compiled once, not by each of the hundreds of processes that tests start
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

WEIGHTS = paths.weights_dir()  # put together once for all tests
_NO_MODULE = re.compile(r"No module named '((?!alignbench|tests)\w+)")
MODELS = ("models of engines", "models")  # groups of tests that load some

settings.register_profile(  # no test rests on how fast the machine is
    "any machine", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):  # of xdist, which would begin with the files of most tests
        config.option.loadscopereorder = False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: two of them test models, and wait for other processes most of the time."""
    return usable_cores() + 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--light", action="store_true", help="for an installation without extras: skip what needs a package of one"
    )


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """With --light, a file that imports a package that is not there is skipped; else that is an error."""
    report = yield
    if (call := getattr(report, "call", None)) is not None:
        _skip_light(report, collector, call)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _skip_light(report, item, call)
    return report


def _skip_light(report: Any, node: pytest.Collector | pytest.Item, call: pytest.CallInfo[Any]) -> None:
    """Skipped in place of failed, where --light is given and a package is not there."""
    failed = report.failed and call.excinfo is not None and node.config.getoption("light")
    if failed and (missing := _missing_package(call.excinfo.value)):
        report.outcome, report.longrepr = "skipped", (str(node.path), 1, f"Skipped: needs {missing}")


def _missing_package(error: BaseException | None) -> str:
    """The package, of nobody here, that something failed for; empty where it failed for another reason."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            package = error.name.partition(".")[0]
            return "" if package in ("alignbench", "tests") else package
        if "alignbench[" in (said := str(error)):  # the line that installs it, of an error or on a command's stderr
            return "an extra"
        if (named := _NO_MODULE.search(said)) is not None:
            return named[1]
        error = error.__cause__ or error.__context__
    return ""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Several processes begin with what takes longest, and share the many short files in the end.

    What loads models goes in two groups that take about as long, so that no more than two processes load any; of the
    rest a process runs a file at a time.
    """
    if "error_rates" not in config.option.markexpr:  # `make test-error-rates` asks for them
        counted = [item for item in items if item.get_closest_marker("error_rates")]
        config.hook.pytest_deselected(items=counted)
        items[:] = [item for item in items if item not in counted]
    for item in items:
        if sys.platform != "linux" and item.get_closest_marker("linux"):
            item.add_marker(pytest.mark.skip(reason="looks at processes as Linux shows them"))
    if config.getoption("light"):
        apart = [item for item in items if item.get_closest_marker("models") or item.get_closest_marker("extras")]
        config.hook.pytest_deselected(items=apart)
        items[:] = [item for item in items if item not in apart]
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    groups = {item: _group(item) for item in items}
    items.sort(key=lambda item: (groups[item] not in MODELS, item.path not in slow))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[item]))


def _group(item: pytest.Item) -> str:
    if item.get_closest_marker("models") is None:
        return item.nodeid.partition("::")[0]
    return MODELS["engines" not in item.path.parts or item.path.name == "test_adapters.py"]  # two halves of the time


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """What a shell runs in the background ignores Ctrl-C, and so would every process that a test interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIGNBENCH_DB", str(tmp_path / "alignbench.db"))
    monkeypatch.setenv("ALIGNBENCH_CONFIG_DIR", str(tmp_path / "config"))
    for size in ("COLUMNS", "LINES"):  # of the terminal that the tests are run in
        monkeypatch.delenv(size, raising=False)
    monkeypatch.setenv("ALIGNBENCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("ALIGNBENCH_WEIGHTS_DIR", str(WEIGHTS))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def no_scores_of_users_are_left() -> Iterator[None]:
    """Whatever listed the scores after a test that had registered one would list one more."""
    yield
    registration = sys.modules.get("alignbench.own_metrics.registration")
    if registration is not None:
        registration.forget()


@cache
def _own_addresses() -> set[str]:
    """Of this machine: Ray uses them for what never leaves it."""
    found: set[str] = set()
    with suppress(OSError):
        found |= {*socket.gethostbyname_ex(socket.gethostname())[2]}
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way_out:
        way_out.connect(("192.0.2.1", 9))  # of nobody (RFC 5737), and nothing is sent
        found.add(way_out.getsockname()[0])
    return found


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect
    here = _own_addresses()

    def loopback_only(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0] if isinstance(address, tuple) else address
            assert host in ("127.0.0.1", "::1", "localhost", *here), f"a test tried to reach {host}"
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", loopback_only)


@pytest.fixture(scope="module")
def nltk_data() -> Iterator[None]:
    """The paper's way to count words, with the data that it needs."""
    nltk = pytest.importorskip("nltk", reason="paper mode counts words with NLTK, which is not installed")
    if not NLTK_DATA.is_dir():
        pytest.skip("NLTK's data is not in ../shared")
    nltk.data.path.insert(0, str(NLTK_DATA))
    paper.paper_mode.cache_clear()
    yield
    nltk.data.path.remove(str(NLTK_DATA))
    paper.paper_mode.cache_clear()
