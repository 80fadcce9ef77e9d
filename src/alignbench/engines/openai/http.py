"""HTTP to an OpenAI-compatible server: what its answers mean, which failures are worth another try.

Keys come from the environment and go nowhere but into the header of a request to the server they are for; see `route`.
What comes back is without them.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import httpx

from alignbench.engines import server_traffic
from alignbench.engines.openai.event_stream import MOST_BYTES, ServerEvent, begins_as_events, server_sent
from alignbench.engines.openai.route import Route, route_to
from alignbench.engines.openai.server_error import (
    RETRIED,
    Said,
    ServerError,
    excerpt,
    failure_in,
    nature,
    refusal_words,
    said,
)
from alignbench.errors import EngineError
from alignbench.extras import package_line
from alignbench.masking import json_without_keys
from alignbench.models.openai_address import Address, origin
from alignbench.models.server_settings import ServerSettings
from alignbench.parsing import TooDeep, parse_json

CONNECT_SECONDS = 5.0
READ_SECONDS = 120.0  # of silence; a long prompt on a slow server takes this long before its first token
ANSWER_SECONDS = 300.0  # from the head of an answer that is not streamed to its end
IDLE_SECONDS = 600.0  # of a stream in which nothing comes but signs of life
ATTEMPTS = 5
BACKOFF_SECONDS = 0.5  # before the second attempt; doubled each time, give or take a half
WAIT_SECONDS = 120.0  # most that one request waits between its attempts, all together

_MOST_OF_REFUSAL = 64 << 10  # that is read of the body of a refusal
_MOVES = 5  # addresses that one request is sent on to by its server

DONE: Final[dict[str, Any]] = {}  # the event that says: nothing more comes

T = TypeVar("T")


async def retrying(attempt: Callable[[], Awaitable[T]]) -> T:
    """Call until it succeeds: at most ATTEMPTS times, with growing waits or those that the server asks for."""
    waited = 0.0
    for tries in range(1, ATTEMPTS + 1):
        try:
            return await attempt()
        except ServerError as error:
            backoff = BACKOFF_SECONDS * 2 ** (tries - 1) * random.uniform(0.5, 1.5)
            wait = max(backoff, error.after or 0.0)
            if not error.retry:
                raise
            if tries == ATTEMPTS:
                raise ServerError(f"{error} Given up after {tries} tries.", status=error.status) from None
            if waited + wait > WAIT_SECONDS:
                raise ServerError(f"{error} It asks to wait {wait:.0f} s; given up.", status=error.status) from None
            waited += wait
            await asyncio.sleep(wait)
    raise AssertionError("unreachable")


async def posted(http: Http, path: str, body: dict[str, Any], final: Collection[int]) -> dict[str, Any]:
    """What a server answers, tried as `retrying` does, but not again after one of the `final` statuses."""

    async def attempt() -> dict[str, Any]:
        try:
            return await http.post(path, body)
        except ServerError as error:
            error.settle(final)
            raise

    return await retrying(attempt)


class Http:
    """Requests to one server. To be used from one event loop. Raises EngineError where there is no way to it."""

    def __init__(
        self,
        address: Address,
        settings: ServerSettings | None = None,
        route: Route | None = None,
        why_gone: Callable[[], str] | None = None,
    ) -> None:
        """route: None for that of the environment and the settings. why_gone: see OpenAIEngine."""
        settings = settings or ServerSettings()
        self._address = address
        self._extra = address.extra
        self._route = route or route_to(address, settings)
        self._why_gone = why_gone or (lambda: "")
        self._timeout = settings.timeout
        self._client = httpx.AsyncClient(
            headers=dict(self._route.headers),
            timeout=httpx.Timeout(self._timeout or READ_SECONDS, connect=CONNECT_SECONDS, pool=None),
            transport=_transport(self._route),
            trust_env=False,  # the route has what there is to know of the environment
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, path: str) -> Any:
        """The JSON answer, an object or a list. Raises ServerError."""
        return await self._ask("GET", path)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON answer. Raises ServerError."""
        return self._object(await self._ask("POST", path, body), path)

    async def tell(self, path: str, body: dict[str, Any]) -> None:
        """Send what is answered with a status alone, and perhaps words. Raises ServerError."""
        async with self._answer("POST", path, body) as response:
            said = await self._body(response, path)
            if response.status_code >= 300:
                raise self._refusal(response, said, response.headers.get("content-type", ""), path)

    def _object(self, answer: Any, path: str) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise ServerError(f"{self.who} answered {path} with a list where a JSON object was expected.")
        return answer

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        async with self._answer(method, path, body) as response:
            return await self._whole(response, path)

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> AsyncIterator[httpx.Response]:
        """The server's answer, which is still to be read. Where the server says that it lies elsewhere on itself, it is
        fetched from there."""
        whole = None if body is None else {**body, **self._extra}
        content = {} if whole is None else _encoded(whole)
        with self._translated():
            url = httpx.URL(self._address.base_url + path)
            for _ in range(_MOVES):
                with server_traffic.request(method, str(url), whole) as answered:
                    async with self._client.stream(method, url, **content) as response:
                        answered(response.status_code)
                        moved = self._moved(response, path)
                        if moved is None:
                            yield response
                            return
                        url = moved
        raise ServerError(f"{self.who} sends {path} round in circles, from address to address.")

    def _moved(self, response: httpx.Response, path: str) -> httpx.URL | None:
        """Where the server sends a request on to; None where it answers it. Raises ServerError where that is another
        server, which is to get neither prompts nor a key, or would be another request."""
        status = response.status_code
        if status not in (301, 302, 303, 307, 308) or not (location := response.headers.get("location")):
            return None
        try:
            target = response.url.join(location).copy_with(fragment=None)
            same = origin(str(target)) == origin(self._address.base_url)
        except (httpx.InvalidURL, ValueError):
            raise self._lost() from None
        if same and not target.userinfo and (response.request.method == "GET" or status in (307, 308)):
            return target
        place = excerpt(str(target).removesuffix(path), 200)
        raise ServerError(
            f"{self.who} sends {path} on to {place} (status {status}). If that is right, name that address: "
            f"openai:{place}#{self._address.name}"
        )

    async def _whole(self, response: httpx.Response, path: str) -> Any:
        """The JSON of an answer, an object or a list, without keys. Raises ServerError for a refusal."""
        return self._parsed(response, await self._body(response, path), path)

    async def _body(self, response: httpx.Response, path: str) -> bytes:
        most = _MOST_OF_REFUSAL if response.status_code >= 300 else MOST_BYTES
        async with asyncio.timeout(max(ANSWER_SECONDS, self._timeout)):
            body = await _read(response, most)
        if most == MOST_BYTES < len(body):
            raise ServerError(f"{self.who} answered {path} with over {MOST_BYTES >> 20} MiB.")
        return body

    def _parsed(self, response: httpx.Response, body: bytes, path: str) -> Any:
        kind = response.headers.get("content-type", "")
        if response.status_code >= 300:
            raise self._refusal(response, body, kind, path)
        try:
            value = json_without_keys(parse_json(body))
        except ValueError:
            value = None
        if not isinstance(value, dict | list):
            raise ServerError(f"{self.who} answered {path} with {nature(body, kind)}. {self._hint()}")
        return self._unfailed(value, path, after=_after(response))

    def _unfailed(self, answer: Any, path: str, after: float | None = None) -> Any:
        """An answer that is no error."""
        if failure := failure_in(answer):
            words = excerpt(failure.words) or "without words"
            raise _error(f"{self.who} answered {path} with an error: {words}", failure, failure.code, after)
        return answer

    async def stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a streamed answer, and DONE where the server says that these are all.

        A server that does not stream gives its whole answer as one event. Raises ServerError.
        """
        async with self._answer("POST", path, body) as response:
            chunks = response.aiter_bytes()
            if response.status_code != 200 or "text/event-stream" not in response.headers.get("content-type", ""):
                whole = await self._body(response, path)
                if response.status_code != 200 or not begins_as_events(whole):
                    yield self._object(self._parsed(response, whole, path), path)
                    yield DONE
                    return
                chunks = _one(whole)
            async with aclosing(self._spoken(server_sent(chunks))) as events:
                async for event in events:
                    if event.data.strip() == "[DONE]":
                        yield DONE
                        return
                    yield self._value(event, path)
                    if event.whole:
                        yield DONE

    async def _spoken(self, events: AsyncGenerator[ServerEvent, None]) -> AsyncGenerator[ServerEvent, None]:
        """Events without those that only keep a connection alive. Raises ServerError where nothing else comes."""
        clock = asyncio.get_running_loop().time
        since, patience = clock(), max(IDLE_SECONDS, self._timeout)
        async with aclosing(events):
            while True:
                try:
                    async with asyncio.timeout_at(since + patience):
                        event = await anext(events)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise ServerError(
                        f"{self.who} has kept the connection alive for {patience:.0f} s without a word."
                    ) from None
                if not event.is_idle:
                    yield event
                    since = clock()

    def _value(self, event: ServerEvent, path: str) -> dict[str, Any]:
        try:
            value = json_without_keys(parse_json(event.data))
        except TooDeep:
            raise ServerError(f"{self.who} streamed an event that is nested too deeply.") from None
        except ValueError:
            if event.kind == "error":
                raise self._failed(event.data) from None
            if not event.data.lstrip().startswith("{"):
                raise ServerError(f"{self.who} streamed {excerpt(event.data, 80)!r}, which is no event.") from None
            raise ServerError(f"{self.who} broke its stream off in the middle of an event.", retry=True) from None
        if event.whole:
            value = self._unfailed(value, path)
        if event.kind == "error" or (isinstance(value, dict) and value.get("error")):
            raise self._failed(value)
        if not isinstance(value, dict):
            raise ServerError(f"{self.who} streamed {excerpt(event.data, 80)!r}, which is no event.")
        return value

    def _failed(self, error: object) -> ServerError:
        """What a server says when it fails while it generates."""
        failure = said(error)
        words = excerpt(failure.words) or "without words"
        return _error(f"{self.who} failed while it generated: {words}", failure, failure.code or 500)

    def _refusal(self, response: httpx.Response, body: bytes, kind: str, path: str) -> ServerError:
        status = response.status_code
        words = refusal_words(body, kind)
        reason = f": {excerpt(words.words)}" if words.words else f" and {nature(body, kind)}."
        message = f"{self.who} answered {path} with status {status}{reason}"
        if status in (401, 403):
            message = f"{self.who} refuses access (status {status}). {self._route.access}"
        elif 300 <= status < 400 or (status in (404, 405) and "model" not in words.words.lower()):
            message = f"{self.who} has no {path} at this address (status {status}). {self._hint()}"
        if words.words and reason not in message:
            message += f" The server says: {excerpt(words.words)}"
        return ServerError(
            message,
            retry=status in RETRIED and words.may_pass,
            after=_after(response),
            status=status,
            param=words.param,
            detail=words.words,
            kind=words.kind,
        )

    @property
    def who(self) -> str:
        """What messages call the server."""
        return self._route.called or f"The server at {self._address.base_url}"

    def _hint(self) -> str:
        if self._address.base_url.endswith("/v1"):
            return "Is it an OpenAI-compatible server?"
        return f"Most servers want /v1 at the end: {self._address.base_url}/v1#{self._address.name}"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectTimeout:
            raise ServerError(f"{self.who} did not answer within {CONNECT_SECONDS:.0f} s.", retry=True) from None
        except httpx.ConnectError as error:
            if why := self._why_gone():
                raise ServerError(why) from None
            raise self._unreachable(str(error)) from None
        except httpx.TimeoutException:
            silent = f"{self.who} sent nothing for {self._timeout or READ_SECONDS:.0f} s"
            raise ServerError(f"{silent}. Is it overloaded, or the prompt very long?") from None
        except TimeoutError:
            raise ServerError(
                f"{self.who} did not end its answer within {max(ANSWER_SECONDS, self._timeout):.0f} s."
            ) from None
        except httpx.ProxyError as error:
            raise ServerError(f"The proxy on the way to {self._address.base_url} refuses: {error}.") from None
        except httpx.TransportError as error:
            if "location header" in str(error):
                raise self._lost() from None
            if why := self._why_gone():
                raise ServerError(why) from None
            reason = excerpt(str(error)) or type(error).__name__
            raise ServerError(f"{self.who} broke the connection off ({reason}).", retry=True) from None
        except (httpx.DecodingError, httpx.InvalidURL, UnicodeError) as error:
            raise ServerError(f"{self.who}: {excerpt(str(error))}.") from None

    def _lost(self) -> ServerError:
        return ServerError(f"{self.who} sends requests on to what is no address.")

    def _unreachable(self, reason: str) -> ServerError:
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            more = "SSL_CERT_FILE may name a file of those that are."
            return ServerError(f"{self.who} has a certificate that is not trusted here ({reason}). {more}")
        if "SSL" in reason:
            return ServerError(f"{self.who} does not answer in https ({reason}). Does it want http?")
        way = ", through the proxy of the environment," if self._route.proxy else ""
        message = f"{self.who} cannot be reached{way} ({reason or 'no connection'}). Is it running?"
        return ServerError(message, retry=True)


def _encoded(body: dict[str, Any]) -> dict[str, Any]:
    # In ASCII: a lone surrogate in a prompt has no UTF-8, but it has an escape in JSON.
    return {"content": json.dumps(body).encode("ascii"), "headers": {"Content-Type": "application/json"}}


def _error(message: str, failure: Said, status: int, after: float | None = None) -> ServerError:
    """The error of what a server says in an answer with status 200. status: what it would have been elsewhere."""
    return ServerError(
        message,
        retry=status in RETRIED,
        after=after,
        status=status,
        param=failure.param,
        detail=failure.words,
        kind=failure.kind,
    )


def _transport(route: Route) -> httpx.AsyncHTTPTransport:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
    try:
        return httpx.AsyncHTTPTransport(limits=limits, proxy=route.proxy)
    except ImportError:
        raise EngineError(
            "The proxy of the environment is a SOCKS proxy, which needs one more package: "
            f"{package_line('httpx[socks]')}. To go without the proxy, name the host in NO_PROXY."
        ) from None
    except (ValueError, httpx.InvalidURL) as error:
        raise EngineError(f"The proxy of the environment cannot be used: {error}.") from None
    except OSError as error:  # of ssl too
        raise EngineError(f"The certificates of SSL_CERT_FILE or SSL_CERT_DIR cannot be read: {error}.") from None


async def _one(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


async def _read(response: httpx.Response, most: int) -> bytes:
    """A body, up to a little more than `most` bytes."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.aiter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            break
    return b"".join(pieces)


def _after(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header (a number of seconds, or a date); None without one that can be read."""
    value = response.headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):  # no date, or one without a time zone
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
