"""Which results studies refer to, so that the others can be deleted, and who works with them now."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.data.store import set_folder
from pipeline.errors import UserError
from pipeline.files import lock, write_text
from pipeline.records import from_json, to_json
from pipeline.storage.results import ResultStore
from pipeline.study.plan import Plan
from pipeline.study.pretraining import pretrainings

FILE = "references.json"
_IN_USE = "locks/in-use"


@dataclass(frozen=True, kw_only=True)
class References:
    """What one study refers to: cells, finished or not, and folders of prepared data, both by name."""

    cells: tuple[str, ...] = ()
    data: tuple[str, ...] = ()

    def together(self, more: "References") -> "References":
        """These and others."""
        cells, data = dict.fromkeys((*self.cells, *more.cells)), dict.fromkeys((*self.data, *more.data))
        return References(cells=tuple(cells), data=tuple(data))


@contextlib.contextmanager
def in_use(root: Path) -> Iterator[None]:
    """Keep `prune` away from the results under `root`; any number of commands may at the same time.

    Cells of an earlier version are left as they are; that they are there is printed once.
    """
    with lock(root / _IN_USE, shared=True):
        if earlier := ResultStore(root).earlier():
            print(earlier)
        yield


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Have the results under `root` to oneself.

    Raises:
        UserError: another command works with them.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock(root / _IN_USE, wait=False))
        except (BlockingIOError, PermissionError) as error:  # the latter over NFS
            raise UserError(
                f"Another command works with the results under {root}: it may need what would be deleted. "
                "Run prune when it has ended."
            ) from error
        yield


def refer(plan: Plan, *, adding: bool = False) -> None:
    """Write down what the study of `plan` refers to; to be called before it trains.

    Args:
        plan: the study's.
        adding: to what it referred to before, as single trainings do.
    """
    path = plan.folder / FILE
    known = adding and path.is_file()
    before = from_json(References, path.read_text(encoding="utf-8"), str(path)) if known else References()
    folders = [plan.data_folder, *(set_folder(plan.data_folder, n, f) for n, f in plan.evaluated.items())]
    parts = pretrainings(plan)
    own = References(
        cells=(*plan.cells, *(name for part in parts for name in part.cells)),
        data=tuple(path.name for path in (*folders, *(part.data_folder for part in parts))),
    )
    write_text(path, to_json(before.together(own)))


def references(root: Path) -> References:
    """What all studies and sweeps under `root` refer to, those of earlier versions by their findings."""
    referred = References()
    for path in sorted(root.glob(f"studies/*/{FILE}")):
        referred = referred.together(from_json(References, path.read_text(encoding="utf-8"), str(path)))
    for path in sorted(root.glob("studies/*/findings.json")):
        referred = referred.together(References(cells=tuple(_json(path).get("cells", {}).values())))
    for path in sorted(root.glob("sweeps/*/sweep.json")):
        cells = tuple(cell for trial in _json(path).get("trials", ()) for cell in trial.get("cells", ()))
        referred = referred.together(References(cells=cells))
    return referred


def _json(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_text(encoding="utf-8"))
    return value if isinstance(value, dict) else {}
