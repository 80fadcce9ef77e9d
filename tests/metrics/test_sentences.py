from __future__ import annotations

import time

import pytest
from hypothesis import given

from alignbench.metrics.sentences import sentences
from tests.support.texts import HOSTILE, texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ("One.", "Two!", "Three?", "Four")),
        ("Dr. Li paid $3.50 to J. R. Tolkien, e.g. here.", ("Dr. Li paid $3.50 to J. R. Tolkien, e.g. here.",)),
        ("It was 5 p.m. The shop closed.", ("It was 5 p.m.", "The shop closed.")),
        ("You and I. We went.", ("You and I.", "We went.")),
        ('He said "Stop." Then he left.', ('He said "Stop."', "Then he left.")),
        ('"Really?" she asked. "Yes!"', ('"Really?" she asked.', '"Yes!"')),
        ("“Stop!” he said. He left.", ("“Stop!” he said.", "He left.")),
        ('"Why?" I thought.', ('"Why?" I thought.',)),
        ('"Go!" Mr. Smith shouted at us. We ran.', ('"Go!" Mr. Smith shouted at us.', "We ran.")),
        ('"Where…" Anna whispered. "Here." He came.', ('"Where…" Anna whispered.', '"Here."', "He came.")),
        ('"Why?" asked Tom. It rained.', ('"Why?" asked Tom.', "It rained.")),
        ('"I came." He left. "Is it?" It is.', ('"I came."', "He left.", '"Is it?"', "It is.")),
        ("He left (did he?) and came.", ("He left (did he?) and came.",)),
        ("(She left.) Then he came.", ("(She left.)", "Then he came.")),
        ("„Wirklich?“ fragte sie. Ja.", ("„Wirklich?“ fragte sie.", "Ja.")),
        ("« Vraiment ? » dit-elle. Oui.", ("« Vraiment ? » dit-elle.", "Oui.")),
        ("「本当？」と彼女は聞いた。はい。", ("「本当？」と彼女は聞いた。", "はい。")),
        ("“真的吗？”她问。好。", ("“真的吗？”她问。", "好。")),
        ("Բարեւ։ Ինչպես ես։", ("Բարեւ։", "Ինչպես ես։")),
        ("ሰላም። እንዴት ነህ።", ("ሰላም።", "እንዴት ነህ።")),
        ("သူ လာ၏။ငါ သွား၏။", ("သူ လာ၏။", "ငါ သွား၏။")),
        ("Wait... what? Yes... No.", ("Wait... what?", "Yes...", "No.")),
        ("see http://a.b/c.d?e now", ("see http://a.b/c.d?e now",)),
        ("Pros:\n\n1. Cheap\n2) Quick. Yes!\n- *Good*\n\n# End", ("Pros:", "Cheap", "Quick.", "Yes!", "*Good*", "End")),
        ("我喜欢猫。你呢？好！", ("我喜欢猫。", "你呢？", "好！")),
        ("Я дома. Ты где?", ("Я дома.", "Ты где?")),
        ("أنا هنا. أين أنت؟ تعال!", ("أنا هنا.", "أين أنت؟", "تعال!")),
        ("मैं यहाँ हूँ। तुम कहाँ हो?", ("मैं यहाँ हूँ।", "तुम कहाँ हो?")),
        ("😀 !!! ...\n---\n", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_sentences(text: str, expected: tuple[str, ...]) -> None:
    assert sentences(text) == expected


@given(texts)
def test_sentences_are_pieces_of_the_text_that_say_something(text: str) -> None:
    start = 0
    for sentence in sentences(text):
        assert sentence == sentence.strip()
        assert any(map(str.isalnum, sentence))
        start = text.index(sentence, start) + len(sentence)


def test_hostile_text_is_split_in_no_time() -> None:
    begin = time.process_time()
    for text in (*HOSTILE, "a. " * 30_000, "." * 100_000, "x" * 100_000 + ".", '"' * 100_000, "1. " * 30_000):
        sentences(text)
    assert time.process_time() - begin < 2.0
