"""Who may have a page of the server: whoever knows its token, by a name of this machine."""

from __future__ import annotations

import re
import secrets

_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?", re.IGNORECASE)


def new_token() -> str:
    """256 random bits, for the path of an address."""
    return secrets.token_urlsafe(32)


def why_refused(token: str, path: str, host: str, origin: str | None, *, websocket: bool) -> str:
    """Why a request is refused, empty where it is not.

    A name that an attacker points at this machine (DNS rebinding) is no name of it; the port may be that of a tunnel.
    A page from elsewhere has another origin.

    Args:
        token: That of the server.
        path: Of the request, /TOKEN/...
        host, origin: Headers of it; None without an origin, which a websocket has to have.
    """
    if not _HOST.fullmatch(host):
        return "This server is reached as 127.0.0.1 or localhost alone."
    given = path.partition("/")[2].partition("/")[0]
    if not secrets.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        return "The address has to have the token that alignbench serve wrote."
    if origin is None:
        return "A websocket has to say where it comes from." if websocket else ""
    return "" if origin.casefold() == f"http://{host.casefold()}" else "Another page has asked for this."


def headers(host: str) -> dict[str, str]:
    """Of every answer: a page loads nothing from elsewhere, tells nobody its address, and is in no other page."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        f"img-src data: blob:; connect-src ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
