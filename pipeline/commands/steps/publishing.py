"""A finished study as a few files to commit, and its report from them, where neither base nor data are needed."""

import dataclasses
import io
import lzma
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.config.redaction import public
from pipeline.errors import StorageError, UserError
from pipeline.files import storage_error, write_bytes, write_text
from pipeline.language import Language, in_language
from pipeline.records import CellResult, ClaimTable, Findings, from_json, to_json
from pipeline.report.about import About
from pipeline.report.build import write_report
from pipeline.report.claim_table import claim_table
from pipeline.storage.coverage import Coverage
from pipeline.storage.results import ResultStore
from pipeline.study.finding.error_analysis import analyse_errors
from pipeline.study.finding.findings import Basis, find

STUDY, FINDINGS, CELLS = "study.json", "findings.json", "cells.tar.xz"


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a report needs beside `cells.tar.xz`; `cells` are the ids in the study's order.

    `evaluated` are the fingerprints of the sets that are only evaluated, by name.
    """

    basis: Basis
    about: About
    cells: tuple[str, ...]
    evaluated: dict[str, str] = field(default_factory=dict)
    audits: tuple[str, ...] = ()

    def results(self, store: ResultStore) -> list[CellResult]:
        """The results of its cells."""
        return Coverage(store=store, cells=self.cells, evaluated=self.evaluated, audits=self.audits).results()


def publish(folder: Path, published: Published, store: ResultStore) -> Findings:
    """Write `study.json`, `findings.json` and `cells.tar.xz`: results and per-item scores, without losses and weights.

    Verdicts are those that the cells give; none is kept from an earlier look.

    Args:
        folder: where they go.
        published: the study; secrets in its settings are left out here.
        store: where its cells are.

    Raises:
        StorageError: the folder cannot be written.
    """
    basis, cells = published.basis, published.results(store)
    basis = dataclasses.replace(
        basis,
        base=public(basis.base),
        others=tuple(public(base) for base in basis.others),
        task=public(basis.task),
        standing=dataclasses.replace(basis.standing, kept={}),
    )
    findings = find(basis, cells, store)
    published = dataclasses.replace(published, basis=basis)
    write_text(folder / STUDY, to_json(published, ordered=True))  # the order of claims is that of the verdicts
    write_text(folder / FINDINGS, to_json(findings))
    write_bytes(folder / CELLS, _packed(store, cells))
    return findings


def rebuild(folder: Path, target: Path, language: Language = "en") -> tuple[Findings, Path, ClaimTable | None]:
    """Unpack the cells of a published study into `target`, judge them and write the report in `language`.

    Returns:
        The findings, the path of report.html, and the fourteen rows if the study judges any of them.

    Raises:
        UserError: a file is missing.
        StorageError: a file is damaged, or the cells do not give the findings that were published.
    """
    published = from_json(Published, _read(folder / STUDY).decode(), str(folder / STUDY))
    shutil.rmtree(target / "cells", ignore_errors=True)
    _unpack(folder / CELLS, target / "cells")
    store = ResultStore(target)
    cells = published.results(store)
    findings = find(published.basis, cells, store)
    if to_json(findings).encode() != _read(folder / FINDINGS):
        raise StorageError(
            f"The cells of {folder} do not give its {FINDINGS}: one of them was changed, or another version of this "
            "program wrote it. Its maintainers publish it anew with report publish=FOLDER."
        )
    write_text(target / FINDINGS, to_json(findings))
    errors = analyse_errors(published.basis.study, cells, store)
    with in_language(language):
        claims = claim_table(published.basis, cells, store, findings)
        page = write_report(findings, cells, published.about, target, errors, claims=claims)
    return findings, page, claims


def _packed(store: ResultStore, cells: Sequence[CellResult]) -> bytes:
    """The same bytes for the same cells. Files of one name lie side by side, which compress best together."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted((path for cell in cells for path in _files(store, cell)), key=lambda path: path.name):
            content = _without_losses(path) if path.suffix == ".npy" else path.read_bytes()
            entry = tarfile.TarInfo(str(path.relative_to(store.cells)))  # with neither date nor owner
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return lzma.compress(buffer.getvalue(), preset=9)


def _without_losses(path: Path) -> bytes:
    """An array without the loss of each item, which no finding reads and which compresses to more than all the rest."""
    items = np.load(path, allow_pickle=False)
    if "loss" not in (items.dtype.names or ()):
        return path.read_bytes()
    items["loss"] = 0.0
    buffer = io.BytesIO()
    np.save(buffer, items, allow_pickle=False)
    return buffer.getvalue()


def _files(store: ResultStore, cell: CellResult) -> Iterator[Path]:
    """Those of a cell's training, without its weights, and of what was measured beside it."""
    folder = store.folder(cell.cell_id)
    yield from (folder / "result.json", *sorted(folder.glob("*.npy")))
    numbers = [evaluation.evaluation_id for evaluation in cell.evaluations if evaluation.evaluation_id]
    for number in (*numbers, *(audit.evaluation_id for audit in cell.audits)):
        beside = store.evaluations(cell.cell_id).folder(number)
        yield from (beside / "items.npy", beside / "record.json")


def _unpack(path: Path, target: Path) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(_read(path)), mode="r:xz") as archive:
            archive.extractall(target, filter="data")
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
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
