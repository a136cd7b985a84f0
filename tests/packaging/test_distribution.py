"""What is installed: the wheel's content, the pinned versions, the presets' size."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
MAPPED = {"pipeline/api/entry.py": "headstart/__init__.py", "pipeline/api/py.typed": "headstart/py.typed"}
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==(\S+)$", CONSTRAINTS, flags=re.MULTILINE)
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert built.returncode == 0, built.stdout + built.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_carries_every_preset_and_experiment(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    presets = [p.relative_to(ROOT) for folder in ("conf", "experiments") for p in (ROOT / folder).rglob("*.yaml")]
    assert len(presets) > 20
    assert {f"pipeline/_data/{p.as_posix()}" for p in presets} <= names


def test_the_wheel_carries_the_package_its_templates_and_its_licence_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    sources = [p.relative_to(ROOT).as_posix() for p in (ROOT / "pipeline").rglob("*") if p.is_file()]
    sources = [MAPPED.get(source, source) for source in sources]
    assert {s for s in sources if "__pycache__" not in s and not s.endswith(".pyc")} <= set(names)
    assert any(n.endswith("licenses/LICENSE") for n in names)
    assert {n.split("/")[0] for n in names} == {"headstart", "pipeline", f"headstart-{PROJECT['version']}.dist-info"}


def test_the_wheel_maps_the_python_interface_to_headstart(wheel: zipfile.ZipFile) -> None:
    assert [n for n in wheel.namelist() if n.startswith("headstart/")] == [
        "headstart/__init__.py",
        "headstart/py.typed",
    ]
    assert wheel.read("headstart/__init__.py") == (ROOT / "pipeline/api/entry.py").read_bytes()


def test_an_editable_install_has_headstart_too(tmp_path: Path) -> None:
    code = f"from hatchling.build import build_editable; build_editable({str(tmp_path)!r})"
    built = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as editable:
        assert {"headstart/__init__.py", "headstart/py.typed", "_headstart.pth"} <= set(editable.namelist())


def test_the_wheel_installs_the_command_headstart(wheel: zipfile.ZipFile) -> None:
    entry = next(n for n in wheel.namelist() if n.endswith("entry_points.txt"))
    assert "headstart = pipeline.cli:main" in wheel.read(entry).decode()


def test_the_wheel_that_is_unpacked_finds_its_own_presets(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "site")
    code = "import headstart; from pipeline.config.search_path import own_root; print(own_root())"
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {code}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.stdout.strip() == str(tmp_path / "site/pipeline/_data"), found.stderr


def test_the_image_copies_what_the_wheel_is_built_from() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert {name for name in names if not (ROOT / name).exists()} == set()
    assert {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"], "pipeline", "conf", "experiments"} <= names


def test_every_dependency_is_pinned_to_a_version_its_bounds_allow() -> None:
    extras = [line for group in PROJECT["optional-dependencies"].values() for line in group]
    for requirement in map(Requirement, [*PROJECT["dependencies"], *extras]):
        pin = PINS.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement.name} has no line in constraints.txt"
        assert requirement.specifier.contains(pin), f"{requirement.name}=={pin} is not {requirement.specifier}"


def test_pins_name_public_versions_and_no_place() -> None:
    assert all(Version(v).local is None for v in PINS.values())
    assert "@" not in CONSTRAINTS
    assert "file:" not in CONSTRAINTS


def test_the_lightning_package_is_never_asked_for_and_its_malicious_releases_are_excluded() -> None:
    assert "lightning" not in PINS
    assert not any(Requirement(line).name == "lightning" for line in PROJECT["dependencies"])
    excluded = [
        Requirement(line) for line in CONSTRAINTS.splitlines() if line.startswith(("lightning!", "pytorch-lig"))
    ]
    for name in ("lightning", "pytorch-lightning"):
        bounds = [r.specifier for r in excluded if r.name == name]
        assert not any(all(b.contains(v) for b in bounds) for v in ("2.6.2", "2.6.3"))


def test_every_sample_package_is_pinned_with_its_hash() -> None:
    text = (ROOT / "requirements-samples.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) == 13
    assert all(re.fullmatch(r"[\w-]+==[\w.]+( --hash=sha256:[0-9a-f]{64})+", line) for line in lines)


@pytest.mark.parametrize("path", sorted((ROOT / "conf").rglob("*.yaml")), ids=lambda p: p.stem)
def test_a_preset_is_one_choice_in_at_most_25_lines(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 25
    assert all(len(line) <= 120 for line in lines)
    assert lines[0].startswith("#"), "a preset opens with a comment that says what it is"
