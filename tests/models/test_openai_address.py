"""Addresses of servers: what they may be, and what no message about them repeats."""

from __future__ import annotations

import pytest

from alignbench import paths
from alignbench.errors import InputError
from alignbench.models.catalog import inventory, resolve
from alignbench.models.openai_address import origin, parse_address


@pytest.mark.parametrize(
    ("target", "base_url", "name"),
    [
        ("http://host:8000/v1#served", "http://host:8000/v1", "served"),
        ("HTTP://Host:8000/V1//#Org/Served:7b", "http://host:8000/V1", "Org/Served:7b"),
        ("https://h#m", "https://h", "m"),
        (" http://[::1]:8000/v1/ # m ", "http://[::1]:8000/v1", "m"),
        ("https://bücher.example/v1#m", "https://bücher.example/v1", "m"),
        ("https://api.example/v1#@cf/meta/llama", "https://api.example/v1", "@cf/meta/llama"),
        ("http://h/teams/@a/v1#m", "http://h/teams/@a/v1", "m"),
    ],
)
def test_addresses(target: str, base_url: str, name: str) -> None:
    address = parse_address(target)
    assert (address.base_url, address.name) == (base_url, name)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("http://h/v1", "name is missing"),
        ("http://h/v1#", "name is empty"),
        ("h:8000/v1#m", "is no address"),
        ("ftp://h/v1#m", "is no address"),
        ("http:///v1#m", "is no address"),
        ("http://h /v1#m", "is no address"),
        ("http://h:0x50/v1#m", "its host or its port is none"),
        ("http://h:70000/v1#m", "its host or its port is none"),
        ("http://[::1/v1#m", "its host or its port is none"),
        ("http://h/v1/chat/completions#m", "expected the address above it: openai:http://h/v1#m"),
        ("http://h/v1/models/#m", "expected the address above it: openai:http://h/v1#m"),
    ],
)
def test_what_is_no_address(target: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_address(target)
    assert message in str(caught.value)
    assert "http://h" in str(caught.value)


@pytest.mark.parametrize(
    "target",
    [
        "http://me:sesame@h/v1#m",
        "http://sesame@h/v1#m",
        "http://me:ses#sesame@h/v1#m",
        "http://me:ses?sesame@h/v1#m",
        "http://me:ses/sesame@h/v1#m",
        "me:sesame@h:8000/v1#m",
        "http:/me:sesame@h/v1#m",
        "http://h/v1?key=sesame#m",
        "http://h/v1?#sesame",
        "http://h/v1#m?api-key=sesame",
        "http://me%3Asesame%40h/v1#m",
        "http://h/SK-sesame-1/v1#m",
        "http://h/sk-sesame-1/v1#m",
        "http://h/v1#sk-sesame-1",
        "http://h/v1#sk-sesame-1#m",
    ],
)
def test_passwords_and_keys_are_refused_and_not_repeated(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sesame-1")
    with pytest.raises(InputError) as caught:
        resolve(f"openai:{target}")
    assert "sesame" not in str(caught.value)
    assert "openai:http://host:8000/v1#served-name" in str(caught.value)


@pytest.mark.parametrize("scheme", ["", "opnai:", "OPENAI:", "llama:"])
def test_a_password_is_not_repeated_where_the_reference_is_no_server_s(scheme: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(f"{scheme}http://me:sesame@h/v1#m")
    assert "sesame" not in str(caught.value)


def test_a_password_in_models_toml_is_not_shown() -> None:
    paths.models_file().parent.mkdir(parents=True, exist_ok=True)
    paths.models_file().write_text('[models.big]\nreference = "openai:http://me:sesame@h:1/v1#served"\n')
    (status,) = (status for status in inventory() if status.name == "big")
    assert "password" in status.problem
    assert "sesame" not in repr(status)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost:1", True),
        ("LocalHost.", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9:1", True),
        ("127.1", True),
        ("0.0.0.0:8000", True),
        ("[::1]:1", True),
        ("[::]:1", True),
        ("[::ffff:127.0.0.1]", True),
        ("127.0.0.1.example", False),
        ("10.0.0.1", False),
        ("[fd00::1]", False),
        ("localhost.example", False),
        ("abc", False),
    ],
)
def test_which_servers_are_on_this_machine(host: str, local: bool) -> None:
    assert parse_address(f"http://{host}/v1#m").is_local == local


def test_origins() -> None:
    assert origin("HTTP://H/v1") == origin("http://h:80") == ("http", "h", 80)
    assert origin("https://h") == ("https", "h", 443)
    with pytest.raises(ValueError, match="expected http"):
        origin("h:80")
