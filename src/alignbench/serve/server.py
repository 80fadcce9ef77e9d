"""The web server: a page that is a terminal, and a websocket for each page that has an app at its other end."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import textual_serve
from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler

from alignbench.errors import InputError
from alignbench.serve.access import headers, why_refused
from alignbench.serve.app_process import AppProcess
from alignbench.serve.browser_message import read_message, read_side

_log = logging.getLogger(__name__)

HERE = "127.0.0.1"
HEARTBEAT = 15.0  # seconds; a page that is gone without a word is noticed by the second one
LONGEST = 4 << 20  # bytes of a message, as of a pasted text

_PAGE = Path(__file__).parent / "page"
_ASSETS = Path(textual_serve.__file__).parent / "static"


def listening(port: int) -> socket.socket:
    """A socket on this machine alone; port 0 takes a free one. InputError where the port cannot be had."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HERE, port))
        opened.listen()
    except OSError as error:
        opened.close()
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
        raise InputError(f"Port {port} {why}; --port names another one, and --port 0 takes one that is free.") from None
    return opened


def serve(command: Sequence[str], at: socket.socket, token: str, ready: Callable[[str], None]) -> signal.Signals:
    """Serve until a signal ends it, which is returned. No app is left then.

    Args:
        command: What runs the app, once for each page.
        at: A socket that listens.
        token: What the path of every address begins with.
        ready: Told the address of the page.
    """
    return asyncio.run(_serve(command, at, token, ready))


async def _serve(command: Sequence[str], at: socket.socket, token: str, ready: Callable[[str], None]) -> signal.Signals:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[signal.Signals] = loop.create_future()

    def end(number: signal.Signals) -> None:
        if not ended.done():
            ended.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    runner = web.AppRunner(web_application(command, token), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, at).start()
        ready(f"http://{HERE}:{at.getsockname()[1]}/{token}/")
        return await ended
    finally:
        await runner.cleanup()


def web_application(command: Sequence[str], token: str) -> web.Application:
    """The pages below /TOKEN/, refused to who has no right to them; at its end no app is left."""
    pages: dict[web.WebSocketResponse, AppProcess] = {}

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        websocket = request.headers.get("Upgrade", "").casefold() == "websocket"
        refused = why_refused(
            token, request.rel_url.raw_path, request.host, request.headers.get("Origin"), websocket=websocket
        )
        if refused:
            return web.Response(status=403, text=f"{refused}\n")
        return await handler(request)

    async def say_policy(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers(request.host if response.status != 403 else HERE))

    async def page(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(_PAGE / "index.html")

    async def terminal(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=LONGEST)
        await socket.prepare(request)
        pages[socket] = app = AppProcess(command, socket)
        try:
            await app.start(
                read_side(request.query.get("width", ""), 80), read_side(request.query.get("height", ""), 24)
            )
            async for message in socket:
                if message.type == WSMsgType.TEXT and (sent := read_message(message.data)) is not None:
                    await app.take(sent)
        except OSError as error:
            _log.warning("The app could not be started: %s.", error.strerror)
        finally:
            await asyncio.shield(app.stop())
            del pages[socket]
        return socket

    async def end_apps(_: web.Application) -> None:
        open_pages = [*pages.items()]
        await asyncio.gather(*(app.stop() for _, app in open_pages))
        await asyncio.gather(*(socket.close() for socket, _ in open_pages))

    site = web.Application(middlewares=[guard])
    site.on_response_prepare.append(say_policy)
    site.on_shutdown.append(end_apps)
    site.add_routes(
        [
            web.get(f"/{token}/", page),
            web.get(f"/{token}/ws", terminal),
            web.static(f"/{token}/page", _PAGE),
            web.static(f"/{token}/static", _ASSETS),
        ]
    )
    return site
