"""How a server is reached and who may see the key: proxies and keys of the environment.

The key goes to the server it is for: the one of OPENAI_BASE_URL where that is set, else the one that a reference names.
What is sent through a proxy over plain http the proxy reads too, so a key is not sent that way.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies

from alignbench.errors import EngineError
from alignbench.masking import OPENAI_KEY
from alignbench.models.openai_address import Address, origin

OWN_SERVER = "OPENAI_BASE_URL"

_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class Route:
    """Attributes:
    key: what is sent along; empty for none
    no_key: why none is sent, in words that go with the variable's name
    proxy: URL of the proxy on the way, None for none. May hold a password
    """

    key: str = field(default="", repr=False)
    no_key: str = ""
    proxy: str | None = field(default=None, repr=False)


def route_to(address: Address) -> Route:
    """The way to a server. Raises EngineError where the environment asks for what cannot be done."""
    proxy = None if address.is_local else _proxy(address)
    key = os.environ.get(OPENAI_KEY, "").strip()
    if not key:
        return Route("", "not set", proxy)
    if not _is_own(address):
        return Route("", f"for the server of {OWN_SERVER} and was not sent", proxy)
    if not all("!" <= character <= "~" for character in key):
        raise EngineError(
            f"The key in {OPENAI_KEY} has a character that no key has, such as a typographic quote, a space or a line "
            "break: copy it again."
        )
    if proxy is not None and address.base_url.startswith("http:"):
        raise EngineError(
            f"The proxy on the way to {address.base_url} would read the key in {OPENAI_KEY}: take https, or name the "
            f"host in NO_PROXY, or unset {OPENAI_KEY}."
        )
    return Route(key, "", proxy)


def _is_own(address: Address) -> bool:
    own = os.environ.get(OWN_SERVER, "").strip()
    if not own:
        return True
    try:
        return origin(own) == origin(address.base_url)
    except ValueError:
        return False


def _proxy(address: Address) -> str | None:
    """The proxy that the environment has for an address."""
    scheme, host, port = origin(address.base_url)
    proxies = getproxies()
    if any(_covers(entry, host, port) for entry in re.split(r"[,\s]+", proxies.get("no", ""))):
        return None
    kind = next((kind for kind in (scheme, "all") if proxies.get(kind, "").strip()), None)
    if kind is None:
        return None
    url = proxies[kind].strip()
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        readable = parts.scheme in _PROXY_SCHEMES and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        readable = False
    if not readable:
        raise EngineError(
            f"The proxy in {kind.upper()}_PROXY cannot be used; expected {', '.join(_PROXY_SCHEMES[:-1])} or "
            f"{_PROXY_SCHEMES[-1]}://host:port. To go without it, name {host} in NO_PROXY."
        )
    return parts.geturl()


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY is about a host: its name, a domain, an address, a network; perhaps with a port."""
    if entry == "*":
        return True
    entry = entry.rpartition("://")[2].lower()
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        wanted = rest.removeprefix(":")
    elif entry.count(":") == 1:
        name, _, wanted = entry.partition(":")
    else:
        name, wanted = entry, ""
    if wanted not in ("", str(port)) or not name.strip("*."):
        return False
    try:
        number = ip_address(host)
    except ValueError:
        domain = name.removeprefix("*").removeprefix(".").rstrip(".")
        return host.rstrip(".") == domain or host.rstrip(".").endswith(f".{domain}")
    try:
        return number in ip_network(name, strict=False)
    except ValueError:
        return False
