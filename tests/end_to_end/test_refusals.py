"""Bad input at the command line: what is said, with exit code 2, and that nothing is half-written."""

import pickle
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_kit import Done, command, files_with, findings, planned, staged

from tests import tiny

Capture = pytest.CaptureFixture[str]
Study = Callable[..., Done]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def study(tiny_base: Path, reviews: Path, root: Path, capsys: Capture) -> Study:
    """A small study, with what is changed on the command line."""
    known = [*tiny.overrides(tiny_base, reviews, root), *tiny.study(sizes="16", seeds="0")]
    return lambda *changes: command(capsys, "study", *known, *changes)


def assert_refused(done: Done, root: Path, *words: str) -> None:
    """Exit code 2, everything in `words` said, one cause a person can act on, and no trace of a cell."""
    assert done.code == 2, done.err
    for word in words:
        assert word in done.err
    assert "Traceback" not in done.err
    assert list(root.glob("cells/*")) == []
    assert list(root.glob("studies/*/*")) == []
    assert staged(root) == []


class Payload:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.mark,)  # type: ignore[return-value]


def one_class(folder: Path) -> Path:
    return tiny.write_csv(folder / "d.csv", [(text, "good") for text, _ in tiny.rows(60)])


def unique_labels(folder: Path) -> Path:
    return tiny.write_csv(folder / "d.csv", [(text, f"id{i}") for i, (text, _) in enumerate(tiny.rows(60))])


def rare_class(folder: Path) -> Path:
    return tiny.write_csv(folder / "d.csv", [*tiny.rows(60), ("a lonely text of its own kind", "rare")])


def empty(folder: Path) -> Path:
    (folder / "d.csv").write_bytes(b"")
    return folder / "d.csv"


def header_alone(folder: Path) -> Path:
    return tiny.write_csv(folder / "d.csv", [])


def latin_1(folder: Path) -> Path:
    (folder / "d.csv").write_bytes("review,stars\nfilme péssimo,bad\n".encode("latin-1"))
    return folder / "d.csv"


DATA: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "an empty file": (empty, ("empty",)),
    "a header alone": (header_alone, ("d.csv",)),
    "one class only": (one_class, ("class",)),
    "labels that are all unique": (unique_labels, ("stars",)),
    "a class with too few examples": (rare_class, ("rare",)),
    "bytes that are not UTF-8": (latin_1, ("UTF-8", "byte")),
}


@pytest.mark.parametrize("what", DATA)
def test_data_that_cannot_serve_are_refused(study: Study, tmp_path: Path, root: Path, what: str) -> None:
    write, words = DATA[what]
    assert_refused(study(f"task.data.path={write(tmp_path)}"), root, "Error: ", *words)


def test_a_missing_file_a_missing_column_and_too_large_a_size_are_refused_with_the_remedy(
    study: Study, root: Path
) -> None:
    assert_refused(study("task.data.path=nowhere.csv"), root, "nowhere.csv")
    assert_refused(study("task.data.text=reviw"), root, "reviw", "Did you mean 'review'")
    assert_refused(study("study.sizes=[16,9000]"), root, "9,000", "study.sizes=[")


def no_weights(folder: Path) -> tuple[str, ...]:
    (folder / "model.safetensors").unlink()
    return ("no weights", "base.path")


def pickled_weights(folder: Path) -> tuple[str, ...]:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(folder / "executed")))
    return ("pickled weights", "safetensors")


def truncated(folder: Path) -> tuple[str, ...]:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    return ("truncated", "Copy it again")


def other_architecture(folder: Path) -> tuple[str, ...]:
    config = (folder / "config.json").read_text(encoding="utf-8")
    (folder / "config.json").write_text(config.replace('"hidden_size": 32', '"hidden_size": 64'), encoding="utf-8")
    return ("tiny",)


def unknown_architecture(folder: Path) -> tuple[str, ...]:
    config = (folder / "config.json").read_text(encoding="utf-8")
    (folder / "config.json").write_text(config.replace('"model_type": "bert"', '"model_type": "vit"'), encoding="utf-8")
    return ("tiny",)


BASES = (no_weights, pickled_weights, truncated, other_architecture, unknown_architecture)


@pytest.mark.parametrize("damage", BASES, ids=[f.__name__ for f in BASES])
def test_a_base_that_cannot_serve_is_refused_and_nothing_in_it_runs(
    study: Study, tiny_base: Path, tmp_path: Path, root: Path, damage: Callable[[Path], tuple[str, ...]]
) -> None:
    copied = shutil.copytree(tiny_base, tmp_path / "damaged")
    words = damage(copied)
    assert_refused(study(f"base.path={copied}"), root, *words)
    assert not (copied / "executed").exists()


@pytest.mark.parametrize("setting", ["study.name=../../evil", "study.name=a/b", "task.name=../up"])
def test_names_that_would_be_paths_are_refused(study: Study, root: Path, setting: str) -> None:
    assert_refused(study(setting), root, "must be letters, digits")
    assert not root.exists()


def test_a_root_that_is_no_folder_fails_with_the_remedy(study: Study, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    done = study(f"paths.root={tmp_path / 'file' / 'out'}")
    assert done.code in (1, 2)
    assert "paths.root" in done.err
    assert "Traceback" not in done.err
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


def test_markup_in_labels_texts_and_names_is_shown_escaped(tmp_path: Path, root: Path, study: Study) -> None:
    evil = "<script>alert(1)</script>"
    table = [(f"{evil} {text}", evil if label == "bad" else label) for text, label in tiny.rows()]
    data = tiny.write_csv(tmp_path / "d.csv", table)
    done = study(f"task.data.path={data}", f"study.question='Is {evil} safe?'")
    assert done.code == 0, done.err
    page, plain = (next(root.glob(f"studies/*/report.{kind}")).read_text(encoding="utf-8") for kind in ("html", "md"))
    prose = re.sub(r"^(```+).*?^\1$", "", plain, flags=re.DOTALL | re.MULTILINE)  # what is fenced is shown as it is
    for text in (page, prose):
        assert "<script" not in text.lower()
        assert "&lt;script" in text


def test_secrets_given_in_overrides_are_written_nowhere_and_an_unreachable_server_stops_nothing(
    study: Study, root: Path
) -> None:
    secrets = ["base.token=hf_S3CRETone", "task.data.token=hf_S3CRETtwo"]
    done = study(*secrets, "tracking=server", "tracking.uri=http://ada:S3CRETthree@127.0.0.1:9")
    assert done.code == 0, done.err
    assert "Not yet in the dashboard" in done.out
    assert files_with(root, "S3CRET") == []
    assert "S3CRET" not in done.out + done.err
    assert len(list(root.glob("cells/*/result.json"))) == 2
    assert list(root.glob("tracking/spool/*/study.jsonl"))


def test_secrets_of_a_failing_study_are_written_nowhere_either(study: Study, root: Path) -> None:
    done = study("base.token=hf_S3CRETone", "train.lr=1e38")
    assert done.code == 1
    assert files_with(root, "S3CRET") == []
    assert "S3CRET" not in done.out + done.err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small tmpfs cannot be mounted here: it takes the superuser")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """A file that leaves so many bytes free."""
    free = shutil.disk_usage(disk).free
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * max(0, free - leave))
    return ballast


@pytest.mark.parametrize("leave", [0, 40_000, 100_000], ids=["at once", "in the cells", "in the end"])
def test_a_full_disk_is_said_leaves_what_was_there_and_is_recovered_from(
    study: Study, small_disk: Path, leave: int, finished_small: Path
) -> None:
    root = small_disk / "out"
    shutil.copytree(finished_small, root)
    before = {p.name: (p / "result.json").read_bytes() for p in (root / "cells").iterdir()}
    ballast = fill(small_disk, leave=leave)
    more = [f"paths.root={root}", "study.seeds=[0,1]", "train.keep=none"]
    done = study(*more)
    assert done.code == 1
    assert "disk is full" in (done.err + done.out).lower()
    assert "Traceback" not in done.err
    assert {name: (root / "cells" / name / "result.json").read_bytes() for name in before} == before
    assert all((p / "result.json").stat().st_size for p in (root / "cells").glob("[!.]*"))
    ballast.unlink()
    assert study(*more).code == 0
    assert len(list(root.glob("cells/*/result.json"))) == 4
    assert staged(root) == []


@pytest.fixture(scope="module")
def finished_small(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same study with one seed, finished."""
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("small") / "out"
    known = [*tiny.overrides(tiny_base, reviews, root), *tiny.study(sizes="16", seeds="0"), "train.keep=none"]
    assert main(["study", *known]) == 0
    assert findings(planned(known))
    return root
