"""The tree of the release: a small one made here, and the real one where it is."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.contexts.rendering import NO_MODEL, Content, render
from alignbench.errors import InputError
from alignbench.importing.save import save_import
from alignbench.judging.summary import judged_tables
from alignbench.overton.read import datasets, read_dataset
from alignbench.spec import Context
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.paper_data import OVERTON, needs_paper_data


def write_rows(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two prompts, one base and one aligned condition, the aligned one greedy too, and files of a Mac between them."""
    root = tmp_path / "data" / "small"
    queries = ["Why? ", "How?"]
    write_rows(root / "instances" / "data.jsonl", [{"messages": [{"role": "user", "content": q}]} for q in queries])
    base = [f"# Query:\n```\n{q.strip()}\n```\n\n# Answer:\n```\n" for q in queries]
    outputs = [{"generated_text": "one```"}, {"error": "too long"}]
    write_rows(root / "outputs" / "raw" / "samples.jsonl", [{"prompt": p, "outputs": outputs} for p in base])
    chat = [{"prompt": f"[INST] {q} [/INST]", "outputs": [{"generated_text": f"two {q}"}] * 2} for q in queries]
    write_rows(root / "outputs" / "chat" / "samples.jsonl", chat)
    (root / "outputs" / "chat" / "args.json").write_text('{"params": {"temperature": 0.5}, "run": {"name": "other"}}')
    write_rows(root / "outputs-temp0" / "chat" / "samples.jsonl", chat)
    for folder in (root, root / "outputs", root / "outputs" / "chat"):
        (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (root / "bertscore" / "outputs").mkdir(parents=True)
    (root / "bertscore" / "outputs" / "chat--raw.json").write_text(
        json.dumps({"instance_ids": [0, 1], "ref_sample_ids": [0, 0], "alt_sample_ids": [0, 0],
                    "results": {"f1": [0.8, 0.9], "hashcode": "roberta"}})
    )  # fmt: skip
    return tmp_path / "data"


def test_a_tree_becomes_a_session(tree: Path, tmp_path: Path) -> None:
    (dataset,) = datasets(tree)
    assert datasets(dataset) == [dataset]
    with Store.open(tmp_path / "runs.db") as store:
        result = save_import(store, read_dataset(dataset))
        assert (result.dataset, result.samples, result.errors) == ("small", 10, 2)
        info = store.session(result.session)
        assert (info.name, info.reference) == ("small", "chat")
        conditions = {each.name: each for each in store.conditions(result.session)}
        assert set(conditions) == {"raw", "chat", "chat@temp0"}
        assert conditions["raw"].model.kind == "base"
        assert conditions["raw"].context.template == "plain"
        assert conditions["chat"].sampling.temperature == 0.5
        assert conditions["chat@temp0"].sampling.temperature == 0
        rows = [row for row in store.samples(result.session) if row.condition == "raw"]
        assert [(row.prompt, row.text, row.raw_text, row.error) for row in rows[:2]] == [
            ("Why?", "one", "one```", None),
            ("Why?", "", "", "too long"),
        ]
        assert store.rendered(rows[0].cell_id) == "# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n"
        pairs = store.pair_scores(result.session, "bertscore_f1")
        assert [(p.prompt_id, p.reference, p.condition, p.value) for p in pairs] == [
            ("0", "chat", "raw", 0.8),
            ("1", "chat", "raw", 0.9),
        ]
        facts = store.manifest(result.session)["imported"]["conditions"]
        assert facts["chat"]["finish_reasons"] == "not recorded"
        assert facts["raw"]["settings"] == "not recorded"


def asked(instance: int, text: str) -> dict[str, object]:
    return {"metadata": {"instance_id": instance}, "messages": [{"role": "user", "content": f"Judge this:\n{text}"}]}


def replied(text: str) -> dict[str, object]:
    return {"ok": True, "outputs": [{"finish_reason": "stop", "index": 0, "message": {"content": text}}]}


def test_judgments_find_their_samples(tree: Path, tmp_path: Path) -> None:
    folder = tree / "small" / "eval-missing"
    instances = [asked(0, "two Why?  then one"), asked(1, "two How? then one"), asked(1, "another text")]
    write_rows(folder / "instances" / "ref_chat--alt_raw" / "data.jsonl", instances)
    replies = [replied('{"reason": "new", "score": "4"}'), replied('{"reason": "x", "score": "N/A"}'), replied("{}")]
    write_rows(folder / "outputs" / "ref_chat--alt_raw" / "samples.jsonl", replies)
    quality = tree / "small" / "eval-quality"
    write_rows(quality / "instances" / "chat" / "data.jsonl", [asked(0, "two Why? "), asked(0, "two Why? ")])
    write_rows(quality / "outputs" / "chat" / "samples.jsonl", [replied("I will not."), {"ok": False, "error": "late"}])
    imported = read_dataset(tree / "small")
    assert imported.notes[-2:] == (
        "quality of chat: 2 of 2 replies cannot be read",
        "new-information of ref_chat--alt_raw: 1 rows judge a text that is not here",
    )
    with Store.open(tmp_path / "runs.db") as store:
        session = save_import(store, imported).session
        rows = list(store.judgments(session, kind="new-information"))
        assert [(r.prompt_id, r.condition, r.sample, r.reference, r.reference_sample) for r in rows] == [
            ("0", "raw", 0, "chat", 0),
            ("1", "raw", 0, "chat", 0),
        ]
        assert [(r.judgment.status, dict(r.judgment.fields)) for r in rows] == [
            ("valid", {"score": 4}),
            ("na", {"score": None}),
        ]
        invalid = list(store.judgments(session, kind="quality"))
        assert [(r.sample, r.judgment.status, r.judgment.reply) for r in invalid] == [
            (0, "invalid", "I will not."),
            (1, "invalid", ""),
        ]
    write_rows(folder / "outputs" / "ref_chat--alt_raw" / "samples.jsonl", replies[:1])
    with pytest.raises(InputError, match="has 1 rows; expected 3"):
        read_dataset(tree / "small")


def test_an_import_that_fails_leaves_nothing(tree: Path, tmp_path: Path) -> None:
    imported = read_dataset(tree / "small")
    with Store.open(tmp_path / "runs.db") as store:
        first = imported.conditions[0]
        again = replace(first, condition=replace(first.condition, name="again"))  # which a session refuses
        with pytest.raises(InputError, match="again"):
            save_import(store, replace(imported, conditions=(*imported.conditions, again)))
        assert store.sessions() == []


def test_faults_name_file_and_line(tree: Path) -> None:
    samples = tree / "small" / "outputs" / "raw" / "samples.jsonl"
    lines = samples.read_text().splitlines()
    samples.write_text(lines[0])
    with pytest.raises(InputError, match=r"samples\.jsonl has 1 rows; expected 2"):
        read_dataset(tree / "small")
    samples.write_text(lines[0] + "\n{}\n")
    with pytest.raises(InputError, match=r"samples\.jsonl, line 2: no list"):
        read_dataset(tree / "small")
    samples.write_text(lines[0] + '\n{"prompt"\n')
    with pytest.raises(InputError, match="line 2: not JSON"):
        read_dataset(tree / "small")
    with pytest.raises(InputError, match="is not there"):
        datasets(tree / "nowhere")
    with pytest.raises(InputError, match="holds no dataset"):
        datasets(tree / "small" / "outputs")


@needs_paper_data
def test_the_traps_of_the_release() -> None:
    (dataset,) = datasets(OVERTON)
    imported = {each.condition.name: each for each in read_dataset(dataset).conditions}
    finish = {
        name: Counter("error" if s.error else s.finish for cell in each.cells for s in cell.samples)
        for name, each in imported.items()
    }
    assert len(imported) == 10
    assert finish["llama-2-base"] == {"stop": 234, "length": 16}
    assert finish["llama-2-icl-chat-5nn-prompt_similar"] == {"stop": 10, "error": 240}
    assert finish["llama-2-chat"] == {None: 250}
    assert finish["gpt-3.5-turbo@temp0"] == {"stop": 50}
    hinted = [s for cell in imported["llama-2-icl-chat-summary-cot"].cells for s in cell.samples]
    assert all(s.hint for s in hinted)
    assert sum(not s.text for s in hinted) == 32
    assert not any("```" in s.text or "# Query" in s.text for s in hinted)
    kinds = {name: each.condition.model.kind for name, each in imported.items()}
    assert {name for name, kind in kinds.items() if kind == "aligned"} == {
        "llama-2-chat", "llama-2-chat@temp0", "gpt-3.5-turbo@temp0",
    }  # fmt: skip
    assert imported["llama-2-icl-chat-5nn-prompt_similar"].facts["examples"] == 5
    zero_shot = [name for name, each in imported.items() if each.condition.context == Context("plain")]
    assert zero_shot == ["llama-2-base"]


@needs_paper_data
def test_contexts_hints_and_judgments_of_the_release(tmp_path: Path) -> None:
    with Store.open(tmp_path / "runs.db") as store:
        session = save_import(store, read_dataset(OVERTON / "LIMA-OE")).session
        contexts = {each.name: each.context for each in store.conditions(session)}
        shown = contexts["llama-2-icl-chat"].examples
        assert shown is not None
        assert len(shown.pool.items) == 3
        random, nearest = (contexts[f"llama-2-icl-chat-{name}"].examples for name in ("rand", "5nn-prompt_similar"))
        assert random is not None
        assert nearest is not None
        assert (random.select, random.k, random.condition) == ("random", 3, "llama-2-chat")
        assert (nearest.select, nearest.k, nearest.condition) == ("nearest-prompt", 5, "llama-2-chat")
        summary = contexts["llama-2-icl-chat-summary"].hint
        assert summary is not None
        assert (summary.level, summary.condition, summary.sample) == ("summary", "llama-2-chat", 0)
        assert contexts["llama-2-icl-chat-summary-cot"].hint is not None
        hints = store.hints(session)
        made = [hint for hint in hints if hint.level == "summary"]
        assert {(hint.maker, hint.source_condition, hint.source_sample) for hint in made} == {
            ("gpt-4-1106-preview", "llama-2-chat", 0)
        }
        assert len(made) == 50
        hinted = [cell for cell in store.cells(session) if store.cell_hint(cell.id)]
        assert {cell.condition for cell in hinted} == {"llama-2-icl-chat-summary"}
        assert len(hinted) == 50
        tables = judged_tables(store, session)
    assert tables["quality"]["llama-2-base"]["helpfulness"].value == pytest.approx(3.03, abs=5e-3)
    assert tables["quality"]["llama-2-chat"]["helpfulness"].value == pytest.approx(4.88, abs=5e-3)
    assert tables["quality"]["llama-2-base"]["factuality"].na == 8
    pair = tables["new-information"]["llama-2-base vs llama-2-chat"]["score"]
    assert pair.value == pytest.approx(2.35, abs=5e-3)
    assert (pair.n, pair.invalid) == (250, 0)


@needs_paper_data
def test_the_summary_prompts_of_the_release_are_made_of_its_examples_and_hints() -> None:
    """The prompt comes from instances/, the hint from summaries-outputs/; only the examples were read from prompts."""
    (dataset,) = datasets(OVERTON)
    session = read_dataset(dataset)
    imported = next(each for each in session.conditions if each.condition.name == "llama-2-icl-chat-summary")
    context = imported.condition.context
    assert context.examples is not None
    assert all(example.hint for example in context.examples.pool.items)
    hints = {hint.prompt.id: hint.text for hint in session.hints}
    rebuilt = [
        render(cell.prompt, context, NO_MODEL, Content(context.examples.pool.items, hints[cell.prompt.id])).text
        for cell in imported.cells
    ]
    stored = [cell.rendered for cell in imported.cells]
    assert len(stored) == 50
    assert rebuilt == stored


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n"


def test_a_tree_without_its_large_files_is_read_as_far_as_it_is_there(tree: Path) -> None:
    root = tree / "small"
    (root / "outputs" / "raw" / "samples.jsonl").write_text(POINTER)
    (root / "outputs-temp0" / "chat" / "samples.jsonl").unlink()
    (root / "bertscore" / "outputs" / "chat--raw.json").write_text(POINTER)
    write_rows(root / "eval-quality" / "outputs" / "chat" / "samples.jsonl", [])
    imported = read_dataset(root)
    assert [each.condition.name for each in imported.conditions] == ["chat"]
    said = "\n".join(imported.notes)
    assert "4 files are not there" in said
    for name in ("outputs/raw/samples.jsonl", "outputs-temp0/chat/samples.jsonl", "chat--raw.json", "data.jsonl"):
        assert name in said
    assert "git lfs pull" in said


def test_a_dataset_without_prompts_is_told_and_the_others_are_read(tree: Path) -> None:
    other = tree / "other"
    write_rows(other / "outputs" / "chat" / "samples.jsonl", [])
    ran = alignbench("import", "overton", str(tree), "--json")
    assert ran.returncode == 0, ran.stderr
    assert [each["dataset"] for each in json.loads(ran.stdout)] == ["small"]
    assert "other is left out: There is no file" in ran.stderr
    (tree / "small" / "instances" / "data.jsonl").write_text(POINTER)
    alone = alignbench("import", "overton", str(tree / "small"))
    assert alone.returncode == 2
    assert "is a Git LFS pointer" in alone.stderr


def test_settings_that_are_not_there_are_not_made_up(tree: Path) -> None:
    raw, chat, greedy = (each.condition for each in sorted(read_dataset(tree / "small").conditions, key=str)[::-1])
    known = {each.name: each.settings for each in (raw, chat, greedy)}
    assert {*known["raw"].values()} == {None}
    assert (known["chat"]["temperature"], known["chat"]["max_tokens"], known["chat"]["seed"]) == (0.5, None, None)
    assert known["chat@temp0"]["temperature"] == 0
