"""Entailment by a cross-encoder: a tiny one with random weights, whose answers have a form and no meaning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from alignbench.engines.nli import NliModel
from alignbench.engines.workers.nli import NliWorker
from alignbench.errors import EngineError
from tests.support.hf_folders import byte_tokenizer
from tests.support.later import later

transformers = later("transformers")

LABELS = ("contradiction", "ENTAILMENT", "neutral")
PAIRS = [("It rains.", "It is wet."), ("It is wet.", "It rains."), ("\ud800", ""), ("a" * 300, "b" * 300)]


def write_encoder(folder: Path, labels: tuple[str, ...] = LABELS) -> Path:
    config = transformers.BertConfig(
        vocab_size=300, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=64, id2label=dict(enumerate(labels)),
        label2id={name: i for i, name in enumerate(labels)},
    )  # fmt: skip
    transformers.set_seed(0)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer = byte_tokenizer()
    tokenizer.pad_token = "<|im_end|>"
    tokenizer.model_max_length = 64
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("nli"))


def test_each_pair_is_entailed_or_not_and_what_is_cut_is_counted(folder: Path) -> None:
    model = NliModel(str(folder), threads=1)
    entails, cut = model.entails(PAIRS)
    assert entails.shape == (4,)
    assert entails.dtype == np.bool_
    assert cut == 1
    assert model.entails([])[0].shape == (0,)
    assert model.name.startswith(f"{folder.name}@")


def test_a_folder_without_entailment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="none of its labels is entailment, they are good, bad"):
        NliModel(str(write_encoder(tmp_path, ("good", "bad"))))
    with pytest.raises(EngineError, match="Cannot load the NLI model"):
        NliModel(str(tmp_path / "nothing"))


@pytest.fixture
def worker(folder: Path) -> Iterator[NliWorker]:
    with closing(NliWorker(folder)) as worker:
        yield worker


def test_a_worker_answers_as_the_model_does(worker: NliWorker, folder: Path) -> None:
    answer = worker.entails(PAIRS)
    assert answer.entails.tolist() == NliModel(str(folder), threads=1).entails(PAIRS)[0].tolist()
    assert answer.cut == 1
    assert worker.entails(PAIRS[:1]).entails.shape == (1,)


def test_a_worker_says_what_cannot_be_loaded(tmp_path: Path) -> None:
    with closing(NliWorker(tmp_path)) as worker, pytest.raises(EngineError, match="Cannot load the NLI model"):
        worker.entails(PAIRS)
