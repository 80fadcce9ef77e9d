"""Keys and passwords, in whatever spelling, are not in messages; texts lose nothing else."""

from __future__ import annotations

import base64
import html
import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.errors import InputError
from alignbench.masking import MASK, MaskedPieces, masked, without_keys

KEY = "sk-A1/b+2=&c\"3'z9"
SPELLINGS = {
    "as it is": KEY,
    "in small letters": KEY.lower(),
    "quoted": quote(KEY, safe=""),
    "quoted in small letters": quote(KEY, safe="").lower(),
    "with escaped slashes": json.dumps(KEY).replace("/", "\\/"),
    "in JSON": json.dumps(KEY),
    "in HTML": html.escape(KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 of a header": base64.b64encode(f"Bearer {KEY}\r\n".encode()).decode(),
    "base64 of a login": base64.b64encode(f"me:{KEY}".encode()).decode(),
    "urlsafe base64": base64.urlsafe_b64encode(f":{KEY}".encode()).decode(),
}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_key_is_masked_in_every_spelling(spelling: str) -> None:
    for text in (masked(f"It was {spelling}, you see."), without_keys(f"It was {spelling}, you see.")):
        assert MASK in text
        assert text.startswith("It was ")
        assert text.endswith(" you see.")
        assert spelling[6:-6] not in text
    assert spelling not in str(InputError(f"Bad {spelling}"))


@pytest.mark.parametrize("spelt", ["".join(f"%{ord(c):02x}" for c in KEY), "".join(f"&#{ord(c)};" for c in KEY)])
def test_a_message_with_a_key_in_a_spelling_of_its_own_is_left_out(spelt: str) -> None:
    assert masked(f"It was {spelt}.") == MASK


@pytest.mark.parametrize("key", ["sk-\udcff-12345678", "sk-\u201d12345678", "sk-İ12345678", "sk-a\nb1234567"])
def test_odd_keys_of_the_environment(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    assert masked(f"It was {key}!") == f"It was {MASK}!"
    pieces = MaskedPieces()
    assert "".join(map(pieces.feed, f"It was {key}!İ")) + pieces.rest() == f"It was {MASK}!İ"


def test_other_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefgh")
    assert masked(f"hf_abcdefgh {KEY}") == f"{MASK} {MASK}"


def test_a_placeholder_is_masked_in_messages_where_it_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    assert masked("Bearer EMPTY; NON-EMPTY EMPTYING") == f"Bearer {MASK}; NON-EMPTY EMPTYING"
    assert without_keys("an EMPTY text") == "an EMPTY text"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("openai:http://me:pa@h:1/v1#m", "openai:http://***@h:1/v1#m"),
        ("http://me@h/v1", "http://***@h/v1"),
        ("at http://me:p/a?s@h:1/v1, it", "at http://***@h:1/v1, it"),
        ("socks5://me:pa@proxy:1 'http://x:y@z'", "socks5://***@proxy:1 'http://***@z'"),
        ("http://h/v1?a=1&api-key=pa&b=2#m", "http://h/v1?a=1&api-key=***&b=2#m"),
        ("http://h/v1?access_token=pa", "http://h/v1?access_token=***"),
        ("http://h:1/v1#@cf/meta/llama", "http://h:1/v1#@cf/meta/llama"),
        ("hf:org/name@main, me@example.org", "hf:org/name@main, me@example.org"),
        ("key=pa", "key=pa"),
    ],
)
def test_passwords_and_keys_in_addresses(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(st.lists(st.sampled_from(["s", "sk-A", KEY, KEY[:9], KEY[9:], "x", " ", SPELLINGS["base64"]]), max_size=12))
def test_a_key_that_is_cut_anywhere_is_masked(pieces: list[str]) -> None:
    stream = MaskedPieces()
    text = "".join(map(stream.feed, pieces)) + stream.rest()
    assert KEY not in text
    assert without_keys("".join(pieces)) in (text, *(text.removesuffix(MASK) + KEY[:n] for n in range(8, len(KEY))))


def test_a_key_that_was_not_finished_is_masked() -> None:
    stream = MaskedPieces()
    assert stream.feed(f"so: {KEY[:12]}") + stream.rest() == f"so: {MASK}"
    assert stream.feed("so: sk-") + stream.rest() == "so: sk-"


@pytest.mark.parametrize("piece", ["&key", "://a:", "?a", "://", "%41", KEY[:-1]])
def test_a_hostile_message_is_masked_in_no_time(piece: str) -> None:
    start = time.process_time()
    masked(piece * 20_000)
    assert time.process_time() - start < 5
