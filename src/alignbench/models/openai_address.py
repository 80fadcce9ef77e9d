"""Addresses of models behind OpenAI-compatible servers: http://host:8000/v1#served-name."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from alignbench.errors import InputError
from alignbench.masking import OPENAI_KEY, without_keys

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
    url, hash_sign, name = (part.strip() for part in target.partition("#"))
    if without_keys(target) != target:
        raise InputError(f"An openai: address has the key of {OPENAI_KEY} in it; {EXPECTED}, without the key.")
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
            f"the environment variable {OPENAI_KEY}."
        )
    if parts.scheme not in _PORTS or not parts.hostname or not url.isprintable() or " " in url:
        raise InputError(f"openai:{target}: {url!r} is no address; {EXPECTED}.")
    base_url = f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
    if not name:
        missing = "is empty" if hash_sign else "is missing"
        raise InputError(f"openai:{target}: the served model's name {missing}; {EXPECTED}.")
    return Address(_without_endpoint(base_url, name), name)


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
