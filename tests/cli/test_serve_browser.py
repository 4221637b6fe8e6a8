"""``lenet-tui serve`` in a real browser: Chromium without a window, driven by its debugging protocol."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_serve import serving

aiohttp = pytest.importorskip("aiohttp")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SECONDS = 90.0
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
__all__ = ["serving"]
# The page keeps its terminal, which paints on a canvas, to itself: catch it where it gets its add-ons.
_CATCH = """
Object.defineProperty(Object.prototype, "unicode11Addon", {configurable: true, set(value) {
    window.terminal = this.terminal;
    Object.defineProperty(this, "unicode11Addon", {value, writable: true});
}});
"""
_TEXT = """(() => {
    const buffer = window.terminal?.buffer.active;
    if (!buffer) return "";
    return Array.from({length: buffer.length}, (_, y) => buffer.getLine(y).translateToString(true)).join("\\n");
})()"""


class Page:
    """A page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json(timeout=SECONDS)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    async def value(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def shows(self, words: str, expression: str = _TEXT) -> str:
        """Return the text of the page once it has these words."""
        async with asyncio.timeout(SECONDS):
            while words not in (text := str(await self.value(expression))):
                await asyncio.sleep(0.2)
        return text


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    """An empty page of a browser that lasts as long as the test."""
    assert CHROMIUM is not None
    log = tmp_path / "chromium.log"
    options = ["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--window-size=1200,800"]
    options += [f"--user-data-dir={tmp_path / 'browser'}", "--remote-debugging-port=0"]
    if os.getuid() == 0:  # its sandbox is not for root
        options.append("--no-sandbox")
    with log.open("wb") as output:
        browser = subprocess.Popen([CHROMIUM, *options, "about:blank"], stderr=output, stdout=output)
    try:
        async with asyncio.timeout(SECONDS):
            while not (found := re.search(r"ws://([^/\s]+)/", log.read_text(errors="replace"))):
                if browser.poll() is not None:
                    pytest.skip(f"Chromium does not start here: {log.read_text(errors='replace')[-200:]}")
                await asyncio.sleep(0.1)
        async with aiohttp.ClientSession() as client:
            async with client.get(f"http://{found[1]}/json/list") as answer:
                targets = await answer.json()
            address = next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
            async with client.ws_connect(address, max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        browser.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            browser.wait(20)
        browser.kill()
        browser.wait()


async def test_a_browser_shows_the_app_and_types_into_it(
    serving: tuple[subprocess.Popen[str], str], page: Page
) -> None:
    await page.call("Page.enable")
    await page.call("Page.addScriptToEvaluateOnNewDocument", source=_CATCH)
    await page.call("Page.navigate", url=serving[1])
    text = await page.shows("1 New run")
    assert "lenet-tui" in text
    assert "no runs yet" in text
    await page.value("window.terminal.focus()")
    for kind in ("keyDown", "keyUp"):
        await page.call(
            "Input.dispatchKeyEvent",
            type=kind,
            key="F1",
            code="F1",
            windowsVirtualKeyCode=112,
            nativeVirtualKeyCode=112,
        )
    await page.shows("Fill in the form and press")


async def test_a_browser_without_the_token_gets_no_app(serving: tuple[subprocess.Popen[str], str], page: Page) -> None:
    _, url = serving
    await page.call("Page.enable")
    await page.call("Page.addScriptToEvaluateOnNewDocument", source=_CATCH)
    await page.call("Page.navigate", url=url[: url.index("/", 8)] + "/wrong/")
    text = await page.shows("its first part is secret", "document.body && document.body.innerText")
    assert "lenet-tui serve" in text
    assert await page.value("document.querySelector('#terminal') === null")
    assert await page.value(_TEXT) == ""
