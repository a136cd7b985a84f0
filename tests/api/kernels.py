"""`headstart` as an installation has it, for processes that are started from tests, and notebooks that are executed."""

import os
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def installed(folder: Path) -> dict[str, str]:
    """Write what the wheel maps to `headstart` into `folder`; the environment of a process that finds it there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for source, target in project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"].items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / source, folder / target)
    places = {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "PATH": _with_programs()}
    return {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"} | places


def _with_programs() -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def execute(notebook: Path, folder: Path, environment: dict[str, str]) -> Any:
    """The notebook with the outputs of a run in `folder`; a cell that raises is an error."""
    import nbformat
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient

    cells = nbformat.read(notebook, as_version=4)
    manager = KernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = sys.executable
    client = NotebookClient(cells, km=manager, timeout=300, resources={"metadata": {"path": str(folder)}})
    client.execute(env=environment)
    return cells


if __name__ == "__main__":  # PYTHONPATH=. python -m tests.api.kernels: docs/notebooks again, with new outputs
    import tempfile

    import nbformat

    for path in sorted((ROOT / "docs/notebooks").glob("*.ipynb")):
        with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as packages:
            nbformat.write(execute(path, Path(work), installed(Path(packages))), path)
