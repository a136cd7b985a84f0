"""`headstart.compare` and `headstart.load`."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.api.comparison import Comparison
from pipeline.api.tables import Frame, stored
from pipeline.commands import study
from pipeline.commands.compare import study_of
from pipeline.commands.steps.own_table import Given
from pipeline.config.compose import compose
from pipeline.config.settings import overrides_of
from pipeline.errors import ConfigError
from pipeline.files import NO_FOLDER, storage_error
from pipeline.hardware.machine import limit_threads
from pipeline.import_path import leave_out_the_working_folder
from pipeline.study.finished import FINDINGS, FinishedStudy

OPTION = '{}="COLUMN"'


def compare(
    table: "str | os.PathLike[str] | Frame",
    *,
    text: str | None = None,
    label: str | None = None,
    name: str | None = None,
    budget: str | None = "10min",
    root: "str | os.PathLike[str]" = "outputs",
    **overrides: object,
) -> Comparison:
    """Compare pretrained and other starts on a table of texts and labels.

    Progress and verdicts are printed as by `headstart compare`. The same call again reuses every finished training.

    Args:
        table: the path of a CSV, TSV, JSON or Parquet file, or a DataFrame (pandas, polars, Arrow). A DataFrame is
            written to a file under `root` that is named by its content.
        text: the column with the texts; recognised if None.
        label: the column with the labels (or scores, or lists of labels); recognised if None.
        name: what the study and its task are called; by default the file's name.
        budget: when to stop and judge what there is, for example "30min" or "2h"; None for no limit.
        root: the folder for results (`paths.root`).
        overrides: any setting, by its name on the command line: `base="multilingual_e5"`,
            `**{"study.sizes": [100, 400], "train.lr": 1e-4}`. A name that starts with "~" leaves an entry out.

    Raises:
        ConfigError: a setting breaks a rule, or there is none of this name.
        DataError: the table cannot be read, lacks a column or rows, or has no column that looks like a label.
        HeadstartError: any other error that the command line would print.
    """
    with _as_a_command():
        path = stored(table, (text, label), Path(root))
        named = {} if name is None else {"study.name": name, "task.name": name}
        settings = named | {"study.budget": budget, "paths.root": os.fspath(root)} | overrides
        given = Given(path=str(path), text=text, label=label, overrides=tuple(overrides_of(settings)), option=OPTION)
        chosen = study_of(given)
        config = compose(chosen)
        if config.plan:
            raise ConfigError(["plan=true trains nothing, so that there is nothing to return. Use `headstart study`."])
        study.run(chosen)
        return Comparison(study=FinishedStudy.read(Path(config.paths.root), config.study.name))


def load(study: "str | os.PathLike[str]", *, root: "str | os.PathLike[str]" = "outputs") -> Comparison:
    """Open a study that was run before, by `compare` or on the command line.

    Args:
        study: its name, or its folder ("outputs/studies/reviews").
        root: the folder for results that holds it; not needed with a folder.

    Raises:
        UserError: there is no such study, or it has no findings yet.
    """
    folder = Path(study)
    if (folder / FINDINGS).is_file():
        return Comparison(study=FinishedStudy.read(folder.absolute().parent.parent, folder.absolute().name))
    return Comparison(study=FinishedStudy.read(Path(root), folder.name))


@contextlib.contextmanager
def _as_a_command() -> Iterator[None]:
    """Run the block under the conditions of the command line, and put back import path and environment at its end."""
    path, environment = sys.path[:], dict(os.environ)
    leave_out_the_working_folder()
    limit_threads()
    try:
        yield
    except OSError as error:
        if error.filename and error.errno in NO_FOLDER:
            raise storage_error(Path(error.filename), error) from error
        raise
    finally:
        sys.path[:] = path
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
