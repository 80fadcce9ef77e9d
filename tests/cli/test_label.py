"""`alignbench label`: what is wrong is said before the app opens."""

from __future__ import annotations

import os

from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.judged import fill


def test_faults_have_one_clear_message() -> None:
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        fill(store)
    for arguments, message in (
        (("7",), "There is no session 7"),
        (("1", "--tags", "one"), "expected 2 to 9 different ones"),
        (("1", "--reference", "demo-smolm2"), "Did you mean demo-smollm2"),
        (("1", "--condition", "demo-smollm2"), "has none named 'demo-smollm2' beside demo-smollm2"),
    ):
        ran = alignbench("label", *arguments)
        assert (ran.returncode, ran.stdout) == (2, ""), (arguments, ran.stderr)
        assert message in ran.stderr
        assert ran.stderr.count("\n") == 1
