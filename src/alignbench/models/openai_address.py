"""Addresses of models behind OpenAI-compatible servers: http://host:8000/v1#served-name."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from alignbench.errors import InputError

EXPECTED = "expected openai:http://host:8000/v1#served-name"


@dataclass(frozen=True, slots=True)
class Address:
    """A model on a server."""

    base_url: str  # where the API is, without a slash at its end
    name: str  # what the server calls the model

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base_url).netloc

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        host = urlsplit(self.base_url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")


def parse_address(target: str) -> Address:
    """The address in the target of an openai: reference. Raises InputError for anything else, and for one that holds
    a password or a key: references are stored, keys never are."""
    url, hash_sign, name = target.partition("#")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        raise InputError(f"openai:{target}: {error}; {EXPECTED}.") from None
    if parts.username or parts.password or parts.query:
        # The message does not repeat the address: what is in the way may be a secret.
        raise InputError(
            f"The address of {parts.hostname or 'the server'} has a user, a password or a query in it; {EXPECTED}, "
            "and the key in the environment variable OPENAI_API_KEY."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"openai:{target}: {url!r} is no address; {EXPECTED}.")
    if not name.strip():
        missing = "is empty" if hash_sign else "is missing"
        raise InputError(f"openai:{target}: the served model's name {missing}; {EXPECTED}.")
    return Address(url.rstrip("/"), name.strip())
