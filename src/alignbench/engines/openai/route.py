"""How a server is reached and who may see the key: proxies and keys of the environment.

A key goes to the server it was given for and to no other. The one of OPENAI_API_KEY is for the server of
OPENAI_BASE_URL where that is set, else for api.openai.com; a model in models.toml may name it, or another one, for its
own server. What is sent through a proxy over plain http the proxy reads too, so a key is not sent that way.
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
from alignbench.models.server_settings import ServerSettings

OWN_SERVER = "OPENAI_BASE_URL"
OPENAI_SERVER = "https://api.openai.com"

_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class Route:
    """Attributes:
    headers: (name, value), of every request; among them what gives access
    access: what is to be said where the server refuses it, without what is secret
    proxy: URL of the proxy on the way, None for none. May hold a password
    called: what messages call the server; empty for its address
    """

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    access: str = ""
    proxy: str | None = field(default=None, repr=False)
    called: str = ""


def route_to(address: Address, settings: ServerSettings | None = None) -> Route:
    """The way to a server. Raises EngineError where the environment or models.toml ask for what cannot be done."""
    settings = settings or ServerSettings()
    proxy = None if address.is_local else _proxy(address)
    variable = settings.key_env or (OPENAI_KEY if _is_own(address) else "")
    key = os.environ.get(variable, "").strip() if variable and not settings.authorizes else ""
    if key and not all("!" <= character <= "~" for character in key):
        raise EngineError(
            f"The key in {variable} has a character that no key has, such as a typographic quote, a space or a line "
            "break: copy it again."
        )
    if proxy is not None and address.base_url.startswith("http:") and (key or settings.secrets):
        secret, unset = (f"the key in {variable}", f"unset {variable}") if key else ("the headers", "leave them out")
        raise EngineError(
            f"The proxy on the way to {address.base_url} would read {secret}: take https, or name the host in "
            f"NO_PROXY, or {unset}."
        )
    bearer = (("Authorization", f"Bearer {key}"),) if key else ()
    return Route((*bearer, *settings.headers), _access(settings, variable, key), proxy)


def _access(settings: ServerSettings, variable: str, key: str) -> str:
    if settings.authorizes:
        return "The Authorization that the headers in models.toml have was not accepted."
    if variable:
        state = "set, but not accepted" if key else "not set"
        return f"The key is read from the environment variable {variable}, which is {state}."
    for_whom = f"that of {OWN_SERVER}" if os.environ.get(OWN_SERVER, "").strip() else "api.openai.com"
    elsewhere = f" {OPENAI_KEY} is for another server ({for_whom}) and was not sent." if _openai_key() else ""
    return f'No key was sent: models.toml has none for this server (key_env = "NAME_OF_THE_VARIABLE").{elsewhere}'


def _openai_key() -> str:
    return os.environ.get(OPENAI_KEY, "").strip()


def _is_own(address: Address) -> bool:
    """Whether the key of the environment is for this server."""
    own = os.environ.get(OWN_SERVER, "").strip() or OPENAI_SERVER
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
