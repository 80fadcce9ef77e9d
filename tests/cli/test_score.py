"""`alignbench score` and `alignbench metrics` as a user runs them."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignbench.engines.protocol import Entailed
from alignbench.metrics.registry import METRICS
from alignbench.prompts import load_prompts
from alignbench.scoring.contested import REASON
from alignbench.spec import Condition, Context, Model, Prompt
from alignbench.store import Store
from tests.support.commands import alignbench, bits_with_end
from tests.support.judged import fill, judgment
from tests.support.paper_data import OVERTON, needs_paper_data
from tests.support.pools import KnownTexts
from tests.support.samples import result

LEXICAL = ("--embedder", "none", "--bootstrap", "200")


def rows(n_prompts: int = 3, conditions: str = "AB", n: int = 3) -> list[dict[str, Any]]:
    words = ["river", "stone", "cloud", "grass", "light"]
    return [
        {"prompt_id": f"p{p}", "condition": c, "text": f"{c} says {words[(p + i) % 5]} and {words[(p * i) % 5]}"}
        for p in range(n_prompts)
        for c in conditions
        for i in range(n)
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "mine.jsonl", rows())


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def scored(*arguments: object) -> dict[str, Any]:
    ran = alignbench("score", *map(str, arguments), "--json")
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.splitlines()) == 1
    tables: dict[str, Any] = json.loads(ran.stdout)
    return tables


def refused(*arguments: object) -> str:
    ran = alignbench("score", *map(str, arguments))
    assert ran.returncode == 2, ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
    return ran.stderr


def test_empty_responses_are_left_out_and_named(tmp_path: Path) -> None:
    texts = {"A": ["the same cat"] * 5, "B": ["the same cat"] * 3 + ["", " \u200b"]}
    lines = [
        json.dumps({"prompt_id": "p", "condition": name, "text": text}) for name, of in texts.items() for text in of
    ]
    file = tmp_path / "empty.jsonl"
    file.write_text("\n".join(lines))
    tables = scored("--file", file, "--reference", "A", "--metrics", "jaccard,rouge_l", "--embedder", "none")
    assert tables["within"]["B"]["jaccard"]["value"] == tables["within"]["B"]["rouge_l"]["value"] == 1.0
    assert tables["cross"]["B"]["jaccard"]["value"] == 1.0
    assert "empty responses, left out of every score but the mean length: 2 of 5 in B" in tables["meta"]["notes"]


def test_responses_that_were_cut_are_named(tmp_path: Path) -> None:
    ends = {"A": ["length"] * 2 + ["stop"] * 3, "B": ["stop"] * 5}
    lines = [
        json.dumps({"prompt_id": "p", "condition": name, "text": "one two", "finish_reason": end})
        for name, of in ends.items()
        for end in of
    ]
    file = tmp_path / "cut.jsonl"
    file.write_text("\n".join(lines))
    meta = scored("--file", file, "--metrics", "jaccard", "--embedder", "none")["meta"]
    assert meta["truncated_share"] == {"A": 0.4, "B": 0.0}
    (note,) = [note for note in meta["notes"] if "cut by length" in note]
    assert note.endswith("neither lengths nor texts compare with others: 2 of 5 in A")


def test_the_shape_of_the_json(file: Path) -> None:
    tables = scored("--file", file, "--reference", "A", "--floor", "B", *LEXICAL)
    assert set(tables) == {"within", "cross", "matched", "meta"}
    assert set(tables["within"]) == set(tables["cross"]) == {"A", "B"}
    assert {"value", "ci", "n", "reason"} <= set(tables["within"]["A"]["jaccard"])
    assert {
        "value", "ci", "max_matched", "mmd2", "ceiling", "floor", "null", "recovery", "held_out",
    } <= set(tables["cross"]["B"]["jaccard"])  # fmt: skip
    live = {name for name, metric in METRICS.items() if metric.live and "within" in metric.scope}
    assert live <= set(tables["within"]["A"])
    assert tables["within"]["A"]["embedding_diversity"]["reason"] == "no embedding model is in use"
    assert tables["meta"]["reference"] == "A"
    assert tables["meta"]["prompts"] == 3
    assert tables["meta"]["conditions"]["B"] == {"prompts": 3, "samples": 9, "empty": 0}
    assert tables["meta"]["truncated_share"] == {"A": None, "B": None}, "the file does not tell"
    assert tables["meta"]["bootstrap"] == {"resamples": 200, "seed": 0}
    assert tables["meta"]["metrics"]["jaccard"] == METRICS["jaccard"].version


def test_the_seed_decides_the_intervals_of_many_prompts_and_nothing_else(tmp_path: Path) -> None:
    def with_seed(seed: int, n_prompts: int = 20) -> dict[str, Any]:
        file = write(tmp_path / "mine.jsonl", rows(n_prompts))
        entry: dict[str, Any] = scored("--file", file, "--metrics", "distinct_2", "--seed", seed, *LEXICAL)
        return dict(entry["within"]["A"]["distinct_2"])

    one, other = with_seed(1), with_seed(2)
    assert with_seed(1) == one
    assert one["ci"] != other["ci"]
    assert one["value"] == other["value"]
    assert with_seed(1, 19) == with_seed(2, 19), "Student's t draws nothing"


def test_all_scores_and_why_some_are_null(file: Path) -> None:
    tables = scored("--file", file, "--metrics", "all", "--reference", "A", *LEXICAL)
    within, cross = tables["within"]["B"], tables["cross"]["B"]
    assert set(METRICS) <= {*within, *cross}
    for name, metric in METRICS.items():
        for entry in (within.get(name), cross.get(name)):
            if entry is not None and entry["value"] is None:
                assert entry["reason"], name
            elif metric.needs == ("text",):
                assert entry is None or entry["n"] == 3


def test_without_a_reference_there_is_no_cross_and_a_reason(file: Path) -> None:
    tables = scored("--file", file, "--metrics", "jaccard", *LEXICAL)
    assert tables["cross"] == {}
    assert tables["meta"]["reason"] == "name the reference with --reference"
    assert "difference" not in tables["within"]["A"]["jaccard"]


def test_truncated_to_an_equal_length(file: Path) -> None:
    tables = scored("--file", file, "--metrics", "words", "--truncate", "2", *LEXICAL)
    assert tables["within"]["A"]["words"]["value"] == 2.0
    assert tables["meta"]["truncate"] == 2


def test_conditions_of_unequal_n_are_pointed_out(tmp_path: Path) -> None:
    uneven = write(tmp_path / "uneven.jsonl", [*rows(), *rows(conditions="B")])
    notes = scored("--file", uneven, "--metrics", "jaccard,self_bleu", *LEXICAL)["meta"]["notes"]
    assert notes == ["conditions differ in samples a prompt, and these scores move with it: self_bleu"]


def test_a_table_for_people(file: Path) -> None:
    ran = alignbench("score", "--file", str(file), "--reference", "A", "--floor", "B", *LEXICAL)
    assert ran.returncode == 0, ran.stderr
    for text in (
        "mean over 3 prompts",
        "lexical similarity to A",
        "A (ceiling)",
        "B (floor)",
        "answers to other prompts",
    ):
        assert text in ran.stdout
    assert "%" not in ran.stderr  # no progress bar where nobody looks


def test_hostile_names_do_nothing_to_the_terminal(tmp_path: Path) -> None:
    hostile = "[bold]\x1b]52;c;eA==\x07\u202eA"
    path = write(tmp_path / "mine.jsonl", [{**row, "condition": hostile, "text": hostile} for row in rows()])
    ran = alignbench("score", "--file", str(path), "--reference", hostile, *LEXICAL)
    assert ran.returncode == 0, ran.stderr
    assert "[bold]" in ran.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.stdout)


def test_lexical_scores_are_compared_at_matched_length_too(file: Path) -> None:
    names = "words,jaccard,rouge_l,self_bleu"
    tables = scored("--file", file, "--reference", "A", "--metrics", names, *LEXICAL)
    assert set(tables["matched"]) == set(tables["within"]) - {"A"}
    assert set(tables["matched"]["B"]) == {"jaccard", "rouge_l"}
    for entry in tables["matched"]["B"].values():
        assert set(entry) - {"reason"} == {"value", "reference", "difference", "ci", "p", "n", "skipped"}
        assert entry["value"] is not None or entry["reason"]
    assert scored("--file", file, "--metrics", names, *LEXICAL)["matched"] == {}


def test_csv(file: Path) -> None:
    ran = alignbench("score", "--file", str(file), "--reference", "A", "--metrics", "jaccard", "--csv", *LEXICAL)
    assert ran.returncode == 0, ran.stderr
    lines = list(csv.DictReader(io.StringIO(ran.stdout)))
    tables = scored("--file", file, "--reference", "A", "--metrics", "jaccard", *LEXICAL)
    (one,) = [x for x in lines if (x["table"], x["condition"], x["metric"]) == ("cross", "B", "jaccard")]
    entry = tables["cross"]["B"]["jaccard"]
    assert float(one["value"]) == entry["value"]
    assert [float(one["ci_low"]), float(one["ci_high"])] == entry["ci"]
    assert one["recovery"] == ""
    apart = {x["table"]: x["value"] for x in lines if x["table"].startswith("matched")}
    assert apart["matched difference"] == str(tables["matched"]["B"]["jaccard"]["difference"] or "")
    assert len(lines) == 2 * 4 + 2 + 3, "jaccard, the length beside it, duplicates, empty ones, and at matched length"


def test_faults_have_one_clear_message(file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text(json.dumps(rows()[0]) + '\n{"prompt_id": "p1"\n')
    message = refused("--file", broken)
    assert "broken.jsonl" in message
    assert "line 2" in message
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    assert "no finished responses" in refused("--file", empty)
    assert "no file" in refused("--file", tmp_path / "gone.jsonl")
    assert "rouge_l" in refused("--file", file, "--metrics", "rouge_1")
    assert "--metrics is empty" in refused("--file", file, "--metrics", ",")
    assert "no condition named 'C'" in refused("--file", file, "--reference", "C")
    assert "--floor" in refused("--file", file, "--reference", "A", "--floor", "a")
    assert "not one of 'workbench', 'paper'" in refused("--file", file, "--mode", "papers")
    assert "no such folder" in refused("--file", file, "--embedder", tmp_path / "gone")
    assert "not both" in refused("--file", file, "--json", "--csv")
    assert "either SESSION" in refused()
    assert "either SESSION" in refused("--file", file, "--session", 1)
    assert "no database" in refused("--session", 1)


@pytest.fixture
def session() -> Iterator[int]:
    aligned, base = Model("chat", "demo-smollm2", "aligned"), Model("base", "demo-base", "base")
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        number = store.create_session("diaries", reference="chat")
        for prompt in ("p0", "p1"):
            for model in (aligned, base):
                condition = Condition.zero_shot(model)
                cell = store.add_cell(number, Prompt(prompt, f"Why {prompt}?"), condition, 2)
                for i in range(2):
                    store.add_sample(cell, result(i, f"{model.name} answer {prompt} number{i}"))
        warm = store.add_cell(number, Prompt("p0", "Why p0?"), Condition("warm", base, Context("chat")), 2)
        store.add_error(warm, 0, "overflow")
        yield number


def test_a_session_knows_its_reference_and_its_floor(session: int) -> None:
    tables = scored("--session", session, "--metrics", "jaccard,surprisal", *LEXICAL)
    meta = tables["meta"]
    # The stored samples have three tokens of 0, 1/7 and 2/7 nats.
    assert tables["within"]["base"]["surprisal"]["value"] == pytest.approx(1 / 7 / math.log(2))
    assert tables["within"]["base"]["surprisal"]["samples"] == 4
    assert tables["within"]["warm"]["surprisal"]["value"] is None
    assert (meta["session"], meta["reference"], meta["floor"]) == (session, "chat", "base")
    assert meta["notes"] == ["left out, failed or cancelled: 1"]
    assert tables["cross"]["base"]["jaccard"]["floor"] == tables["cross"]["base"]["jaccard"]["value"]
    assert tables["cross"]["warm"]["jaccard"]["value"] is None
    other = scored("--session", session, "--metrics", "jaccard", "--reference", "base", "--floor", "chat", *LEXICAL)
    assert other["meta"]["reference"] == "base"
    assert "no session 9" in refused("--session", 9)


def test_embeddings_say_nothing_of_contested_prompts(tmp_path: Path) -> None:
    asked = {"p0": load_prompts("contested")[0].text, "p1": "Why keep a diary?", "p2": "Why walk?"}
    records = [{**row, "prompt": asked[row["prompt_id"]]} for row in rows()]
    command = ("--metrics", "jaccard,embedding_diversity,embedding_similarity", "--reference", "A", *LEXICAL)
    three_prompts = scored("--file", write(tmp_path / "all.jsonl", records), *command)
    assert three_prompts["within"]["A"]["jaccard"]["n"] == 3
    assert "contested prompts, left out of scores that rest on embeddings: 1" in three_prompts["meta"]["notes"]
    alone = [row for row in records if row["prompt_id"] == "p0"]
    tables = scored("--file", write(tmp_path / "one.jsonl", alone), *command)
    for entry in (tables["within"]["A"]["embedding_diversity"], tables["cross"]["B"]["embedding_similarity"]):
        assert (entry["value"], entry["ci"], entry["reason"]) == (None, None, REASON)
    assert tables["within"]["A"]["jaccard"]["value"] is not None


@pytest.mark.models
def test_embeddings_of_a_file_are_kept_in_the_cache(file: Path) -> None:
    command = ("--file", file, "--metrics", "embedding_similarity,semantic_classes", "--reference", "A")
    first = scored(*command)
    assert first["meta"]["embedder"] == "all-MiniLM-L6-v2"
    assert 0 < first["cross"]["B"]["embedding_similarity"]["value"] < 1
    assert first["cross"]["B"]["embedding_similarity"]["max_matched"] is not None
    with Store.open(Path(os.environ["ALIGNBENCH_CACHE_DIR"]) / "embeddings.db") as store:
        kept = list(store.db.query("SELECT * FROM embeddings"))
    assert len(kept) == len({row["text"] for row in rows()})
    second = scored(*command, "--embedder", "none")
    assert second["cross"] == first["cross"]


@pytest.mark.models
def test_bertscore_of_a_file(file: Path) -> None:
    tables = scored("--file", file, "--metrics", "bertscore_f1", "--reference", "A", "--bootstrap", "100")
    entry = tables["cross"]["B"]["bertscore_f1"]
    assert 0 < entry["value"] < entry["ceiling"] < 1
    assert 0 < entry["null"] < entry["ceiling"]
    assert tables["within"]["A"]["bertscore_f1"]["value"] == pytest.approx(entry["ceiling"])
    assert tables["meta"]["metrics"]["bertscore_f1"] == "1+all-MiniLM-L6-v2:6"
    none = scored("--file", file, "--metrics", "bertscore_f1", "--reference", "A", *LEXICAL)
    assert none["cross"]["B"]["bertscore_f1"]["reason"] == "no embedding model is in use"


@pytest.mark.models
@pytest.mark.slow
def test_scores_by_log_probs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One small run, scored as a session and as its own output, which gives the prompts' texts and the log-probs."""
    prompt = "Why do people keep diaries?"
    aligned = [
        "People keep diaries for a variety of reasons, including personal growth, self-reflection and self-expression.",
        "People keep diaries for various reasons. "
        "They can be a way to process emotions, reflect on experiences and grow.",
    ]
    known = KnownTexts(
        demo_base=["The diary of a man, and the man, the", "I do not know why people keep them"], demo_smollm2=aligned
    )
    monkeypatch.setattr("tests.support.commands.lent_pool", lambda **_: known)
    ran = alignbench(
        "sample", "--prompt", prompt, "--model", "demo-base", "--model", "demo-smollm2",
        "-n", "2", "--max-tokens", "16", "--temperature", "1", "--json",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    output = tmp_path / "output.jsonl"
    output.write_text(ran.stdout)
    names = ("--metrics", "surprisal,response_logprob,progressive_surprise,alignment_gap", "--bootstrap", "100")
    session = scored("--session", 1, *names)
    within, cross, meta = session["within"], session["cross"], session["meta"]
    for condition in ("demo-base", "demo-smollm2"):
        entry = within[condition]["response_logprob"]
        assert entry["value"] < entry["per_byte"] < 0
        assert entry["bits_per_byte"] == pytest.approx(-entry["per_byte"] / math.log(2), rel=1e-6)
        surprise = within[condition]["progressive_surprise"]
        assert surprise["value"] == pytest.approx(surprise["conditional"] * 2 ** -surprise["alone"])
    gaps = [bits_with_end("demo-base", prompt, text) - bits_with_end("demo-smollm2", prompt, text) for text in aligned]
    n_bytes = sum(len(text.encode()) for text in aligned)
    assert cross["demo-base"]["alignment_gap"]["value"] == pytest.approx(sum(gaps) / n_bytes, rel=1e-5)
    assert cross["demo-base"]["alignment_gap"]["value"] > 0  # the texts are of the aligned model's kind
    assert cross["demo-base"]["alignment_gap"]["recovery"] == 0
    assert cross["demo-smollm2"]["alignment_gap"]["value"] == 0
    assert meta["base"] == "demo-base"
    assert meta["metrics"]["progressive_surprise"].startswith("1+demo-base@")
    assert "the tokenizers differ: demo-base" in meta["notes"][-1]
    file = scored("--file", output, "--base", "demo-base", *names)
    for metric in ("surprisal", "response_logprob", "progressive_surprise"):
        assert file["within"]["demo-base"][metric]["value"] == pytest.approx(within["demo-base"][metric]["value"])
    unnamed = scored("--file", output, *names)["within"]["demo-base"]
    assert unnamed["response_logprob"]["reason"] == "name the base model with --base"
    assert "is an aligned model" in refused("--file", output, "--base", "demo-smollm2", *names)


@pytest.mark.slow
@needs_paper_data
def test_bertscore_of_the_paper_comes_with_its_data() -> None:
    assert alignbench("import", "overton", str(OVERTON)).returncode == 0
    tables = scored("--session", 1, "--metrics", "bertscore_f1", *LEXICAL)
    own = tables["cross"]["llama-2-chat"]["bertscore_f1"]
    assert own["ceiling"] == pytest.approx(0.8915, abs=5e-5)
    assert own["value"] == pytest.approx(0.9132, abs=5e-5)
    assert "keeps 50 pairs of a sample with itself" in tables["meta"]["notes"][-1]
    assert tables["cross"]["llama-2-base"]["bertscore_f1"]["ceiling"] == pytest.approx(0.8915, abs=5e-5)


def test_metrics_lists_every_score() -> None:
    ran = alignbench("metrics", "--json")
    assert ran.returncode == 0, ran.stderr
    listed = {line["name"]: line for line in map(json.loads, ran.stdout.splitlines())}
    assert set(listed) == set(METRICS)
    assert listed["jaccard"]["more_diverse"] == "lower"
    table = alignbench("metrics").stdout
    assert all(name in table for name in METRICS)


def paper_rows() -> list[dict[str, Any]]:
    """LIMA-OE, a text a row; a closing fence that stopped a text is cut off, errors are left out."""
    records = []
    for condition in ("llama-2-base", "llama-2-icl", "llama-2-icl-chat", "llama-2-chat"):
        samples = OVERTON / "LIMA-OE" / "outputs" / condition / "samples.jsonl"
        for prompt, line in enumerate(samples.read_text().splitlines()):
            for output in json.loads(line)["outputs"]:
                if "generated_text" in output:
                    text = output["generated_text"]
                    if condition != "llama-2-chat":
                        text = text.rstrip().removesuffix("```")
                    records.append({"prompt_id": prompt, "condition": condition, "text": text})
    return records


@pytest.mark.slow
@needs_paper_data
@pytest.mark.usefixtures("nltk_data")
def test_the_numbers_of_the_paper(tmp_path: Path) -> None:
    file = write(tmp_path / "lima.jsonl", paper_rows())
    tables = scored(
        "--file", file, "--mode", "paper", "--metrics", "words,jaccard,jaccard_2,jaccard_stem",
        "--reference", "llama-2-chat", "--floor", "llama-2-base",
    )  # fmt: skip
    within, cross = tables["within"], tables["cross"]
    for condition, n_words, similarity in (
        ("llama-2-base", 129.0, 0.0891),
        ("llama-2-icl", 223.8, 0.1989),
        ("llama-2-chat", 475.7, 0.2790),
    ):
        assert within[condition]["words"]["value"] == pytest.approx(n_words, abs=0.05)
        assert within[condition]["jaccard"]["value"] == pytest.approx(similarity, abs=1e-3)
    assert within["llama-2-chat"]["jaccard_stem"]["value"] == pytest.approx(0.337, abs=1e-3)
    assert within["llama-2-chat"]["jaccard_2"]["value"] == pytest.approx(0.082, abs=1e-3)
    assert cross["llama-2-base"]["jaccard"]["value"] == pytest.approx(0.0717, abs=1e-3)
    assert cross["llama-2-icl-chat"]["jaccard"]["value"] == pytest.approx(0.1848, abs=1e-3)
    assert cross["llama-2-chat"]["jaccard"]["ceiling"] == pytest.approx(0.2790, abs=1e-3)
    assert cross["llama-2-icl-chat"]["jaccard"]["null"] == pytest.approx(0.0665, abs=5e-3)
    low, high = cross["llama-2-icl-chat"]["jaccard"]["recovery_ci"]
    assert low < 0.546 < high


def test_a_judge_says_which_responses_are_one_answer(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Store.open(db) as store:
        samples = fill(store, prompts=2, n=2)
        judged = [
            judgment("equivalence", samples[p, name, 1], judge="j", reference_sample_id=samples[p, name, 0], same=same)
            for p in range(2)
            for name, same in (("demo-base", False), ("demo-smollm2", True))
        ]
        command = ("--session", 1, "--db", db, "--metrics", "words", "--equivalence", "judge", *LEXICAL)
        before = scored(*command)
        assert before["within"]["demo-base"]["semantic_classes"]["value"] is None
        assert "has no judgment" in before["within"]["demo-base"]["semantic_classes"]["reason"]
        assert any("alignbench judge SESSION --kind equivalence" in note for note in before["meta"]["notes"])
        store.add_judgments(1, judged)
    tables = scored(*command)
    base, aligned = tables["within"]["demo-base"], tables["within"]["demo-smollm2"]
    assert (base["semantic_classes"]["value"], aligned["semantic_classes"]["value"]) == (2.0, 1.0)
    assert base["semantic_entropy"]["value"] == pytest.approx(math.log(2))
    assert aligned["semantic_classes"]["equivalent"] == 1.0
    assert tables["meta"]["equivalence"] == {"by": "judge j", "threshold": None}
    assert tables["meta"]["metrics"]["semantic_classes"] == "1+judge j"
    assert "distinct answers saturate" in "\n".join(tables["meta"]["notes"])
    ran = alignbench("report", "1", "--db", str(db), "--metrics", "words", "--equivalence", "judge", "--format", "json")
    report = json.loads(ran.stdout)
    assert report["within"]["demo-base"]["semantic_entropy"]["value"] == base["semantic_entropy"]["value"]
    assert report["meta"]["equivalence"] == tables["meta"]["equivalence"]
    assert report["meta"]["metrics"]["semantic_classes"] == "1+judge j"


def test_equivalences_that_cannot_be_had(file: Path, tmp_path: Path) -> None:
    assert "needs a session" in refused("--file", file, "--equivalence", "judge")
    assert "expected embedding, judge, or nli:FOLDER" in refused("--file", file, "--equivalence", "bert")
    assert "there is no such folder" in refused("--file", file, "--equivalence", f"nli:{tmp_path / 'gone'}")


def test_an_nli_model_says_which_responses_are_one_answer(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Entailing:
        def __init__(self, folder: Path) -> None:
            assert folder == file.parent

        def entails(self, pairs: Sequence[tuple[str, str]]) -> Entailed:
            return Entailed(1, np.ones(len(pairs), np.bool_), 0, "nli@1")

        def close(self) -> None:
            pass

    monkeypatch.setattr("alignbench.engines.workers.nli.NliWorker", Entailing)
    tables = scored("--file", file, "--metrics", "semantic_classes", "--equivalence", f"nli:{file.parent}", *LEXICAL)
    assert tables["within"]["A"]["semantic_classes"]["value"] == 1.0
    assert tables["within"]["A"]["semantic_entropy"]["value"] == 0.0
    assert tables["meta"]["equivalence"] == {"by": "NLI model nli@1", "threshold": None}
