"""`alignbench report` as a user runs it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from alignbench.models.catalog import resolve
from alignbench.store import Store
from tests.support.adapters import GEMMA, drawn, write_gguf_adapter
from tests.support.commands import alignbench, bits_with_end
from tests.support.judged import fill
from tests.support.paper_data import OVERTON, needs_paper_data
from tests.support.pools import KnownTexts

LEXICAL = ("--metrics", "words,jaccard", "--bootstrap", "100")


@pytest.fixture
def _session() -> None:
    """Session 1."""
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        fill(store)


@pytest.mark.usefixtures("_session")
def test_it_is_printed_or_written(tmp_path: Path) -> None:
    shown = alignbench("report", "1", "--investigation", "diversity", *LEXICAL)
    assert shown.returncode == 0, shown.stderr
    assert "Findings" in shown.stdout
    assert "carry no claim" in shown.stdout
    page = tmp_path / "out.md"
    written = alignbench("report", "1", "--format", "md", "-o", str(page), *LEXICAL)
    assert (written.returncode, written.stdout) == (0, "")
    assert page.read_text().startswith("# Session 1")
    report = json.loads(alignbench("report", "1", "--format", "json", *LEXICAL).stdout)
    assert list(report) == ["session", "within", "cross", "matched", "judged", "counts", "meta"]
    assert report["meta"]["embedder"] is None
    table = alignbench("report", "1", "--format", "csv", *LEXICAL).stdout
    assert table.startswith("table,condition,metric,value,ci_low")
    assert r"\toprule" in alignbench("report", "1", "--format", "latex", *LEXICAL).stdout


@pytest.mark.usefixtures("_session")
def test_a_page_and_its_figures(tmp_path: Path) -> None:
    page, folder = tmp_path / "out.html", tmp_path / "figures"
    ran = alignbench("report", "1", "-o", str(page), "--figures", str(folder), *LEXICAL)
    assert (ran.returncode, ran.stdout) == (0, "")
    assert page.read_text().startswith("<!doctype html>")
    assert {file.name for file in folder.iterdir()} == {
        f"{n}.{e}" for n in ("diversity", "recovery") for e in ("png", "svg")
    }
    assert ran.stderr.count("wrote ") == 5


@pytest.mark.usefixtures("_session")
def test_faults_have_one_clear_message(tmp_path: Path) -> None:
    for arguments, message in (
        (("7",), "There is no session 7"),
        (("1", "--metrics", "jacard"), "There is no score named 'jacard'"),
        (("1", "--reference", "x"), "has no condition named 'x'"),
        (("1", "--temperatures", "hot"), "expected two numbers or more"),
    ):
        ran = alignbench("report", *arguments)
        assert ran.returncode == 2, (arguments, ran.stderr)
        assert message in ran.stderr
        assert ran.stderr.count("\n") == 1
    for option, value, words in (
        ("--format", "hmtl", "'hmtl' is not one of 'table', 'json', 'csv', 'md', 'latex', 'html'"),
        ("--investigation", "diversty", "'diversty' is not one of 'diversity', 'recovery', 'pluralism', 'all'"),
        ("--mode", "papers", "'papers' is not one of 'workbench', 'paper'"),
    ):
        ran = alignbench("report", "1", option, value)
        assert ran.returncode == 2
        assert words in " ".join(ran.stderr.split())
    nowhere = alignbench("report", "1", "--format", "json", "-o", str(tmp_path / "no" / "x.json"), *LEXICAL)
    assert nowhere.returncode == 1
    assert "cannot be written" in nowhere.stderr


@pytest.mark.slow
@needs_paper_data
@pytest.mark.usefixtures("nltk_data")
def test_the_numbers_of_the_paper() -> None:
    assert alignbench("import", "overton", str(OVERTON)).returncode == 0
    ran = alignbench("report", "1", "--format", "json", "--bootstrap", "200")
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["meta"]["mode"] == "paper"  # of itself, because it is the paper's data
    within, cross, judged = report["within"], report["cross"], report["judged"]
    assert (report["meta"]["reference"], report["meta"]["floor"]) == ("llama-2-chat", "llama-2-base")
    for condition, similarity in (("llama-2-base", 0.0891), ("llama-2-icl", 0.1989), ("llama-2-chat", 0.2790)):
        assert within[condition]["jaccard"]["value"] == pytest.approx(similarity, abs=1e-3)
    assert cross["llama-2-base"]["jaccard"]["value"] == pytest.approx(0.0717, abs=1e-3)
    assert cross["llama-2-icl-chat"]["jaccard"]["value"] == pytest.approx(0.1848, abs=1e-3)
    own = cross["llama-2-chat"]["bertscore_f1"]
    assert own["ceiling"] == pytest.approx(0.8915, abs=1e-3)
    assert own["value"] == pytest.approx(0.9132, abs=1e-3)
    assert cross["llama-2-base"]["bertscore_f1"]["value"] == pytest.approx(0.8273, abs=1e-3)
    assert judged["quality"]["llama-2-base"]["helpfulness"]["value"] == pytest.approx(3.03, abs=5e-3)
    assert judged["quality"]["llama-2-chat"]["helpfulness"]["value"] == pytest.approx(4.88, abs=1e-3)
    pair = judged["new-information"]["llama-2-base vs llama-2-chat"]["score"]
    assert pair["value"] == pytest.approx(2.35, abs=5e-3)
    counts = report["counts"]["llama-2-icl-chat-5nn-prompt_similar"]
    assert (counts["samples"], counts["errors"]) == (10, 240)
    assert any("pairs of a sample with itself" in note for note in report["meta"]["notes"])


@pytest.mark.models
@pytest.mark.slow
def test_the_dial_of_an_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale 0 is the base model: no bits from it in its layout, and some in the chat layout that an adapter has."""
    matrices = drawn(GEMMA, 18)
    chat = "{% for m in messages %}Question: {{ m.content }}\nAnswer:{% endfor %}"
    models = {}
    for name, template in (("plain", None), ("chat", chat)):
        adapter = write_gguf_adapter(tmp_path / f"{name}.gguf", matrices, chat_template=template)
        models |= {f"{name}{scale}": f"demo-base+{adapter}*{scale}" for scale in ("0", "0.5", "1")}
    prompt = "Why do people keep diaries?"
    said = ["Most of them do not keep one for long.", "To remember what a day was."]
    names = [resolve(place).name for place in ("demo-base", *models.values())]
    known = KnownTexts(**dict.fromkeys(names, said))
    monkeypatch.setattr("tests.support.commands.lent_pool", lambda **_: known)
    conditions = [argument for name, place in models.items() for argument in ("--condition", f"{name}={place}")]
    ran = alignbench(
        "sample", "--prompt", prompt, "--model", "demo-base", *conditions,
        "-n", "2", "--max-tokens", "16", "--temperature", "1", "--json",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    reported = alignbench(
        "report", "1", "--investigation", "diversity", "--metrics", "words,jaccard,alignment_gap", "--format", "json",
        "--floor", "demo-base", "--reference", "plain1", "--bootstrap", "50", "--figures", str(tmp_path / "figures"),
    )  # fmt: skip
    assert reported.returncode == 0, reported.stderr
    report = json.loads(reported.stdout)
    plain, in_chat = report["investigation"]["dial"]
    assert [dial["name"] for dial in (plain, in_chat)] == ["demo-base+plain", "demo-base+chat"]
    assert (plain["same_layout"], in_chat["same_layout"]) == (True, False)
    values = ([point["bits"]["value"] for point in dial["points"]] for dial in (plain, in_chat))
    lowest, half, whole = zip(*values, strict=True)
    assert lowest[0] == 0.0
    assert abs(lowest[1]) > 1e-3
    n_bytes = sum(len(text.encode()) for text in said)
    gap = sum(bits_with_end("demo-base", prompt, text) - bits_with_end(models["plain1"], prompt, text) for text in said)
    assert whole[0] == pytest.approx(gap / n_bytes, rel=1e-5)
    assert report["cross"]["demo-base"]["alignment_gap"]["value"] == pytest.approx(whole[0])
    assert len({*half, *whole}) == 4
    assert all(point["ended"]["value"] == 1.0 for point in plain["points"])
    assert (tmp_path / "figures" / "dial.png").exists()
