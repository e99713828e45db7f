"""A headless Chromium, driven through its debugging pipe: a few lines instead of a package that brings a browser of its own.

Protocol: Chrome DevTools Protocol as JSON texts that end with a zero byte, on the browser's descriptors 3 and 4.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
PATIENCE = 30.0  # seconds
# exec's the browser with the two pipe ends where it expects them
_START = """import os, sys
reads, writes = (os.dup(int(end)) for end in sys.argv[1:3])
high = [os.dup2(end, at) for end, at in ((reads, 63), (writes, 62))]
os.dup2(63, 3); os.dup2(62, 4)
os.execv(sys.argv[3], sys.argv[3:])"""
_SWITCHES = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
    *("--remote-debugging-pipe", "--force-color-profile=srgb", "--hide-scrollbars", "about:blank"),
)
_KEY_CODES = {
    "Enter": ("Enter", 13),
    "Tab": ("Tab", 9),
    "Escape": ("Escape", 27),
    "ArrowDown": ("ArrowDown", 40),
}


class Browser:
    """One page. Every call waits for its answer."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back, self._rest, self._last, self._session = to, back, b"", 0, ""
        self.console: list[str] = []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self("Page.enable")
        self("Runtime.enable")
        self("Log.enable")
        self.size(1366, 768)

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            said = self._message()
            if said.get("id") == self._last:
                assert "error" not in said, said
                return dict(said["result"])

    def _message(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._back], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._back, 1 << 20) if ready else b""
            assert piece, "the browser says nothing more"
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        said: dict[str, Any] = json.loads(text)
        if said.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.console.append(json.dumps(said["params"], ensure_ascii=False))
        return said

    def size(self, wide: int, tall: int) -> None:
        self("Emulation.setDeviceMetricsOverride", width=wide, height=tall, deviceScaleFactor=1, mobile=False)

    def open(self, address: str) -> None:
        """Goes there and waits until the page says that it is ready."""
        self("Page.navigate", url=address)
        self.wait("document.body && document.body.dataset.ready === 'yes'")
        # a browser throws keys away that come before a new page's first picture
        self.js("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    def js(self, expression: str) -> Any:
        done = self("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def text(self, selector: str) -> str:
        return str(self.js(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def wait(self, condition: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.js(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"never true: {condition}"
            time.sleep(0.01)

    def press(self, key: str, repeat: bool = False) -> None:
        """A real key: down and up, with the code of its place on a keyboard."""
        code, number = _KEY_CODES.get(key) or (
            f"Digit{key}" if key.isdigit() else f"Key{key.upper()}",
            ord(key.upper()),
        )
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        about = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        self("Input.dispatchKeyEvent", type="keyDown", text=text, autoRepeat=repeat, **about)
        self("Input.dispatchKeyEvent", type="keyUp", **about)

    def write(self, text: str) -> None:
        self("Input.insertText", text=text)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a fresh profile, ended afterwards."""
    assert CHROMIUM
    (to_read, to_write), (back_read, back_write) = os.pipe(), os.pipe()
    command = [sys.executable, "-c", _START, str(to_read), str(back_write), CHROMIUM, *_SWITCHES]
    with subprocess.Popen(
        [*command, f"--user-data-dir={profile}"],
        pass_fds=(to_read, back_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    ) as process:
        os.close(to_read)
        os.close(back_write)
        try:
            yield Browser(to_write, back_read)
        finally:
            os.close(to_write)  # it ends when its pipe does
            os.close(back_read)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


IDLE = "document.querySelector('#main').ariaBusy === 'false'"


def pressed(page: Browser, key_name: str, then: int | None) -> None:
    """Presses and waits until the pair with this number is shown; None: until all is done."""
    page.wait(IDLE)
    page.press(key_name)
    page.wait(
        f"document.querySelector('#main').dataset.pair === '{then}'"
        if then
        else "document.querySelector('.done')"
    )
    page.wait(IDLE)


def said(page: Browser, words: str) -> None:
    page.wait(f"document.querySelector('#say').innerText.includes('{words}')")


def choose(page: Browser, what: str, value: str) -> None:
    """Takes a choice of a filter, as with the mouse."""
    page.js(
        f"(() => {{ const box = document.querySelector('#{what}'); box.focus(); box.value = '{value}';"
        " box.dispatchEvent(new Event('change')); })()"
    )
