"""A hub on the loopback with two data sets: owner/name is one CSV, owner/script has a loading script beside it."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

COMMIT = "a" * 40
_INFO = {
    "sha": COMMIT,
    "siblings": [{"rfilename": "train.csv"}],
    "private": False,
    "downloads": 0,
    "likes": 0,
    "tags": [],
}


@contextmanager
def hub(content: bytes) -> Iterator[str]:
    """The hub's address; `content` is the CSV of both data sets."""

    class Handler(_Handler):
        table = content

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    table = b""

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        name = "owner/script" if "owner/script" in path else "owner/name"
        if path.startswith(f"/api/datasets/{name}/tree"):
            self._json([{"type": "file", "path": "train.csv", "size": len(self.table), "oid": "b" * 40}])
        elif path.startswith(f"/api/datasets/{name}"):
            self._json({"id": name, **_INFO})
        elif path.endswith("/train.csv"):
            self._file(self.table)
        elif path.endswith("/script.py"):
            self._file(b"raise SystemExit('the script ran')")
        else:
            self._reply(404, b"{}", {"X-Error-Code": "EntryNotFound"})

    def _json(self, value: object) -> None:
        self._reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _file(self, body: bytes) -> None:
        self._reply(200, body, {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT})

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
