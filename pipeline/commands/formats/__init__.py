"""The directories that a trained cell can be exported as. Each is written here and read by other libraries alone."""

from typing import TYPE_CHECKING

from pipeline.commands.formats.form import Format, Readable, Reading
from pipeline.commands.formats.own_head import OwnHead, pipeline_of
from pipeline.commands.formats.words import Words
from pipeline.commands.steps.trained import Trained
from pipeline.config.schema import ExportFormat
from pipeline.errors import UserError
from pipeline.tasks import kind

if TYPE_CHECKING:
    from pipeline.commands.formats.pooled import Pooled

__all__ = ["Format", "Readable", "Reading", "format_of", "pipeline_of"]


def format_of(trained: Trained, asked: ExportFormat = "safetensors") -> Format:
    """The format that can hold what the cell trained.

    Raises:
        UserError: it cannot be exported as asked.
    """
    if asked == "onnx":
        from pipeline.commands.formats.onnx import Onnx, require_classifier

        require_classifier(trained)
        return Onnx(trained=trained, whole=_whole(trained))
    if trained.cell.method.reads == "words":
        if kind(trained.cell.task.kind).linear is None:
            raise UserError(
                f"Cell {trained.result.cell_id} is a linear model on what is around each word, and there is no "
                "format for these. Use predict, or export a cell of another arm."
            )
        return Words(trained=trained)
    return _whole(trained)


def _whole(trained: Trained) -> "OwnHead | Pooled":
    from pipeline.commands.formats.pooled import Pooled
    from pipeline.tasks.heads.pooled import PooledClassifier

    network = trained.network()
    if isinstance(network, PooledClassifier):
        return Pooled(trained=trained, network=network)
    return OwnHead(trained=trained, network=network)
