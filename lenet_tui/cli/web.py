"""The web server of ``serve``: a page, and one process of the app for each page that is open, by textual-serve.

Only who knows the secret first part of each address gets anything. Names of hosts and origins that are not ours are
refused, so that no other page in the same browser can reach the app.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import shlex
import signal
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import textual_serve
from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from lenet_tui.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

_MOST_PAGES = 8  # each has a process of some 80 MB
_MOST_MESSAGE = 1_000_000  # bytes, of a paste
_SECONDS_TO_END = 6.0
_STATIC = Path(textual_serve.__file__).parent / "static"
# textual-serve's own page loads a font from elsewhere, and has scripts inside.
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>lenet-tui</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="static/css/xterm.css"><script src="static/js/textual.js"></script>
<style>
@font-face {{ font-family: "Roboto Mono"; font-weight: 100 700;
  src: url("static/fonts/RobotoMono-VariableFont_wght.ttf"); }}
html, body {{ margin: 0; height: 100%; background: #121212; color: #e0e0e0; font: 16px "Roboto Mono", monospace; }}
#terminal {{ width: 100vw; height: 100vh; }}
#ended, #starting {{ position: absolute; inset: 0; padding: 4rem; background: #121212; z-index: 10; }}
#ended, body.-first-byte #starting {{ display: none; }} body.-closed #ended {{ display: block; }}
a {{ color: #7ab8ff; }}
</style></head>
<body><div id="starting">lenet-tui starts …</div>
<div id="ended">The app has ended; the runs go on. <a href="">Open it again</a></div>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="16"></div>
</body></html>
"""
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src {socket}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def serve(command: Sequence[str], host: str, port: int, token: str, announce: Callable[[str, int], None]) -> None:
    """Serve the app that ``command`` starts until SIGINT, SIGTERM or SIGHUP; call ``announce`` with URL and port first.

    ``host`` is an IP address, ``token`` the secret part of the URL. Raises `LabError` when the port cannot be had.
    """
    asyncio.run(_serve(command, host, port, token, announce))


async def _serve(
    command: Sequence[str], host: str, port: int, token: str, announce: Callable[[str, int], None]
) -> None:
    server = Server(command, token)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=_SECONDS_TO_END)
    await runner.setup()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            reason = error.strerror or str(error)
            raise LabError(f"cannot listen on {host} port {port}: {reason}; --port N takes another") from None
        bound = runner.addresses[0][1]
        name = f"[{host}]" if ":" in host else host
        server.names = {f"{name}:{bound}"} | ({f"localhost:{bound}"} if host in ("127.0.0.1", "::1") else set())
        announce(f"http://{name}:{bound}/{token}/", bound)
        await ended.wait()
    finally:
        await runner.cleanup()


class Server:
    """The pages. ``names`` are the host names with port that a request may be for."""

    def __init__(self, command: Sequence[str], token: str) -> None:
        self.names: set[str] = set()
        # The shell gives way to the app, so that what is ended is the app.
        self._command = f"exec {shlex.join(command)}"
        self._token = token
        self._sockets: set[web.WebSocketResponse] = set()

    def application(self) -> web.Application:
        """Return the application with its three routes."""
        application = web.Application(middlewares=[self._guard])
        application.router.add_get(f"/{self._token}/", self._page)
        application.router.add_get(f"/{self._token}/ws", self._socket)
        application.router.add_static(f"/{self._token}/static", _STATIC)
        application.on_shutdown.append(self._close)
        return application

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse what is not for us, from another page, or does not know the token."""
        origin = request.headers.get("Origin")
        if request.host not in self.names or (origin is not None and origin not in self._origins()):
            raise web.HTTPForbidden(text="this server answers to its own address only\n", headers=_HEADERS)
        first = request.path.split("/")[1]
        if not hmac.compare_digest(first.encode(errors="replace"), self._token.encode()):
            raise web.HTTPForbidden(
                text="open the whole address that 'lenet-tui serve' printed; its first part is secret\n",
                headers=_HEADERS,
            )
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    def _origins(self) -> set[str]:
        return {f"http://{name}" for name in self.names}

    async def _page(self, request: web.Request) -> web.Response:
        socket = f"ws://{request.host}/{self._token}/ws"
        return web.Response(
            text=_PAGE.format(socket=escape(socket)),
            content_type="text/html",
            headers={"Content-Security-Policy": _POLICY.format(socket=f"ws://{request.host}")},
        )

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        """Start an app for this connection, and end it with the connection."""
        if len(self._sockets) >= _MOST_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{_MOST_PAGES} pages are open; close one\n")
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=_MOST_MESSAGE)
        self._sockets.add(socket)

        async def close() -> None:
            await socket.close()

        app = AppService(
            self._command,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=DownloadManager(),
        )
        try:
            await socket.prepare(request)
            await app.start(*_size(request.query))
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    await _hand_on(message.data, app, socket)
        finally:
            self._sockets.discard(socket)
            await _end(app)
        return socket

    async def _close(self, _application: web.Application) -> None:
        await asyncio.gather(*(socket.close() for socket in list(self._sockets)), return_exceptions=True)


async def _hand_on(text: str, app: AppService, socket: web.WebSocketResponse) -> None:
    """Do what a message of the page asks for: ``["stdin", TEXT]`` and the like. Anything else is ignored."""
    match _parsed(text):
        case ["stdin", str(typed)]:
            await app.send_bytes(typed.encode(errors="replace"))
        case ["resize", {"width": int(width), "height": int(height)}] if _fits(width, height):
            await app.set_terminal_size(width, height)
        case ["ping", data]:
            await socket.send_json(["pong", data])
        case ["blur"]:
            await app.blur()
        case ["focus"]:
            await app.focus()


def _size(query: Mapping[str, str]) -> tuple[int, int]:
    with contextlib.suppress(KeyError, ValueError):
        width, height = int(query["width"]), int(query["height"])
        if _fits(width, height):
            return width, height
    return 80, 24


def _fits(width: int, height: int) -> bool:
    return 0 < width <= 1000 and 0 < height <= 500


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


async def _end(app: AppService) -> None:
    """Ask the app to end, and kill it where it does not."""
    process = app._process
    if process is None:
        return
    with contextlib.suppress(TimeoutError, OSError):
        await asyncio.wait_for(app.stop(), _SECONDS_TO_END / 2)
    try:
        await asyncio.wait_for(process.wait(), _SECONDS_TO_END / 2)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
