"""The review page's server: this machine only, this browser only, and no line about anybody in any log.

Bound to 127.0.0.1. The address holds a random token, without which every request is refused; the Host header must be
this address (a foreign site may make its own name point here: DNS rebinding); nothing answers to other origins. Its answers
are not kept by the browser, and the page can load and send nothing elsewhere (Content-Security-Policy).
"""

from __future__ import annotations

import json
import re
import secrets
import socketserver
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk import review_page
from pipeline.desk.review_page import Reply, Review

_STATIC = Path(__file__).with_name("review")
_FILES = {
    "": ("index.html", "text/html; charset=utf-8"),
    "review.css": ("review.css", "text/css; charset=utf-8"),
    "review.js": ("review.js", "text/javascript; charset=utf-8"),
    "draw.js": ("draw.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
_JSON = "application/json; charset=utf-8"
_PAIR = re.compile("api/pair/([0-9]{1,9})")
_LARGEST = 4096  # bytes of a request's body
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class ReviewServer(ThreadingHTTPServer):
    """Serves one session. `address` is what to open; `ended` is set when the page's 结束 was pressed."""

    daemon_threads = True

    def __init__(self, review: Review, port: int) -> None:
        self.review = review
        self.token = secrets.token_urlsafe(24)
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """Without the look-up of the machine's name that http.server makes."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away. A traceback would show people's data."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{self.token}/"


@contextmanager
def serving(review: Review, port: int) -> Iterator[ReviewServer]:
    """The server at work in a thread of its own. `port` 0: any free one. Raises ReconcileError E526."""
    try:
        server = ReviewServer(review, port)
    except OSError as error:
        why, cure = error.strerror or "", "换一个 --port，或不写它（自动选空闲端口）"
        raise ReconcileError(Problem("E526", "error", f"端口 {port} 用不了", why, cure)) from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    timeout = 30  # seconds a connection may say nothing
    server_version, sys_version = "reconcile", ""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the address is a key, and what is asked for is about people."""

    def do_GET(self) -> None:
        path, review = self._inside(), self.server.review
        if path is None:
            self._refuse(403)
        elif path in _FILES:
            name, kind = _FILES[path]
            self._send(200, kind, (_STATIC / name).read_bytes())
        elif path == "api/index":
            self._answer(lambda: review_page.index(review))
        elif (number := _PAIR.fullmatch(path)) is not None:
            self._answer(lambda: review_page.pair(review, int(number[1])))
        else:
            self._refuse(404)

    def do_POST(self) -> None:
        path, review = self._inside(), self.server.review
        if path is None or not self._same_origin():
            self._refuse(403)
            return
        body = self._body()
        if body is None:
            self._refuse(400)
        elif path == "api/answer":
            self._answer(lambda: review_page.answer(review, body))
        elif path == "api/undo":
            self._answer(lambda: review_page.undo(review, body))
        elif path == "api/end":
            self._answer(lambda: (200, {}))
            self.server.ended.set()
        else:
            self._refuse(404)

    def _other(self) -> None:
        self._refuse(403 if self._inside() is None else 405)

    do_HEAD = do_OPTIONS = do_PUT = do_PATCH = do_DELETE = _other

    def _inside(self) -> str | None:
        """The path after the token; None for whom it is none of his business."""
        ours = {f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")}
        hosts = self.headers.get_all("Host", [])
        token, slash, path = self.path.partition("?")[0].removeprefix("/").partition("/")
        right = secrets.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode())
        return path if len(hosts) == 1 and hosts[0] in ours and right and slash else None

    def _same_origin(self) -> bool:
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site", "same-origin")
        return origin in (None, f"http://{self.headers['Host']}") and site in ("same-origin", "none")

    def _body(self) -> dict[str, Any] | None:
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != "application/json" or not length.isascii():
            return None
        if not length.isdigit() or len(length) > 6 or int(length) > _LARGEST:
            return None
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return None
        return body if isinstance(body, dict) else None

    def _answer(self, act: Callable[[], Reply]) -> None:
        status, reply = _reply(act)
        self._send(status, _JSON, json.dumps(reply, ensure_ascii=False).encode())

    def _refuse(self, status: int) -> None:
        self._send(status, "text/plain; charset=utf-8", str(status).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _reply(act: Callable[[], Reply]) -> Reply:
    """What is answered. Of a bug only its class and place: its text may hold people's data."""
    try:
        return act()
    except ReconcileError as error:
        return 500, {"problem": error.problem.line()}
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        return 500, {
            "problem": f"E500 程序错误 {type(error).__name__}（{where}），判断没有存下，请告诉开发者"
        }
