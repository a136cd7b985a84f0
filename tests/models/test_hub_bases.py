"""A hub's base without network: answered soon, with the way to a copy on disk."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.config.schema import Base
from pipeline.errors import BaseModelError
from pipeline.models.checkpoints.locate import locate

NAME = "someone/tiny-base"
CODE = """
import sys
from pipeline.config.schema import Base
from pipeline.errors import HeadstartError
from pipeline.models.checkpoints.locate import locate
try:
    print("found", locate(Base(name=sys.argv[1], revision=sys.argv[2] or None, path=sys.argv[3] or None)).directory)
except HeadstartError as error:
    print(f"{type(error).__name__}: {error}")
"""


def ask(
    home: Path,
    *,
    endpoint: str = "http://127.0.0.1:9",
    name: str = NAME,
    revision: str = "",
    path: str = "",
    **env: str,
) -> str:
    """What locate says in a new process (the hub's client reads its settings when it is imported)."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING_FACE"))}
    settings = kept | {"HF_HOME": str(home), "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_TELEMETRY": "1"} | env
    done = subprocess.run(
        [sys.executable, "-c", CODE, name, revision, path],
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=home,
    )
    return done.stdout


class Refusing(BaseHTTPRequestHandler):
    """A hub that knows no base."""

    def do_GET(self) -> None:
        body = json.dumps({"error": "Repository not found"}).encode()
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@pytest.fixture
def refusing() -> Iterator[str]:
    """Its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a hub that accepts and never answers."""
    with socket.socket() as waiting:
        waiting.bind(("127.0.0.1", 0))
        waiting.listen(16)
        yield f"http://127.0.0.1:{waiting.getsockname()[1]}"


def says_how_to_use_a_copy(said: str) -> bool:
    return said.startswith("BaseModelError") and "base=local base.path=DIRECTORY" in said and "base=minilm" in said


@pytest.mark.parametrize("offline", ["0", "1"])
def test_without_network_a_copy_on_disk_is_offered(offline: str, tmp_path: Path) -> None:
    assert says_how_to_use_a_copy(ask(tmp_path, HF_HUB_OFFLINE=offline))


def test_a_hub_that_never_answers_is_given_up(silent: str, tmp_path: Path) -> None:
    said = ask(tmp_path, endpoint=silent)
    assert says_how_to_use_a_copy(said)
    assert "timed out" in said


def test_a_name_that_the_hub_does_not_know_is_said_to_be_wrong(refusing: str, tmp_path: Path) -> None:
    said = ask(tmp_path, endpoint=refusing)
    assert said.startswith(f"BaseModelError: The hub has no base '{NAME}' for you")
    assert "Check base.name" in said


def test_a_name_that_cannot_be_one_is_said_to_be_wrong(refusing: str, tmp_path: Path) -> None:
    assert "Check base.name" in ask(tmp_path, endpoint=refusing, name="a/b/c")


@pytest.mark.parametrize("revision", ["", "0" * 40])
def test_a_base_in_the_cache_needs_no_network(revision: str, tiny: Path, tmp_path: Path) -> None:
    import shutil

    repository = tmp_path / "hub" / f"models--{NAME.replace('/', '--')}"
    shutil.copytree(tiny, repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    assert ask(tmp_path, revision=revision).startswith(f"found {repository}")


def test_one_file_of_a_base_is_found_in_the_cache_and_read_as_gguf(tmp_path: Path) -> None:
    repository = tmp_path / "hub" / f"models--{NAME.replace('/', '--')}"
    (repository / "snapshots" / ("0" * 40)).mkdir(parents=True)
    (repository / "snapshots" / ("0" * 40) / "tiny.gguf").write_bytes(b"not GGUF at all")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    assert "tiny.gguf cannot be read as GGUF" in ask(tmp_path, path="tiny.gguf")
    assert says_how_to_use_a_copy(ask(tmp_path, path="other.gguf"))


@pytest.mark.parametrize(
    ("lost", "there"), [("model.safetensors", "config.json, tokenizer"), ("tokenizer.json", "model.safetensors")]
)
def test_a_cache_that_holds_a_part_of_a_base_is_said_to(lost: str, there: str, tiny: Path, tmp_path: Path) -> None:
    import shutil

    repository = tmp_path / "hub" / f"models--{NAME.replace('/', '--')}"
    shutil.copytree(tiny, repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    for file in (repository / "snapshots" / ("0" * 40)).iterdir():
        if file.name == lost or (lost == "tokenizer.json" and file.name.startswith(("vocab", "tokenizer"))):
            file.unlink()
    said = ask(tmp_path)
    assert said.startswith(f"BaseModelError: Base '{NAME}' is only in part in the local cache (")
    assert there in said
    assert "the hub cannot be reached" in said


def test_a_cache_that_cannot_be_written_to_is_not_called_a_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied", "/srv/cache")

    monkeypatch.setattr("huggingface_hub.HfApi.repo_info", lambda *_, **__: None)
    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(BaseModelError, match=r"cannot be stored there .*/srv/cache.* HF_HOME=FOLDER"):
        locate(Base(name=NAME, source="hub"))
