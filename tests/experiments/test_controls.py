"""Controls with known answers, sampled from the embedded models as `prompts/experiments/controls.toml` says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from alignbench import paths
from alignbench.spec import Condition, Context, Model
from alignbench.store import Store
from tests.support.commands import alignbench

pytestmark = [pytest.mark.models, pytest.mark.slow, pytest.mark.timeout(1200)]


def quicker(folder: Path) -> str:
    """The experiment that ships, with fewer and shorter answers: enough for all that is asserted here."""
    text = (paths.shipped_prompts() / "experiments" / "controls.toml").read_text(encoding="utf-8")
    for whole, part in (("n = 6\n", 'n = 4\nmode = "fast"\n'), ("max_tokens = 16\n", "max_tokens = 8\n")):
        assert whole in text
        text = text.replace(whole, part)
    file = folder / "controls.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def run(*arguments: str) -> str:
    ran = alignbench(*arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def plant(store: Store) -> None:
    """An aggregator: all that the base model said to a prompt, as one response."""
    planted = Condition("planted", Model("planted", "imported:planted", "aligned"), Context("chat"))
    said: dict[str, list[str]] = {}
    for row in store.samples(1):
        if row.condition == "base":
            said.setdefault(row.prompt_id, []).append(row.text)
    for prompt in store.prompts(1):
        text = "\n".join(said[prompt.id])
        cell = store.add_cell(1, prompt, planted, 1)
        store.add_text(cell, 0, text, raw_text=text, finish_reason="stop")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report of the controls, and one whose reference is the planted aggregator."""
    folder = tmp_path_factory.mktemp("controls")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ALIGNBENCH_DB", str(folder / "controls.db"))
        patched.setenv("ALIGNBENCH_CACHE_DIR", str(folder / "cache"))
        run("run", quicker(folder))
        with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
            plant(store)
        own = run("report", "1", "--format", "json")
        planted = run(
            "report", "1", "--format", "json", "--investigation", "diversity", "--reference", "planted",
            "--metrics", "coverage",
        )  # fmt: skip
    return json.loads(own), json.loads(planted)


def test_the_same_model_under_other_seeds_is_the_same(reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for metric in ("jaccard", "embedding_similarity"):
        entry = reports[0]["cross"]["again"][metric]
        low, high = entry["recovery_ci"]
        assert low <= 1 <= high, metric
        low, high = entry["mmd2_ci"]
        assert low <= 0 <= high, metric
    for metric in ("jaccard", "embedding_diversity"):
        difference = reports[0]["within"]["again"][metric]["difference"]
        assert difference["ci"][0] <= 0 <= difference["ci"][1]


def test_a_greedy_answer_recovers_too_much_and_is_warned_of(reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for metric in ("jaccard", "embedding_similarity"):
        entry = reports[0]["cross"]["greedy"][metric]
        assert entry["recovery_ci"][0] > 1, metric
        assert entry["warning"].startswith("over 1")
        assert entry["mmd2_ci"][0] > 0, metric
    assert reports[0]["within"]["greedy"]["jaccard"]["value"] > 0.95


def test_diversity_rises_with_temperature(reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    within = reports[0]["within"]
    ladder = ("greedy", "cool", "aligned", "hot")
    for metric, sign in (("jaccard", -1), ("embedding_diversity", 1)):
        values = [sign * within[name][metric]["value"] for name in ladder]
        assert values == sorted(values), metric
    surprisal = [within[name]["surprisal"]["value"] for name in ("cool", "aligned", "hot")]
    assert surprisal == sorted(surprisal)
    for name in ("cool", "hot"):
        assert within[name]["embedding_diversity"]["difference"]["p_holm"] < 0.05


def test_answers_to_other_prompts_are_far_below_the_ceiling(reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for metric in ("jaccard", "embedding_similarity"):
        entry = reports[0]["cross"]["base"][metric]
        assert entry["null"] < entry["ceiling"] / 2
        assert entry["null"] < entry["value"]


def test_a_planted_aggregator_covers_what_it_gathers(reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    base = reports[1]["investigation"]["coverage"]["conditions"]["base"]
    assert base["by_reference"][0]["value"] > 0.98  # one response of it says all that the base said
    curve = [point["value"] for point in base["of_reference"]]
    assert curve == sorted(curve)
    assert curve[-1] > 0.98
    assert curve[0] < 0.6  # and none of the base's says all of it alone
    assert base["responses_covered"]["value"] > base["n"] - 1
