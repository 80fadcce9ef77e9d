"""The commands of a soak: each a process, with what it may end with and what it says checked."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from _soak_watch import children

from alignbench.store import Store

KEPT = 10  # sessions whose counts are known
ENDS = 300.0  # seconds of a command
SIGNAL_ENDS = 20.0  # seconds from a signal to the end: 5 on a machine with nothing else to do
EXPERIMENT = """
name = "soak {name}"
n = 2
seed = {seed}
[prompts]
sets = ["open-ended"]
limit = 2
[sampling]
max_tokens = 24
[[conditions]]
model = "demo-base"
[[conditions]]
model = "demo-smollm2"
"""


@dataclass
class Commands:
    """Random commands on one database, one after the other."""

    folder: Path
    db: Path
    random: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    said: dict[int, int] = field(default_factory=dict)  # session -> samples that a command said it has
    slowest_end: float = 0.0

    def run(self, until: float) -> None:
        """Go on until this moment (monotonic)."""
        kinds: list[tuple[Callable[[], None], int]] = [
            (self.sample, 4), (self.experiment, 4), (self.interrupted, 4), (self.hanging, 3), (self.imported, 4),
            (self.exported, 4), (self.reported, 2), (self.scored, 2), (self.listed, 2), (self.deleted, 4),
        ]  # fmt: skip
        self.imported()  # there is a database
        while time.monotonic() < until:
            kind = self.random.choices([kind for kind, _ in kinds], [often for _, often in kinds])[0]
            self.counts[kind.__name__] += 1
            kind()

    def sample(self) -> None:
        done = self.call(*self._sampling(), "--json", codes=(0,))
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        rows = [line for line in lines if "prompt_id" in line]
        if rows:
            self.said[rows[0]["session"]] = len(rows)

    def experiment(self) -> None:
        """Begun, killed and resumed: at the end it has its samples, each once."""
        name = self.random.randrange(10**6)
        file = self.folder / f"{name}.toml"
        file.write_text(EXPERIMENT.format(name=name, seed=name))
        for _ in range(self.random.randrange(3)):
            process = self.begin("run", str(file))
            try:
                process.wait(self.random.uniform(0, 6))
            except subprocess.TimeoutExpired:
                process.kill()
            process.wait()
        done = self.call("run", str(file), "--json", "--retry-errors", codes=(0,))
        if done.returncode == 0:
            told = json.loads(done.stdout)
            samples = sum(each["samples"] for each in told["conditions"].values())
            self.said[told["session"]] = samples
            if samples != 8:
                self.faults.append(f"an experiment of 8 samples has {samples}")

    def interrupted(self) -> None:
        """A signal in the middle."""
        process = self.begin(*self._sampling())
        time.sleep(self.random.uniform(0, 8))
        process.send_signal(self.random.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]))
        self._has_to_end(process, "after a signal")

    def hanging(self) -> None:
        """A worker is stopped, or killed, and the command told to end."""
        process = self.begin(*self._sampling())
        time.sleep(self.random.uniform(1, 6))
        workers = children(process.pid)
        if workers:
            os.kill(self.random.choice(workers), self.random.choice([signal.SIGSTOP, signal.SIGKILL]))
        time.sleep(self.random.random())
        process.send_signal(signal.SIGTERM)
        self._has_to_end(process, "after SIGTERM, with a worker that hangs")

    def imported(self) -> None:
        n = self.random.randrange(1, 40)
        file = self.folder / "import.jsonl"
        rows = [
            {
                "prompt_id": f"p{i % 5}",
                "prompt": f"Question {i % 5 // 2}?",
                "condition": f"c{i % 2}",
                "text": f"No. {i}.",
            }
            for i in range(n)
        ]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        done = self.call("import", "jsonl", str(file), codes=(0,))
        if found := re.search(r"session (\d+)", done.stderr + done.stdout):
            self.said[int(found[1])] = n

    def exported(self) -> None:
        session = self._some_session()
        out = self.folder / "export.out"
        kind = self.random.choice(["csv", "jsonl"])
        self.call("export", kind, str(session), "-o", str(out), "--force", codes=(0, 1, 2))

    def reported(self) -> None:
        kind = self.random.choice(["md", "json", "csv"])
        self.call("report", str(self._some_session()), "-o", str(self.folder / f"report.{kind}"), codes=(0, 1, 2))

    def scored(self) -> None:
        self.call("score", "--session", str(self._some_session()), "--json", codes=(0, 1, 2))

    def listed(self) -> None:
        self.call("sessions", "list", "--json", codes=(0,))
        self.call("sessions", "search", "people", codes=(0, 1))
        self.call("sessions", "show", str(self._some_session()), codes=(0,))

    def deleted(self) -> None:
        """All but the latest: what the app shows is not to grow with the time."""
        for session in sorted(self.said)[:-KEPT]:
            self.call("sessions", "delete", str(session), "--yes", codes=(0,))
            del self.said[session]

    def check_counts(self) -> None:
        """What commands said a session has is what is there."""
        with Store.open(self.db) as store:
            for session, n in self.said.items():
                there = sum(each.samples for each in store.counts(session))
                if there != n:
                    self.faults.append(f"session {session} has {there} samples; a command had said {n}")

    def _sampling(self) -> list[str]:
        prompt = f"Why is {self.random.randrange(100)} a good number?"
        models = [word for name in ("demo-base", "demo-smollm2") for word in ("--model", name)]
        return ["sample", "--prompt", prompt, *models, "-n", "2", "--max-tokens", "24"]

    def _some_session(self) -> int:
        return self.random.choice(sorted(self.said)) if self.said else 1

    def begin(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "alignbench", *words, "--db", str(self.db)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
        )

    def call(self, *words: str, codes: Sequence[int]) -> subprocess.CompletedProcess[str]:
        """A command to its end, which has to be one of these."""
        process = self.begin(*words)
        try:
            out, err = process.communicate(timeout=ENDS)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.faults.append(f"{' '.join(words)}: no end in {ENDS:.0f} s")
        if process.returncode not in codes or "Traceback" in err:
            self.faults.append(f"{' '.join(words)}: exit {process.returncode}: {err[-500:]}")
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def _has_to_end(self, process: subprocess.Popen[str], when: str) -> None:
        began = time.monotonic()
        try:
            _, err = process.communicate(timeout=SIGNAL_ENDS)
        except subprocess.TimeoutExpired:
            process.kill()
            _, err = process.communicate()
            self.faults.append(f"no end in {SIGNAL_ENDS:.0f} s {when}: {err[-300:]}")
        self.slowest_end = max(self.slowest_end, time.monotonic() - began)
        if "Traceback" in err:
            self.faults.append(f"{when}: {err[-500:]}")
