"""What a user's function does, in a process of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.own_metrics.process import GIVEN_UP, MetricProcess
from tests.support.waiting import LIMIT

Written = Callable[..., Path]

ODD = """
import os, sys
from decimal import Decimal

def odd(texts):
    what = texts[0]
    texts.clear()
    match what:
        case "prints":
            print("to stdout"); sys.stderr.write("to stderr"); os.write(1, b"raw")
            return True
        case "numpy":
            import numpy
            return numpy.float32(0.5)
        case "decimal": return Decimal("0.25")
        case "forks":
            os.fork()
            return 2
        case "array":
            import numpy
            return numpy.zeros(3)
        case "text": return "0.5"
        case "none": return None
        case "nan": return float("nan")
        case "huge": return 10 ** 400
        case "exits": sys.exit("bye")
        case "reads": return input()
        case "ends": os._exit(3)
        case "imports": import no_such_package
        case "divides": return 1 / 0
        case "long": raise ValueError("x" * 10_000)
        case "mute":
            class Mute(Exception):
                def __str__(self): raise RuntimeError
            raise Mute
        case _: return len(what)
"""


ANSWERS: dict[str, tuple[float | None, str]] = {
    "prints": (1.0, ""),
    "numpy": (0.5, ""),
    "decimal": (0.25, ""),
    "forks": (2.0, ""),
    "\ud800\x00é\n": (4.0, ""),
    "a" * 300_000: (300_000.0, ""),
    "array": (None, "it returned numpy.ndarray of shape (3,); expected a number"),
    "text": (None, "it returned the text '0.5'; expected a number"),
    "none": (None, "it returned None"),
    "nan": (None, "it returned NaN"),
    "huge": (None, "it returned inf"),
    "exits": (None, "it called sys.exit(bye) (mine.py, line 26)"),
    "reads": (None, "EOFError: EOF when reading a line (mine.py, line 27)"),
    "ends": (None, "it ended its process (exit code 3)"),
    "imports": (None, "ModuleNotFoundError: No module named 'no_such_package' (mine.py, line 29)"),
    "divides": (None, "ZeroDivisionError: division by zero (mine.py, line 30)"),
    "mute": (None, "Mute (mine.py, line 35)"),
    "what comes after": (16.0, ""),
}


def test_whatever_it_does_is_a_value_or_a_reason(written: Written, capfd: pytest.CaptureFixture[str]) -> None:
    process = MetricProcess(str(written(ODD)), "odd")
    answers = process.calls([[[text]] for text in ANSWERS])
    assert [*map(tuple, answers)] == [*ANSWERS.values()]
    assert capfd.readouterr() == ("", ""), "what it prints goes elsewhere"
    assert process.log is not None
    assert "to stderr" in process.log.read_text()


def test_a_long_reason_is_cut(written: Written) -> None:
    ((value, reason),) = MetricProcess(str(written(ODD)), "odd").calls([[["long"]]])
    assert value is None
    assert len(reason) < 300


def test_a_value_outside_its_range_is_none(written: Written) -> None:
    path = written("import alignbench\n@alignbench.metric(range=(0, 1))\ndef f(texts): return float(texts[0])\n")
    answers = MetricProcess(str(path), "f").calls([[["1.2"]], [["1.0000000001"]], [["-3"]], [["0.5"]]])
    assert [answer.value for answer in answers] == [None, 1.0, None, 0.5]
    assert answers[0].reason == "it returned 1.2, outside its range 0 to 1"


def test_one_that_hangs_is_ended_and_given_up_in_the_end(written: Written) -> None:
    path = written(
        "import alignbench, time\n@alignbench.metric(seconds=0.2)\ndef f(texts):\n"
        "    while texts[0] == 'hang': time.sleep(0.05)\n    return 1\n"
    )
    process = MetricProcess(str(path), "f")
    answers = process.calls([[["hang"]], [["go"]], *[[["hang"]]] * GIVEN_UP, [["go"]]])
    assert [answer.value for answer in answers] == [None, 1.0, *[None] * GIVEN_UP, None]
    assert answers[0].reason == "it ran for more than 0.2 seconds"
    assert answers[-1].reason.startswith("given up after")


def test_it_is_loaded_once_and_not_asked_further_once_its_file_has_changed(written: Written, tmp_path: Path) -> None:
    count = tmp_path / "loads"
    text = (
        f"open({str(count)!r}, 'a').write('x')\nimport os\ndef f(texts):\n    if not texts: os._exit(1)\n    return 1\n"
    )
    path = written(text)
    process = MetricProcess(str(path), "f")
    assert [answer.value for answer in process.calls([[["a"]], [["b"]]])] == [1.0, 1.0]
    assert count.read_text() == "x"
    written(text.replace("return 1", "return 2"))
    answers = process.calls([[[]], [["a"]]])
    assert [answer.reason for answer in answers] == [
        "it ended its process (exit code 1)", "its file has changed since it was loaded",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "function", "message"),
    [
        ("def f(texts):\n  return (\n", "f", r"mine.py, line 2: '\(' was never closed"),
        ("x = 1\nimport no_such_package\n", "f", "mine.py, line 2 imports 'no_such_package', which is not installed"),
        ("x = 1\0\n", "f", "mine.py.*null bytes"),
        ("x = 1\n\n1 / 0\n", "f", "mine.py, line 3: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(4)\n", "f", r"mine.py, line 2: it called sys.exit\(4\)"),
        ("import os\nos._exit(4)\n", "f", r"its import ended the process \(exit code 4\)"),
        ("def first(texts): ...\ndef last(texts): ...\n", "frist", "has no function 'frist'. Did you mean first"),
        ("def first(texts): ...\n", "", "is given without a function, expected mine.py:FUNCTION; it has first"),
        ("def f(a, b, c): ...\n", "f", r"f takes \(a, b, c\); expected one argument"),
        ("f = 3\n", "f", "f is no function"),
        ("import alignbench\n@alignbench.metric(range=(2, 1))\ndef f(t): ...\n", "f", "line 2: ValueError: range is"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_one_message(written: Written, text: str, function: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MetricProcess(str(written(text)), function)


def test_so_is_one_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "bytes.py"
    path.write_bytes(b"x = '\xe9'\n")
    with pytest.raises(InputError, match=r"bytes.py.*utf-8"):
        MetricProcess(str(path), "f")


def test_a_folder_and_nothing_are_said(tmp_path: Path) -> None:
    tmp_path.joinpath("folder.py").mkdir()
    with pytest.raises(InputError, match=r"folder.py cannot be read: Is a directory"):
        MetricProcess(str(tmp_path / "folder.py"), "f")
    with pytest.raises(InputError, match=r"there is no file .*none.py"):
        MetricProcess(str(tmp_path / "none.py"), "f")


def test_files_beside_it_can_be_imported_and_hide_no_module(written: Written) -> None:
    written("def two(): return 2\n", "beside.py")
    written("raise RuntimeError\n", "statistics.py")
    path = written("import beside, statistics\ndef f(texts): return statistics.mean([beside.two(), 4])\n")
    assert MetricProcess(str(path), "f").calls([[["a"]]]) == [(3.0, "")]


def test_one_that_hangs_is_not_waited_for_when_all_ends(written: Written) -> None:
    process = MetricProcess(str(written("import time\ndef f(texts): time.sleep(1000)\n")), "f")
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.extend(process.calls([[["a"]], [["b"]]])))
    thread.start()
    process.close()
    thread.join(LIMIT)
    assert [answer.value for answer in answers] == [None, None]  # type: ignore[attr-defined]


def test_its_process_ends_with_it(written: Written) -> None:
    process = MetricProcess(str(written("import os\ndef f(texts): return os.getpid()\n")), "f")
    ((pid, _),) = process.calls([[["a"]]])
    assert pid is not None
    process.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
