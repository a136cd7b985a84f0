"""A classifier as the files that a registered model is loaded from, by code that stands in tracking/served_model.py."""

import importlib.metadata
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.commands.formats.form import Format, Reading
from pipeline.commands.steps.trained import Trained
from pipeline.errors import UserError
from pipeline.files import write_text
from pipeline.models.words import PARTS
from pipeline.tasks import LINEAR, Example, inputs, kind

if TYPE_CHECKING:
    import pandas

COLUMNS = {"label": ("label", "probability", "probabilities"), "labels": ("labels", "probabilities")}
_ALWAYS = ("mlflow", "numpy", "pandas", "safetensors")
_NETWORK = ("torch", "transformers")
_PACKAGES = {"words": ("scikit-learn", "scipy"), "own_head": _NETWORK, "pooled": _NETWORK}


@dataclass(frozen=True, kw_only=True)
class Served:
    """The files that `exported` writes, and served.json.

    Args:
        trained: the cell.
        exported: the format that holds its network.
        name: what served.json calls that format.
        answers: the loaded model, once there is one.
    """

    trained: Trained
    exported: Format
    name: str
    answers: "Callable[[pandas.DataFrame], pandas.DataFrame] | None" = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns of texts."""
        return inputs(kind(self.trained.cell.task.kind))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns of predictions."""
        return COLUMNS.get(str(kind(self.trained.cell.task.kind).target), ("similarity",))

    @property
    def requirements(self) -> tuple[str, ...]:
        """The packages that the loaded model needs, in the versions that are installed here."""
        names = sorted((*_ALWAYS, *_PACKAGES[self.name]))
        return tuple(f"{name}=={importlib.metadata.version(name).partition('+')[0]}" for name in names)

    def save(self, folder: Path) -> None:
        """Write the files into `folder`."""
        self.exported.save(folder)
        settings = {
            "format": self.name,
            "labels": list(self.trained.result.labels),
            "columns": list(self.outputs),
            "inputs": list(self.inputs),
            "parts": [list(part) for part in kind(self.trained.cell.task.kind).parts],
            "prefix": self.trained.cell.prefix,
            "precision": self.trained.cell.train.precision,
            "counted": PARTS if self.name == "words" else {},
        }
        write_text(folder / "served.json", json.dumps(settings, ensure_ascii=False, indent=2) + "\n")

    def read(self, folder: Path, examples: Sequence[Example]) -> Reading:
        """See Readable. Logits are read back from the probabilities that the loaded model gives."""
        import pandas

        assert self.answers is not None
        rows = [[getattr(example, name) for name in self.inputs] for example in examples]
        table = self.answers(pandas.DataFrame(rows, columns=list(self.inputs)))
        if self.outputs == ("similarity",):
            shares = np.array(table["similarity"], dtype=np.float64)[:, None]
        else:
            labels = self.trained.result.labels
            shares = np.array([[row[label] for label in labels] for row in table["probabilities"]])
        shares = np.clip(shares, 1e-300, 1 - 1e-16)
        odds = np.log(shares) if self.outputs[0] == "label" else np.log(shares) - np.log1p(-shares)
        return Reading(by="MLflow", logits=odds)


def served(trained: Trained) -> Served:
    """The cell as a model to be registered.

    Raises:
        UserError: its network does not classify texts or score pairs.
    """
    from pipeline.commands.formats import format_of
    from pipeline.commands.formats.own_head import OwnHead
    from pipeline.commands.formats.words import Words

    task = kind(trained.cell.task.kind)
    if task.linear is None:
        raise UserError(
            f"register takes networks that classify texts or score pairs, but cell {trained.result.cell_id} is a "
            f"network for {task.name}. Valid kinds: {', '.join(LINEAR)}. `export` writes it as a directory."
        )
    exported: Any = format_of(trained)
    name = "words" if isinstance(exported, Words) else "own_head" if isinstance(exported, OwnHead) else "pooled"
    return Served(trained=trained, exported=exported, name=name)
