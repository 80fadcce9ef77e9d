"""HTTP to an OpenAI-compatible server: what its answers mean, which failures are worth another try.

Keys come from the environment (OPENAI_API_KEY) and go nowhere but into the request's header.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import httpx

from alignbench.engines.openai.event_stream import ServerEvent, begins_as_events, server_sent
from alignbench.errors import EngineError
from alignbench.models.openai_address import Address

CONNECT_SECONDS = 5.0
READ_SECONDS = 120.0  # of silence; a long prompt on a slow server takes this long before its first token
ATTEMPTS = 5
BACKOFF_SECONDS = 0.5  # before the second attempt; doubled each time, give or take a half
WAIT_SECONDS = 120.0  # most that one request waits between its attempts, all together

KEY_VARIABLE = "OPENAI_API_KEY"

DONE: Final[dict[str, Any]] = {}  # the event that says: nothing more comes

_RETRIED = frozenset((429, 500, 502, 503, 504))

T = TypeVar("T")


class ServerError(EngineError):
    """A request failed. retry: another try may help. after: seconds the server asks to wait. status: of HTTP, 0
    without an answer. param: the field of the request that the server names. detail: what the server said."""

    def __init__(
        self,
        message: str,
        *,
        retry: bool = False,
        after: float | None = None,
        status: int = 0,
        param: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.retry = retry
        self.after = after
        self.status = status
        self.param = param
        self.detail = detail

    @property
    def about_request(self) -> bool:
        """Whether the server refuses the request as it is written."""
        return self.status in (400, 422)


async def retrying(attempt: Callable[[], Awaitable[T]]) -> T:
    """Call until it succeeds: at most ATTEMPTS times, with growing waits or those that the server asks for."""
    waited = 0.0
    for tries in range(1, ATTEMPTS + 1):
        try:
            return await attempt()
        except ServerError as error:
            wait = error.after
            if wait is None:
                wait = BACKOFF_SECONDS * 2 ** (tries - 1) * random.uniform(0.5, 1.5)
            if not error.retry:
                raise
            if tries == ATTEMPTS:
                raise ServerError(f"{error} Given up after {tries} tries.", status=error.status) from None
            if waited + wait > WAIT_SECONDS:
                raise ServerError(f"{error} It asks to wait {wait:.0f} s; given up.", status=error.status) from None
            waited += wait
            await asyncio.sleep(wait)
    raise AssertionError("unreachable")


class Http:
    """Requests to one server. To be used from one event loop."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if (key := os.environ.get(KEY_VARIABLE, "").strip()) else {},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
            trust_env=not address.is_local,  # a proxy is for other machines
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, path: str) -> Any:
        """The JSON answer. Raises ServerError."""
        with self._translated():
            response = await self._client.get(self._address.base_url + path)
        return self._json(response, path)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON answer. Raises ServerError."""
        with self._translated():
            response = await self._client.post(self._address.base_url + path, **_encoded(body))
        return self._json(response, path)

    async def stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a streamed answer, and DONE where the server says that these are all.

        A server that does not stream gives its whole answer as one event. Raises ServerError.
        """
        url = self._address.base_url + path
        with self._translated():
            async with self._client.stream("POST", url, **_encoded(body)) as response:
                kind = response.headers.get("content-type", "")
                if response.status_code != 200 or "text/event-stream" not in kind:
                    await response.aread()
                    if response.status_code != 200 or not begins_as_events(response.content):
                        yield self._unfailed(self._json(response, path))
                        yield DONE
                        return
                async with aclosing(server_sent(response.aiter_bytes())) as events:
                    async for event in events:
                        if event.data.strip() == "[DONE]":
                            yield DONE
                            return
                        if not event.is_idle:
                            yield self._value(event)
                        if event.whole:
                            yield DONE

    def _value(self, event: ServerEvent) -> dict[str, Any]:
        try:
            value = json.loads(event.data)
        except RecursionError:
            raise ServerError(f"{self._who} streamed an event that is nested too deeply.") from None
        except ValueError:
            if event.kind == "error":
                raise self._failed(event.data) from None
            if not event.data.lstrip().startswith("{"):
                raise ServerError(f"{self._who} streamed {event.data[:80]!r}, which is no event.") from None
            raise ServerError(f"{self._who} broke its stream off in the middle of an event.", retry=True) from None
        if event.kind == "error":
            raise self._failed(value)
        if not isinstance(value, dict):
            raise ServerError(f"{self._who} streamed {event.data[:80]!r}, which is no event.")
        return self._unfailed(value)

    def _unfailed(self, answer: dict[str, Any]) -> dict[str, Any]:
        if error := answer.get("error"):
            raise self._failed(error)
        return answer

    def _failed(self, error: object) -> ServerError:
        """What a server says when it fails while it generates."""
        said = error if isinstance(error, dict) and "error" in error else {"error": error}
        detail, param, code = _detail(said)
        status = code if isinstance(code, int) else 500
        return ServerError(
            f"{self._who} failed while it generated: {detail}", retry=status in _RETRIED, status=status, param=param
        )

    def _json(self, response: httpx.Response, path: str) -> dict[str, Any]:
        status = response.status_code
        if status >= 300:
            raise self._refusal(response, path)
        try:
            value = response.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ServerError(f"{self._who} answered {path} with {_nature(response)}. {self._hint()}")
        return value

    def _refusal(self, response: httpx.Response, path: str) -> ServerError:
        status = response.status_code
        try:
            detail, param, _ = _detail(response.json())
        except ValueError:
            detail, param = "", ""
        reason = f": {detail}" if detail else f" and {_nature(response)}."
        message = f"{self._who} answered {path} with status {status}{reason}"
        if status in (401, 403):
            has_key = "Authorization" in self._client.headers
            message = f"{self._who} refuses access (status {status}). The key is read from the environment variable "
            message += f"{KEY_VARIABLE}, which is {'set, but not accepted' if has_key else 'not set'}."
        elif 300 <= status < 400 or (status == 404 and "model" not in detail.lower()):
            message = f"{self._who} has no {path} at this address (status {status}). {self._hint()}"
        return ServerError(
            message, retry=status in _RETRIED, after=_after(response), status=status, param=param, detail=detail
        )

    @property
    def _who(self) -> str:
        return f"The server at {self._address.base_url}"

    def _hint(self) -> str:
        if self._address.base_url.endswith("/v1"):
            return "Is it an OpenAI-compatible server?"
        return f"Most servers want /v1 at the end: {self._address.base_url}/v1#{self._address.name}"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectTimeout:
            raise ServerError(f"{self._who} did not answer within {CONNECT_SECONDS:.0f} s.", retry=True) from None
        except httpx.ConnectError as error:
            reason = str(error) or "no connection"
            raise ServerError(f"{self._who} cannot be reached ({reason}). Is it running?", retry=True) from None
        except httpx.TimeoutException:
            raise ServerError(
                f"{self._who} sent nothing for {READ_SECONDS:.0f} s. Is it overloaded, or the prompt very long?"
            ) from None
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise ServerError(f"{self._who} broke the connection off ({reason}).", retry=True) from None
        except (httpx.DecodingError, httpx.InvalidURL) as error:
            raise ServerError(f"{self._who}: {error}.") from None


def _encoded(body: dict[str, Any]) -> dict[str, Any]:
    # In ASCII: a lone surrogate in a prompt has no UTF-8, but it has an escape in JSON.
    return {"content": json.dumps(body).encode("ascii"), "headers": {"Content-Type": "application/json"}}


def _detail(answer: object) -> tuple[str, str, object]:
    """(message, name of the field it is about, code) of an error in any of the shapes servers use."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(error, str):
        return error, "", None
    if not isinstance(error, dict):
        return "", "", None
    if isinstance(error.get("detail"), list):  # FastAPI: [{"loc": ["body", FIELD], "msg": ...}]
        first = next((item for item in error["detail"] if isinstance(item, dict)), {})
        where = [str(part) for part in first.get("loc", ()) if part != "body"]
        return f"{'.'.join(where)}: {first.get('msg', '')}", where[0] if where else "", None
    message = error.get("message") or error.get("detail") or error.get("error") or ""
    return str(message), str(error.get("param") or ""), error.get("code")


def _after(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header (a number of seconds, or a date); None without one that can be read."""
    value = response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a time zone
        return None


def _nature(response: httpx.Response) -> str:
    body = response.text.lstrip()
    if "html" in response.headers.get("content-type", "") or body[:1] == "<":
        return "a web page (HTML) where JSON was expected"
    return f"{body[:80]!r} where a JSON object was expected" if body else "nothing"
