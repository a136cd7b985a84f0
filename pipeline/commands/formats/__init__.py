"""The directories that a trained cell can be exported as. Each is written here and read by other libraries alone."""

from pipeline.commands.formats.form import Format, Reading
from pipeline.commands.formats.own_head import OwnHead, pipeline_of
from pipeline.commands.formats.words import Words
from pipeline.commands.trained import Trained

__all__ = ["Format", "Reading", "format_of", "pipeline_of"]


def format_of(trained: Trained) -> Format:
    """The format that can hold what the cell trained."""
    if trained.cell.method.reads == "words":
        return Words(trained=trained)
    from pipeline.commands.formats.pooled import Pooled
    from pipeline.tasks.pooled import PooledClassifier

    network = trained.network()
    if isinstance(network, PooledClassifier):
        return Pooled(trained=trained, network=network)
    return OwnHead(trained=trained, network=network)
