"""Addresses of models behind OpenAI-compatible servers: http://host:8000/v1#served-name.

A second # begins the fields that every request gets, a JSON object: http://host:8000/v1#served-name#{"top_a":0.2}.
They come from `extra_body` in models.toml, and are part of the address because they change what the model says.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote, urlsplit

from alignbench.errors import InputError
from alignbench.masking import OPENAI_KEY, without_keys
from alignbench.models.server_settings import written_extra
from alignbench.parsing import parse_json

EXPECTED = "expected openai:http://host:8000/v1#served-name"

ENDPOINTS = ("/chat/completions", "/completions", "/models")  # what is found below an address
_PORTS = {"http": 80, "https": 443}
_QUERY = re.compile(r"[?&][\w-]+=")
_OLD_IPV4 = re.compile(r"(?:0x)?[0-9a-f]+(?:\.(?:0x)?[0-9a-f]+){0,3}")  # 127.1


@dataclass(frozen=True, slots=True)
class Address:
    """A model on a server."""

    base_url: str  # where the API is, without a slash at its end; scheme and host in lower case
    name: str  # what the server calls the model
    extra_body: str = ""  # JSON of the fields that every request gets, empty for none

    @property
    def extra(self) -> dict[str, Any]:
        """The fields that every request gets."""
        fields: dict[str, Any] = parse_json(self.extra_body) if self.extra_body else {}
        return fields

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base_url).netloc

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        return _is_local(urlsplit(self.base_url).hostname or "")


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL: what belongs to one server. ValueError where it has none."""
    parts = urlsplit(url.strip())
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"expected {' or '.join(_PORTS)}://host")
    return parts.scheme, parts.hostname, _PORTS[parts.scheme] if parts.port is None else parts.port


def parse_address(target: str) -> Address:
    """The address in the target of an openai: reference. Raises InputError for anything else, and for one that holds
    a password or a key: references are stored, keys never are."""
    if without_keys(target) != target:
        raise InputError(f"An openai: address has a key in it, as that of {OPENAI_KEY}; {EXPECTED}, without the key.")
    target, extra_body = parted_extra(target)
    url, hash_sign, name = (part.strip() for part in target.partition("#"))
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        # The messages do not repeat an address that cannot be told apart: what is in the way may be a secret.
        raise InputError(f"An openai: address cannot be read: its host or its port is none; {EXPECTED}.") from None
    if "@" in unquote(parts.netloc or url) or "?" in url or "#" in name or _QUERY.search(name):
        host = parts.hostname if parts.hostname and "%" not in parts.hostname else "a server"
        raise InputError(
            f"The address of {host} has a user, a password, a query or a second # in it; {EXPECTED}, and the key in "
            "an environment variable, which models.toml names: key_env."
        )
    if parts.scheme not in _PORTS or not parts.hostname or not url.isprintable() or " " in url:
        raise InputError(f"openai:{target}: {url!r} is no address; {EXPECTED}.")
    base_url = f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
    if not name:
        missing = "is empty" if hash_sign else "is missing"
        raise InputError(f"openai:{target}: the served model's name {missing}; {EXPECTED}.")
    return Address(_without_endpoint(base_url, name), name, extra_body)


def parted_extra(target: str) -> tuple[str, str]:
    """An address without the fields of its requests, and their canonical JSON. InputError where they cannot be read."""
    address, begin, rest = target.partition("#{")
    if not begin:
        return target, ""
    try:
        fields = parse_json("{" + rest)
    except ValueError as error:
        raise InputError(f"The fields after the second # of an openai: address are no JSON object: {error}.") from None
    return address.strip(), written_extra(fields)


def with_extra(target: str, extra_body: str) -> str:
    """An address with the fields of its requests; it must have none yet."""
    return f"{target}#{extra_body}" if extra_body else target


def _without_endpoint(base_url: str, name: str) -> str:
    if endpoint := next((each for each in ENDPOINTS if base_url.endswith(each)), None):
        meant = base_url.removesuffix(endpoint)
        raise InputError(f"{base_url} is an endpoint; expected the address above it: openai:{meant}#{name}")
    return base_url


def _is_local(host: str) -> bool:
    host = host.partition("%")[0].rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        place = ip_address(socket.inet_aton(host) if _OLD_IPV4.fullmatch(host) else host)
    except (OSError, ValueError):
        return False
    place = getattr(place, "ipv4_mapped", None) or place
    return place.is_loopback or place.is_unspecified
