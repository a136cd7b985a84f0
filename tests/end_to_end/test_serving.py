"""`serve`: a registered model over HTTP on loopback alone, which refuses what it cannot answer and goes on."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection

import numpy as np
import psutil
import pytest
from command_kit import command as run
from formats_kit import Export, losses_of, trained

from pipeline.cli import main
from pipeline.data.store import stored_examples
from tests.serving import free_port, said_until_ready

pytestmark = pytest.mark.timeout(600)
Request = tuple[str, str, bytes, dict[str, str]]  # method, path, body, headers
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Server:
    """A server of one registered cell, and what it printed when it was ready."""

    export: Export
    process: "subprocess.Popen[str]"
    port: int
    said: str

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def predictions(self, texts: list[str]) -> list[dict[str, dict[str, float]]]:
        status, body = self.ask("POST", "/invocations", asked(texts), JSON)
        assert status == 200, body
        return list(json.loads(body)["predictions"])


def asked(texts: object) -> bytes:
    return json.dumps({"inputs": {"text": texts}}).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    export = trained(["mean"], tmp_path_factory.mktemp("serving"))["mean"]
    assert main(["register", *export.world, "tracking=local", "name=reviews"]) == 0
    root, port = export.folder.parent / "out", free_port()
    command = [sys.executable, "-m", "pipeline", "serve", "name=reviews", f"paths.root={root}", f"serve.port={port}"]
    environment = os.environ | {"PYTHONPATH": os.getcwd(), "PYTHONUNBUFFERED": "1"}
    with (
        open(root / "serve.log", "w", encoding="utf-8") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process,
    ):
        yield Server(export, process, port, said_until_ready(process))
        process.kill()


def test_answers_are_the_cells_own_whether_texts_are_asked_one_by_one_or_together(server: Server) -> None:
    texts = [example.text for example in stored_examples(server.export.prepared(), "test")]
    with ThreadPoolExecutor(4) as clients:
        at_a_time = list(clients.map(lambda text: server.predictions([text])[0], texts))
    one_by_one = [server.predictions([text])[0] for text in texts]
    for rows in (one_by_one, at_a_time, server.predictions(texts)):
        shares = np.array([list(row["probabilities"].values()) for row in rows])
        own = np.exp(-server.export.losses())
        np.testing.assert_allclose(np.exp(-losses_of(shares, server.export)), own, atol=1e-5)
        assert shares.std(axis=0).max() > 5e-3, "the texts cannot be told apart"


def test_it_listens_on_loopback_alone_and_prints_a_request_that_works(server: Server) -> None:
    served = psutil.Process(server.process.pid)
    sockets = [c.laddr for each in (served, *served.children(True)) for c in each.net_connections("inet")]
    assert {address.ip for address in sockets} == {"127.0.0.1"}
    assert server.port in {address.port for address in sockets}
    (line,) = [line for line in server.said.splitlines() if "curl" in line]
    body = line.split("-d '")[1].removesuffix("'")
    assert f"http://127.0.0.1:{server.port}/invocations " in line
    assert server.ask("POST", "/invocations", body.encode(), JSON)[0] == 200


def post(make: Callable[[np.random.Generator], bytes]) -> Callable[[np.random.Generator], Request]:
    return lambda random: ("POST", "/invocations", make(random), JSON)


NO_TEXTS = (1, 2.5, True, None, {}, {"a": "film"}, [], ["a film"], float("inf"))
NO_REQUESTS = (b"null", b"3", b'"a film"', b"[]", b"{}", b'{"inputs": []}', b'{"inputs": {}}', b'{"instances": ["a"]}')
# What is wrong, the statuses it may get, and a request of the kind.
BAD: dict[str, tuple[int, Callable[[np.random.Generator], Request]]] = {
    "no body": (400, post(lambda r: b"")),
    "an empty text": (400, post(lambda r: asked(["a film", " \t\n\u2003"[: r.integers(0, 5)]]))),
    "no text": (400, post(lambda r: asked([]))),
    "too many texts": (400, post(lambda r: asked(["film"] * int(r.integers(65, 2000))))),
    "a megabyte of text": (413, post(lambda r: asked(["film " * int(r.integers(200_000, 210_000))]))),
    "a megabyte of bytes": (413, post(lambda r: r.bytes(1_000_000))),
    "another type than a text": (400, post(lambda r: asked([NO_TEXTS[r.integers(len(NO_TEXTS))]]))),
    "another type than a list": (400, post(lambda r: asked(("a film", *NO_TEXTS[:6])[r.integers(7)]))),
    "another type than an object": (400, post(lambda r: NO_REQUESTS[r.integers(len(NO_REQUESTS))])),
    "an unknown column": (400, post(lambda r: json.dumps({"inputs": {"text": ["a"], "t\n" * 99: ["b"]}}).encode())),
    "a column that is missing": (400, post(lambda r: b'{"inputs": {"texts": ["a film"]}}')),
    "no UTF-8": (400, post(lambda r: asked(["a film"]).replace(b"film", bytes([int(r.integers(128, 256))])))),
    "UTF-16": (400, post(lambda r: asked(["a film"]).decode().encode("utf-16"))),
    "half a surrogate pair": (400, post(lambda r: b'{"inputs": {"text": ["film \\ud8%d"]}}' % r.integers(10, 99))),
    "bytes": (400, post(lambda r: r.bytes(int(r.integers(1, 4000))))),
    "JSON that ends early": (400, post(lambda r: asked(["a film"])[: r.integers(1, 20)])),
    "deep JSON": (400, post(lambda r: b"[" * int(r.integers(2_000, 200_000)))),
    "a number without end": (400, post(lambda r: b'{"inputs": ' + b"9" * int(r.integers(5_000, 50_000)) + b"}")),
    "another content type": (415, lambda r: ("POST", "/invocations", asked(["a film"]), {"content-type": "text/csv"})),
    "no content type": (415, lambda r: ("POST", "/invocations", asked(["a film"]), {})),
    "another method": (405, lambda r: (("GET", "PUT", "DELETE")[r.integers(3)], "/invocations", b"", {})),
    "another address": (404, lambda r: ("POST", ("/", "/../etc/passwd", "/docs")[r.integers(3)], b"{}", JSON)),
    "another host": (400, lambda r: ("POST", "/invocations", asked(["a film"]), JSON | {"host": "evil.example"})),
}  # fmt: skip


def test_a_thousand_bad_requests_get_one_line_each_and_good_ones_their_answer(server: Server) -> None:
    random, before = np.random.default_rng(0), server.predictions(["a warm film"])
    for number in range(1000):
        name = list(BAD)[number % len(BAD)]
        status, request = BAD[name]
        got, body = server.ask(*request(random))
        assert got == status, (name, got, body[:200])
        reason = json.loads(body)["error"] if body.startswith(b"{") else body.decode()
        assert 10 < len(reason) < 250, (name, reason)
        assert len(reason.splitlines()) == 1, (name, reason)
        if number % 50 == 0:
            assert server.predictions(["a warm film"]) == before
    assert server.predictions(["a warm film"]) == before


def test_what_is_no_request_and_what_ends_midway_stop_nothing(server: Server) -> None:
    before = server.predictions(["a warm film"])
    head = b"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    for sent in (
        b"\x00\xff" * 500,
        b"hello\r\n\r\n",
        head,
        head + b"content-length: 500\r\n\r\n{",
        b"GET / HTTP/9\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as stranger:
            stranger.sendall(sent)
    assert server.predictions(["a warm film"]) == before


def test_a_name_or_port_that_cannot_be_served_is_refused(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    root = f"paths.root={server.export.folder.parent / 'out'}"
    done = run(capsys, "serve", "name=review", root, f"serve.port={free_port()}")
    assert (done.code, "No model 'review' is registered. Did you mean 'reviews'?" in done.err) == (2, True)
    taken = run(capsys, "serve", "name=reviews", root, f"serve.port={server.port}")
    assert taken.code == 2
    assert f"serve name=reviews {root} serve.port={server.port + 1})" in taken.err
    assert run(capsys, "serve", "name=reviews", root, "serve.port=0").code == 2


def test_it_ends_at_sigterm_and_printed_no_traceback(server: Server) -> None:
    """The last test of this file, since the others share the server."""
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    assert "Traceback" not in (server.export.folder.parent / "out" / "serve.log").read_text(encoding="utf-8")
