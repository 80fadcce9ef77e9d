"""The app of one page: a process that draws for the page and reads what is typed there."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from alignbench.child_process import kill_group
from alignbench.parsing import parse_json
from alignbench.serve.browser_message import BrowserMessage, Focused, Ping, Resized, TypedKeys

GRACE = 8.0  # seconds that an app has to leave, in which its models end

_READY = b"__GANGLION__\n"  # a line that Textual writes before its first packet


class AppProcess(AppService):
    """textual-serve's, begun without a shell and in a session of its own, and ended whatever it does."""

    def __init__(self, command: Sequence[str], page: web.WebSocketResponse) -> None:
        super().__init__(
            " ".join(command),
            write_bytes=page.send_bytes,
            write_str=page.send_str,
            close=self._close_page,
            download_manager=DownloadManager(),
        )
        self._arguments = command
        self._page = page

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._arguments,
            stdin=PIPE,
            stdout=PIPE,
            env=self._build_environment(width, height),
            start_new_session=True,  # Ctrl-C at the server's terminal is the server's to handle
        )
        self._stdin = process.stdin
        return process

    async def run(self) -> None:
        """Hand on what the app draws, until it ends."""
        assert self._process is not None
        out = self._process.stdout
        assert out is not None
        with suppress(asyncio.IncompleteReadError, ConnectionError, ValueError):
            while (line := await out.readline()) != _READY:
                if not line:
                    break
            while True:
                kind, size = await out.readexactly(1), int.from_bytes(await out.readexactly(4))
                packet = await out.readexactly(size)
                if kind == b"D":
                    await self.on_data(packet)
                elif kind == b"M" and parse_json(packet).get("type") == "exit":
                    break
        await self._close_page()

    async def take(self, message: BrowserMessage) -> None:
        """What the page sent."""
        match message:
            case TypedKeys(text):
                await self.send_bytes(text.encode("utf-8", "replace"))
            case Resized(width, height):
                await self.set_terminal_size(width, height)
            case Focused(has_it):
                await (self.focus() if has_it else self.blur())
            case Ping(data):
                await self._page.send_json(["pong", data])

    async def stop(self) -> None:
        """Have the app leave; one that does not, and what it has started, is killed."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await self.send_meta({"type": "quit"})
                    await process.wait()
        if process.returncode is None:
            kill_group(process.pid)
            await process.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _close_page(self) -> None:
        with suppress(ConnectionError, RuntimeError):
            await self._page.close()
