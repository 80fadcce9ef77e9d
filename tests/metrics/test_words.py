from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given

from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.values import WORKBENCH
from alignbench.metrics.words import STOP_WORDS, _pattern, content_words, word_spans, words
from tests.support.texts import HOSTILE, texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("The cat. the CAT", ("the", "cat", "the", "cat")),
        ("Don't — it’s well-known", ("don't", "it's", "well", "known")),
        ("'quoted' rock'n'roll dogs'", ("quoted", "rock'n'roll", "dogs")),
        ("3.14 or 1,000. Then 5,", ("3.14", "or", "1,000", "then", "5")),
        ("snake_case __init__", ("snake", "case", "init")),
        ("STRASSE Straße ﬁne ２０", ("strasse", "strasse", "fine", "20")),
        ("Привет, МИР!", ("привет", "мир")),
        ("مرحبا بالعالم", ("مرحبا", "بالعالم")),
        ("हिन्दी में", ("हिन्दी", "में")),  # vowel signs are marks, not letters
        ("می\u200cخواهم بنویسم", ("می\u200cخواهم", "بنویسم")),
        ("한국어 단어", ("한국어", "단어")),
        ("我喜欢ABC。", ("我", "喜", "欢", "abc")),
        ("ひらカタ ｶﾅ", ("ひ", "ら", "カ", "タ", "カ", "ナ")),
        ("ดีครับ", ("ดี", "ค", "รั", "บ")),
        ("😀👍🏽 ok!", ("ok",)),
        ("co\u00adoperate", ("cooperate",)),
    ],
)
def test_words(text: str, expected: tuple[str, ...]) -> None:
    assert words(text) == expected


def test_composed_and_decomposed_letters_are_the_same_word() -> None:
    assert words(unicodedata.normalize("NFD", "Café Việt")) == words(unicodedata.normalize("NFC", "Café Việt"))


@given(texts)
def test_the_pattern_of_ascii_finds_what_the_one_of_all_scripts_finds(text: str) -> None:
    plain = text.encode("ascii", "ignore").decode().casefold()
    assert _pattern(True).findall(plain) == _pattern(False).findall(plain)


def test_control_characters_and_markup_are_no_words() -> None:
    assert words(HOSTILE[0]) == ("inst", "click", "app", "quit", "x")
    assert words("\x1b[2J\x00\x07") == ("2j",)
    assert words("a\ud800b") == ("a", "b")


@given(texts)
def test_words_are_folded_and_hold_no_space(text: str) -> None:
    text_words = words(text)
    assert words(" ".join(text_words)) == text_words or any(not word.isascii() for word in text_words)
    for word in text_words:
        assert word
        assert not any(character.isspace() for character in word)
        assert word == word.casefold() or not word.isascii()


def test_a_long_line_without_a_space_takes_no_time() -> None:
    start = time.process_time()
    for line in ("a" * 100_000, "日" * 100_000, "'" * 100_000, "1." * 50_000, "e\u0301" * 50_000):
        words(line)
    assert time.process_time() - start < 2.0


def test_content_words_leave_out_function_words() -> None:
    assert content_words(words("The cat and its owner aren't here")) == {"cat", "owner"}
    assert content_words(words("It is what it is.")) == frozenset()


def test_stop_words_are_written_as_words_come_out() -> None:
    assert all(words(word) == (word,) for word in STOP_WORDS)


@given(texts)
def test_spans_stand_where_the_words_are_written(text: str) -> None:
    spans = word_spans(text)
    assert [span[:2] for span in spans] == sorted(span[:2] for span in spans)
    for start, end, word in spans:
        assert 0 <= start < end <= len(text)
        assert word == "".join(words(text[start:end]))


def test_spans_are_of_the_text_as_it_was_written() -> None:
    text = "Don\u2019t STOP, caf\u00e9 3.14 漢字"
    spans = [(text[start:end], word) for start, end, word in word_spans(text)]
    assert spans[:2] == [("Don\u2019t", "don't"), ("STOP", "stop")]
    assert spans[2:] == [(word, word) for word in ("caf\u00e9", "3.14", "漢", "字")]


@given(texts)
def test_the_words_of_a_text_are_those_of_its_pieces(drawn: str) -> None:
    for text in [drawn, *HOSTILE, "a\u3000b\xa0c\u0301 \u0301d\x1fe", "１．５ don’t—stop  3,\n000"]:
        assert words(text) == tuple(word for piece in text.split() for word in words(piece))


def test_words_numbered_by_their_pieces_are_in_their_order() -> None:
    lexicon = Lexicon(WORKBENCH, str)
    vocabulary: dict[str, int] = {}
    for text in ["A well-known cat — the cat", "", "…", "cat the cat.", "猫が好き the cat " * 3, "x" * 500, "the\tcat"]:
        expected = [vocabulary.setdefault(word, len(vocabulary)) for word in words(text)]
        assert lexicon.numbers(text).tolist() == expected
