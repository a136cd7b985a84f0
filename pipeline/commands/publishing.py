"""A finished study as a few files to commit, and its report from them, where neither base nor data are needed."""

import dataclasses
import io
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.redaction import public
from pipeline.errors import StorageError, UserError
from pipeline.files import storage_error, write_bytes, write_text
from pipeline.records import CellResult, Findings, from_json, to_json
from pipeline.report.about import About
from pipeline.report.build import write_report
from pipeline.study.finding.error_analysis import analyse_errors
from pipeline.study.finding.find import Basis, find
from pipeline.training.results import ResultStore

STUDY, FINDINGS, CELLS = "study.json", "findings.json", "cells.zip"
SAME_DATE = (1980, 1, 1, 0, 0, 0)  # of every file in the archive: the same cells give the same bytes


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a report needs beside `cells.zip`; `cells` are the ids in the study's order."""

    basis: Basis
    about: About
    cells: tuple[str, ...]


def publish(folder: Path, basis: Basis, cells: Sequence[CellResult], about: About, store: ResultStore) -> Findings:
    """Write `study.json`, `findings.json` and `cells.zip`, which holds results and per-item scores without weights.

    Verdicts are those that the cells give; none is kept from an earlier look.

    Raises:
        StorageError: the folder cannot be written.
    """
    basis = dataclasses.replace(
        basis,
        base=public(basis.base),
        others=tuple(public(base) for base in basis.others),
        task=public(basis.task),
        standing=dataclasses.replace(basis.standing, kept={}),
    )
    found = find(basis, cells, store)
    published = Published(basis=basis, about=about, cells=tuple(cell.cell_id for cell in cells))
    write_text(folder / STUDY, to_json(published, ordered=True))  # the order of claims is that of the verdicts
    write_text(folder / FINDINGS, to_json(found))
    write_bytes(folder / CELLS, _packed(store, published.cells))
    return found


def rebuild(folder: Path, target: Path) -> tuple[Findings, Path]:
    """Unpack the cells of a published study into `target`, judge them and write the report; the path of report.html.

    Raises:
        UserError: a file is missing.
        StorageError: a file is damaged, or the cells do not give the findings that were published.
    """
    published = from_json(Published, _read(folder / STUDY).decode(), str(folder / STUDY))
    shutil.rmtree(target / "cells", ignore_errors=True)
    _unpack(folder / CELLS, target / "cells")
    store = ResultStore(target)
    cells = [store.result(name) for name in published.cells]
    found = find(published.basis, cells, store)
    if to_json(found).encode() != _read(folder / FINDINGS):
        raise StorageError(
            f"The cells of {folder} do not give its {FINDINGS}: one of them was changed, or another version of this "
            "program wrote it. Its maintainers publish it anew with report publish=FOLDER."
        )
    write_text(target / FINDINGS, to_json(found))
    errors = analyse_errors(published.basis.study, cells, store)
    return found, write_report(found, cells, published.about, target, errors)


def _packed(store: ResultStore, names: Sequence[str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in names:
            for path in [store.folder(name) / "result.json", *sorted(store.folder(name).glob("*.npy"))]:
                entry = zipfile.ZipInfo(f"{name}/{path.name}", SAME_DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes(), compresslevel=9)
    return buffer.getvalue()


def _unpack(path: Path, target: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(_read(path))) as archive:
            archive.extractall(target)
    except zipfile.BadZipFile as error:
        raise StorageError(f"{path} is damaged ({error}). Fetch it again.") from error
    except OSError as error:
        raise storage_error(target, error) from error


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise UserError(
            f"A published study is a folder with {STUDY}, {FINDINGS} and {CELLS}, but {path} is not there. "
            "Publish one with: report experiments=NAME publish=FOLDER"
        )
    return path.read_bytes()
