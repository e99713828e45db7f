"""Raw requests to the review page's server, so that every header can be wrong."""

from __future__ import annotations

import http.client
import json
from typing import Any

from pipeline.desk.review_server import ReviewServer


class Client:
    """Requests to one server, each on a connection of its own."""

    def __init__(self, server: ReviewServer) -> None:
        self.server, self.port, self.inside = server, server.server_port, f"/{server.token}/"

    def __call__(
        self, method: str, path: str, body: bytes | None = None, host: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True)
            if host != "none":
                connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            if body is not None and "Content_Length" not in headers:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, _, body = self("GET", self.inside + path)
        assert status == 200, body
        return json.loads(body)

    def post(self, path: str, **body: Any) -> tuple[int, Any]:
        text = json.dumps(body).encode()
        status, _, said = self("POST", self.inside + path, text, Content_Type="application/json")
        return status, json.loads(said)
