"""``lenet-tui serve``: the app by HTTP and websocket, for those alone who have its address."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from lenet_tui.cli.main import main
from lenet_tui.store import Store
from tests.conftest import environment

aiohttp = pytest.importorskip("aiohttp")
web = pytest.importorskip("lenet_tui.cli.web", exc_type=ImportError)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

TOKEN = "a-secret"
NEVER = [sys.executable, "-c", "raise SystemExit('started')"]


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """The address of a server in this process, without its token; it starts no app."""
    server = web.Server(NEVER, TOKEN)
    runner = aiohttp.web.AppRunner(server.application())
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    name = f"127.0.0.1:{runner.addresses[0][1]}"
    server.names = {name}
    yield f"http://{name}"
    await runner.cleanup()


@pytest.mark.parametrize("path", ["/", "/ws", "/wrong/", "/wrong/ws", "/static/js/textual.js", f"/{TOKEN}x/", "//"])
async def test_without_the_token_there_is_nothing(path: str, address: str) -> None:
    async with aiohttp.ClientSession() as client, client.get(f"{address}{path}") as answer:
        assert answer.status == 403
        assert TOKEN not in await answer.text()


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js"])
@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Host": "127.0.0.1"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
)
async def test_other_hosts_and_origins_are_refused(path: str, headers: dict[str, str], address: str) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{address}/{TOKEN}{path}", headers=headers) as answer:
            assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(f"{address}/{TOKEN}/ws", headers=headers)


async def test_the_page_loads_from_this_server_alone(address: str) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{address}/{TOKEN}/", headers={"Origin": address}) as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            page = await answer.text()
        assert f'data-session-websocket-url="{address.replace("http", "ws")}/{TOKEN}/ws"' in page
        assert "http://" not in page
        assert "https://" not in page
        for name in ("js/textual.js", "css/xterm.css", "fonts/RobotoMono-VariableFont_wght.ttf"):
            assert f"static/{name}" in page
            async with client.get(f"{address}/{TOKEN}/static/{name}") as answer:
                assert answer.status == 200
        async with client.get(f"{address}/{TOKEN}/static/../../web.py") as answer:
            assert answer.status in (403, 404)


async def test_nonsense_from_the_page_is_ignored(address: str) -> None:
    async with aiohttp.ClientSession() as client, client.ws_connect(f"{address}/{TOKEN}/ws?width=x") as page:
        for text in ("", "{", "[]", '["stdin", 1]', '["resize", {"width": "1"}]', "[" * 10_000, '["resize", {}]'):
            await page.send_str(text)
        await page.send_bytes(b"\xff")
        await page.send_json(["ping", "7"])
        assert await page.receive_json() == ["pong", "7"]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command at work on an empty root, and its URL."""
    with Store(tmp_path) as store:
        store.set_paused(True)
    process = subprocess.Popen(
        [sys.executable, "-m", "lenet_tui", "serve", "--port", "0", "--json", "--root", tmp_path],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process, json.loads(process.stdout.readline())["url"]
    process.kill()
    process.communicate()


async def shown(page: aiohttp.ClientWebSocketResponse, words: bytes) -> None:
    """Read until the app has drawn these words."""
    text = b""
    while words not in text:
        message = await page.receive(timeout=120)
        assert message.type == aiohttp.WSMsgType.BINARY, text
        text += message.data


async def test_a_page_is_an_app_and_ctrl_c_ends_both(serving: tuple[subprocess.Popen[str], str]) -> None:
    process, url = serving
    assert url.startswith("http://127.0.0.1:")
    async with aiohttp.ClientSession() as client:
        async with client.ws_connect(
            f"{url}ws?width=100&height=30", headers={"Origin": url[: url.index("/", 8)]}
        ) as page:
            await shown(page, b"Queue")
            await page.send_json(["stdin", "\x11q"])  # whatever has the focus
            await page.send_json(["stdin", "\x1b"])
            await page.send_json(["stdin", "q"])
            while (await page.receive(timeout=120)).type == aiohttp.WSMsgType.BINARY:
                pass
            assert page.closed
        async with client.ws_connect(f"{url}ws") as page:
            await shown(page, b"Queue")
            apps = psutil.Process(process.pid).children(recursive=True)
            assert len(apps) == 1
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    assert psutil.wait_procs(apps, timeout=20)[1] == []


def test_what_stands_in_the_way_is_one_line(tmp_path, capsys, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["serve", "--port", port, "--root", str(tmp_path)]) == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err
    for host in ("0.0.0.0", "::", "evil.example", ""):
        assert main(["serve", f"--host={host}", "--root", str(tmp_path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert main(["serve", "--root", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert "pip install textual-serve" in err
