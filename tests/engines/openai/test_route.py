"""Which way a request goes, and where the key goes."""

from __future__ import annotations

import pytest

from alignbench.engines.openai.route import route_to
from alignbench.errors import EngineError
from alignbench.models.openai_address import parse_address
from alignbench.models.server_settings import ServerSettings

PROXY = "http://proxy:3128"


def proxy_to(url: str) -> str | None:
    return route_to(parse_address(f"{url}/v1#m")).proxy


@pytest.mark.parametrize(
    "no_proxy",
    [
        "[::1],10.0.0.0/8",
        "10.1.2.3",
        "10.1.2.3:8000",
        " , bad[entry , 10.1.2.0/24",
        "*",
        "http://10.1.2.3",
    ],
)
def test_no_proxy_takes_a_server_out(no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_to("http://10.1.2.3:8000") is None


@pytest.mark.parametrize(
    "no_proxy",
    ["", "[::1]", "11.0.0.0/8", "10.1.2.3:80", "1.2.3", "10.1.2.3/99", "[", "[::1", ",,", "...", ":8000", "http://"],
)
def test_other_entries_do_not(no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_to("http://10.1.2.3:8000") == PROXY


@pytest.mark.parametrize("no_proxy", ["example.org", ".example.org", "*.example.org", "EXAMPLE.org.", "a.example.org"])
def test_domains_of_no_proxy(no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", PROXY)
    monkeypatch.setenv("no_proxy", no_proxy)
    assert proxy_to("https://a.example.org") is None
    assert proxy_to("https://badexample.org") == PROXY


def test_ipv6_in_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    for entry in ("fd00::1", "[fd00::1]", "[fd00::1]:8000", "fd00::/8", "[fd00::]/8"):
        monkeypatch.setenv("NO_PROXY", entry)
        expected = PROXY if entry == "[fd00::]/8" else None  # no spelling of a network
        assert proxy_to("http://[fd00::1]:8000") == expected, entry


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "[::1]", "0.0.0.0", "[::]", "a.localhost"])
def test_this_machine_is_reached_without_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("ALL_PROXY", "nonsense://")
    assert proxy_to(f"http://{host}:8000") is None


@pytest.mark.parametrize(
    ("value", "proxy"),
    [
        ("proxy:3128", "http://proxy:3128"),
        ("HTTP://proxy:3128", "http://proxy:3128"),
        ("socks5://me:pa@proxy", "socks5://me:pa@proxy"),
        (" http://proxy ", "http://proxy"),
        ("", None),
        ("  ", None),
    ],
)
def test_proxies(value: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", value)
    assert proxy_to("http://h") == proxy_to("https://h") == proxy


@pytest.mark.parametrize(
    "value", ["socks4://p", "ftp://p", "http://", "http://me:sesame@p:x", "direct://", "http://[p"]
)
def test_a_proxy_that_cannot_be_used_is_one_message(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", value)
    with pytest.raises(
        EngineError, match=r"The proxy in HTTP_PROXY cannot be used; expected http, https, socks5 or"
    ) as c:
        proxy_to("http://h")
    assert "sesame" not in str(c.value)


# The key


OPENAI = "https://api.openai.com"


def key_to(url: str, settings: ServerSettings | None = None) -> str:
    headers = dict(route_to(parse_address(f"{url}/v1#m"), settings).headers)
    return headers.get("Authorization", "").removeprefix("Bearer ")


def access(url: str, settings: ServerSettings | None = None) -> str:
    return route_to(parse_address(f"{url}/v1#m"), settings).access


def test_the_key_of_the_environment_goes_to_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "OPENAI_API_KEY, which is not set" in access(OPENAI)
    assert "OPENAI_API_KEY" not in access("http://127.0.0.1:8000")
    monkeypatch.setenv("OPENAI_API_KEY", " sk-1\n")
    assert key_to(OPENAI) == key_to("https://API.openai.com:443") == "sk-1"
    for url in (
        "http://api.openai.com",
        "https://api.openai.com:8443",
        "https://api.openai.com.example",
        "https://openai.com",
        "http://127.0.0.1:8000",
        "http://localhost",
        "https://h",
    ):
        assert key_to(url) == "", url
        assert "OPENAI_API_KEY is for another server (api.openai.com) and was not sent" in access(url)
        assert "key_env" in access(url)
    assert "sk-1" not in repr(route_to(parse_address(f"{OPENAI}/v1#m")))


def test_a_model_says_which_variable_holds_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("HOST_KEY", " host-2\n")
    assert key_to("https://h", ServerSettings(key_env="OPENAI_API_KEY")) == "sk-1"
    assert key_to("https://h", ServerSettings(key_env="HOST_KEY")) == "host-2"
    assert key_to(OPENAI, ServerSettings(key_env="HOST_KEY")) == "host-2"
    assert key_to(OPENAI, ServerSettings(key_env="NOT_THERE")) == "", "no other key takes its place"
    assert access("https://h", ServerSettings(key_env="NOT_THERE")).endswith("variable NOT_THERE, which is not set.")
    own = ServerSettings(headers=(("authorization", "Basic abcdefgh"), ("X-Team", "evals")))
    route = route_to(parse_address(f"{OPENAI}/v1#m"), own)
    assert route.headers == own.headers, "one Authorization"
    assert "headers in models.toml" in route.access
    assert "abcdefgh" not in f"{route!r} {own!r} {route.access}"


def test_a_key_that_is_named_for_a_server_goes_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-“1”")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://own.example/v1")
    for url in ("http://own.example", "https://own.example:8443", "https://other.example", "https://own.example.org"):
        assert key_to(url) == ""
    assert "another server (that of OPENAI_BASE_URL)" in access("http://h")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    assert key_to("https://OWN.example:443") == "sk-1"
    assert key_to(OPENAI) == ""
    monkeypatch.setenv("OPENAI_BASE_URL", "nonsense")
    assert key_to("https://own.example") == ""


@pytest.mark.parametrize("key", ["sk-”sesame", "sk sesame", "sk\nsesame", "sk-ésesame", "sk\tsesame", "sk\x7fsesame"])
def test_a_key_that_is_none_is_one_message_without_it(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(EngineError, match="typographic quote, a space or a line break: copy it again") as caught:
        key_to(OPENAI)
    assert "sesame" not in str(caught.value)


def test_a_key_does_not_pass_a_proxy_that_reads_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://me:sesame@proxy:1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-12345678")
    keyed = ServerSettings(key_env="OPENAI_API_KEY")
    assert key_to("https://h", keyed) == "sk-12345678"
    with pytest.raises(EngineError, match="would read the key in OPENAI_API_KEY: take https, or name") as caught:
        key_to("http://h", keyed)
    assert "sesame" not in str(caught.value)
    with pytest.raises(EngineError, match="would read the headers: take https") as caught:
        key_to("http://h", ServerSettings(headers=(("X-Api-Key", "sesame1234"),)))
    assert "sesame" not in str(caught.value)
    assert key_to("http://h", ServerSettings(headers=(("X-Team", "evals"),))) == ""
    monkeypatch.setenv("NO_PROXY", "h")
    assert key_to("http://h", keyed) == "sk-12345678"
