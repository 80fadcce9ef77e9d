"""What models.toml says of a server: what may stand there, what becomes part of a reference, and for whom it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench import masking, paths
from alignbench.errors import InputError
from alignbench.masking import environment_without_keys, masked, without_keys
from alignbench.models.catalog import resolve, server_settings
from alignbench.models.hf_source import HfSource
from alignbench.models.openai_address import parse_address
from alignbench.models.server_settings import ServerSettings
from alignbench.spec import Condition, Context, Model

URL = "https://h.example/v1"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test has this process mask, the next one does not."""
    for name in ("_hidden", "_hidden_variables"):
        monkeypatch.setattr(masking, name, dict(getattr(masking, name)))


def models_toml(text: str) -> None:
    paths.models_file().parent.mkdir(parents=True, exist_ok=True)
    paths.models_file().write_text(text)


def entry(*lines: str, name: str = "big", reference: str = f"openai:{URL}#served") -> str:
    return "\n".join([f"[models.{name}]", f"reference = '{reference}'", *lines, ""])


def hash_of(model: Model) -> str:
    return Condition("c", model, Context("chat")).hash


def test_all_settings() -> None:
    models_toml(
        entry(
            'key_env = "BIG_KEY"',
            'headers = { X-Team = "evals" }',
            "concurrency = 32",
            "timeout = 600",
            'max_tokens_field = "max_completion_tokens"',
            'tokenizer = "hf:org/name@v1"',
        )
    )
    model = resolve("big")
    assert model == Model("big", f"openai:{URL}#served", "aligned"), "nothing of them is in the model"
    assert server_settings(model) == ServerSettings(
        "BIG_KEY", (("X-Team", "evals"),), 32, 600.0, "max_completion_tokens", HfSource("org/name", "v1")
    )
    assert "evals" not in repr(server_settings(model))


def test_what_changes_a_text_is_in_the_hash_and_what_does_not_is_not() -> None:
    hashes = []
    for lines in (
        [],
        ['key_env = "BIG_KEY"', 'headers = { X-Team = "evals" }', "concurrency = 2", "tokenizer = 'hf:org/name'"],
        ['extra_body = { top_a = 0.2, nested = { b = [1, "x"], a = true } }'],
        ['extra_body = { nested = { a = true, b = [1, "x"] }, top_a = 0.2 }'],
        ["[models.big.extra_body]", "top_a = 0.3"],
        ["extra_body = {}"],
    ):
        models_toml(entry(*lines))
        hashes.append(hash_of(resolve("big")))
    plain, settings, extra, reordered, other, empty = hashes
    assert plain == settings == empty
    assert extra == reordered
    assert len({plain, extra, other}) == 3


def test_extra_body_is_part_of_the_reference_and_found_there_again() -> None:
    models_toml(entry('extra_body = { top_a = 0.2, chat_template_kwargs = { enable_thinking = false, note = "a#b" } }'))
    model = resolve("big")
    assert model.reference == (
        f'openai:{URL}#served#{{"chat_template_kwargs":{{"enable_thinking":false,"note":"a#b"}},"top_a":0.2}}'
    )
    by_hand = resolve(f'openai:{URL}#served#{{ "top_a": 0.2, "chat_template_kwargs": {{"note": "a#b", '
                      '"enable_thinking": false}}')  # fmt: skip
    assert (by_hand.name, by_hand.reference) == ("served", model.reference)
    address = parse_address(model.reference.removeprefix("openai:"))
    assert (address.base_url, address.name) == (URL, "served")
    assert address.extra == {"top_a": 0.2, "chat_template_kwargs": {"enable_thinking": False, "note": "a#b"}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("key_env = 3", "key_env is no name of an environment variable"),
        ("key_env = ''", "key_env is no name"),
        (
            "key_env = 'sk-sesame1234'",
            "expected one in capital letters, such as HOST_KEY, and the key in that variable",
        ),
        ("headers = 'sesame'", 'headers is no table; expected headers = { X-Name = "value" }.'),
        ("headers = { 'X Name' = 'sesame' }", "headers: 'X Name' is no header that can be sent along."),
        ("headers = { Content-Length = '3' }", "headers: 'Content-Length' is no header that can be sent along."),
        ("headers = { X-A = 'sesame', x-a = 'b' }", "headers: 'x-a' is there twice."),
        ('headers = { X-A = "sesame\\nX-B: c" }', "the value of header X-A cannot be sent; expected a text in ASCII"),
        ("headers = { X-A = 'sesamé' }", "the value of header X-A cannot be sent"),
        ("headers = { X-A = 3 }", "the value of header X-A cannot be sent"),
        ("headers = { X-A = ' ' }", "the value of header X-A cannot be sent"),
        ("key_env = 'K'\nheaders = { Authorization = 'Bearer sesame' }", "both key_env and headers have a key"),
        ("extra_body = 'sesame'", "extra_body is no table; expected one, such as { top_a = 0.2 }."),
        ("extra_body = { temperature = 0.2 }", "extra_body has temperature, which conditions decide"),
        ("extra_body = { a = { b = [{ api_key = 'sesame' }] } }", "extra_body has api_key, and is stored with every"),
        ("extra_body = { a = 2026-01-01 }", "extra_body has a value that JSON has not"),
        ("extra_body = { a = inf }", "extra_body has a value that JSON has not"),
        ("concurrency = 0", "concurrency is 0; expected 1 to 4,096."),
        ("concurrency = true", "concurrency is True; expected a whole number, 1 to 4,096."),
        ("timeout = 0", "timeout is 0; expected over 0 and at most 86,400."),
        ("timeout = '3'", "timeout is '3'; expected a number, over 0"),
        ("max_tokens_field = 'max_new_tokens'", "expected max_tokens or max_completion_tokens."),
        ("tokenizer = 3", 'tokenizer is 3; expected "hf:org/name[@revision]" or "hf:/path/folder".'),
        ("tokenizer = 'org/name'", "tokenizer is 'org/name'; expected \"hf:org/name"),
        ("tokenizer = 'hf:'", "tokenizer is 'hf:'; expected"),
        ("tokenizer = 'hf:/models/a.gguf'", "tokenizer is 'hf:/models/a.gguf'; expected"),
        ("tokenizer = 'hf:org/name+org/adapter'", "tokenizer is 'hf:org/name+org/adapter'; expected"),
        ("key_en = 'K'", "unknown field 'key_en'. Did you mean key_env"),
        ("header = { X-A = 'sesame' }", "unknown field 'header'. Did you mean headers"),
        ("[models.big.extra_bod]\na = 1", "unknown field 'extra_bod'. Did you mean extra_body"),
        ("[models.big.3]\na = 1", 'a name with a dot needs quotes: [models."big.3"].'),
    ],
)
def test_what_cannot_be_used_is_one_message_that_repeats_no_secret(line: str, message: str) -> None:
    models_toml(entry(line))
    with pytest.raises(InputError) as caught:
        resolve("big")
    assert str(caught.value).startswith(f"{paths.models_file()}, [models.big]: ")
    assert message in str(caught.value)
    assert "sesam" not in str(caught.value)


def test_the_folder_of_a_tokenizer_lies_beside_models_toml_and_has_one() -> None:
    models_toml(entry("tokenizer = 'hf:./tok'") + entry(name="other"))
    folder = paths.models_file().parent / "tok"
    with pytest.raises(InputError, match=r"\[models.big\], tokenizer: There is no folder .*/tok\."):
        resolve("big")
    folder.mkdir()
    with pytest.raises(InputError, match=r"\[models.big\], tokenizer: .*/tok has no tokenizer"):
        resolve("big")
    resolve("other")
    (folder / "tokenizer.json").write_text("{}")
    assert server_settings(resolve("big")).tokenizer == HfSource(str(folder))


def test_settings_of_a_server_are_of_no_other_model() -> None:
    models_toml(entry("timeout = 3", reference="hf:org/name"))
    with pytest.raises(InputError, match="timeout is of a model behind a server, and hf:org/name is none"):
        resolve("big")


def test_settings_of_a_server_that_is_started() -> None:
    models_toml(entry("timeout = 3\nconcurrency = 9", reference="vllm:org/name"))
    settings = server_settings(resolve("big"))
    assert (settings.timeout, settings.concurrency) == (3, 9)
    assert server_settings(replace(resolve("big"), name="another")).timeout == 3
    models_toml(entry("key_env = 'KEY'", reference="vllm:org/name"))
    with pytest.raises(InputError, match="key_env is of a server that somebody else runs"):
        resolve("big")


def test_fields_are_in_one_place() -> None:
    models_toml(entry("extra_body = { a = 1 }", reference=f'openai:{URL}#served#{{"b":2}}'))
    with pytest.raises(InputError, match="both extra_body and reference have fields"):
        resolve("big")
    models_toml("")
    with pytest.raises(InputError, match="The fields after the second # of an openai: address are no JSON object"):
        resolve(f"openai:{URL}#served#{{b")
    with pytest.raises(InputError, match="extra_body has seed, which conditions decide"):
        resolve(f'openai:{URL}#served#{{"seed":3}}')


def test_settings_are_of_the_server_that_they_were_given_for() -> None:
    models_toml(
        entry('key_env = "BIG_KEY"', "extra_body = { a = 1 }")
        + entry('key_env = "OTHER_KEY"', name="other", reference="openai:https://other.example/v1#served")
    )
    big = resolve("big")

    def key(model: Model) -> str:
        return server_settings(model).key_env

    assert key(big) == "BIG_KEY"
    assert key(resolve("other")) == "OTHER_KEY"
    assert key(replace(big, name="as the experiment calls it")) == "BIG_KEY"
    assert key(replace(big, name="other")) == "BIG_KEY"
    assert key(replace(big, reference=f"openai:{URL}#served")) == "BIG_KEY", "drawn before extra_body was written"
    for url in ("https://h.example:8443/v1", "http://h.example/v1", "https://h.example/v2", "https://evil.example/v1"):
        assert key(replace(big, reference=f"openai:{url}#served")) == "", url
    assert key(Model("served", f"openai:{URL}#served", "aligned")) == "", "neither its name nor its reference"


def test_secrets_of_models_toml_are_masked_and_other_headers_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIG_KEY", "open-sesame-1")
    said = "open-sesame-1 dXNlcjpzZXNhbWU= 0123456789 alignbench-evals"
    assert masked(said) == said
    models_toml(
        entry('key_env = "BIG_KEY"', 'headers = { X-Api-Key = "0123456789", X-Title = "alignbench-evals" }')
        + entry('headers = { authorization = "Basic dXNlcjpzZXNhbWU=" }', name="other")
    )
    resolve("big")
    assert masked(said) == without_keys(said) == "*** *** *** alignbench-evals"
    assert "BIG_KEY" not in environment_without_keys()
    with pytest.raises(InputError, match="address has a key in it"):
        resolve(f'openai:{URL}#served#{{"user":"0123456789"}}')
