"""Whether a training went on from where it was saved: seconds that were measured once are measured by no other run."""

from contextlib import suppress
from pathlib import Path

from pipeline.records import CellResult, from_json
from pipeline.storage.checkpoints import Standing


def standing(root: Path, cell_id: str) -> Standing | None:
    """Where the latest checkpoint of the cell says that its training stands; None where there is none just now."""
    for path in sorted((root / "checkpoints").glob(f"{cell_id}-*/standing.json"), reverse=True):
        with suppress(FileNotFoundError):  # the one after it has taken its place
            return from_json(Standing, path.read_text(encoding="utf-8"))
    return None


def went_on_from(saved: Standing | None, result: CellResult) -> bool:
    """Whether the result holds, to the last digit, the times that the training had taken when it was saved."""
    if saved is None or saved.step == 0 or saved.seconds[-1] == 0:
        return False
    count = len(saved.seconds)
    points = result.trajectory[:count] == saved.points
    return points and result.measured.trajectory_seconds[:count] == saved.seconds
