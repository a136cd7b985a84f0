"""The same start line: what was equal between the arms, refused where it was not, and what differed by declaration."""

from collections.abc import Callable, Hashable, Iterable, Sequence

from pipeline.errors import UnequalStartError
from pipeline.records import CellResult, StartLine

EVERYWHERE: dict[str, Callable[[StartLine], Hashable]] = {
    "tokenizer": lambda line: line.tokenizer,
    "dropout": lambda line: line.dropout,
    "trained_mode": lambda line: line.trained_mode,
    "parameter_dtype": lambda line: line.parameter_dtype,
    "precision": lambda line: line.precision,
    "versions": lambda line: tuple(sorted(line.versions.items())),
}
PER_SHRINK: dict[str, Callable[[StartLine], Hashable]] = {"architecture": lambda line: line.architecture}
PER_SIZE: dict[str, Callable[[StartLine], Hashable]] = {
    "global_batch": lambda line: line.global_batch,
    "evaluation_grid": lambda line: line.evaluation_grid,
}
PER_SEED: dict[str, Callable[[StartLine], Hashable]] = {
    "train_items": lambda line: line.train_items,
    "order": lambda line: line.order,
}


def fairness(cells: Sequence[CellResult]) -> tuple[str, ...]:
    """Sentences on what was verified equal between the arms and what differs by declaration.

    Raises:
        UnequalStartError: a field differs where it must not; the message names it, both values and both cells.
    """
    if not cells:
        return ()
    _equal(cells, EVERYWHERE, lambda cell: "everywhere")
    _equal(cells, PER_SHRINK, lambda cell: cell.start_line.shrink)
    _equal(cells, PER_SIZE, lambda cell: cell.key.size)
    _equal(cells, PER_SEED, lambda cell: (cell.key.size, cell.key.seed))
    _equal_sets(cells)
    return (*_verified(cells), *_declared(cells))


def _equal(
    cells: Sequence[CellResult],
    fields: dict[str, Callable[[StartLine], Hashable]],
    group: Callable[[CellResult], Hashable],
) -> None:
    for name, value in fields.items():
        _same(name, ((group(cell), value(cell.start_line), cell) for cell in cells))


def _equal_sets(cells: Sequence[CellResult]) -> None:
    _same("labels", (("labels", cell.labels, cell) for cell in cells))
    tested = ((e, cell) for cell in cells for e in cell.evaluations if e.role != "train")
    _same("evaluation set", ((e.dataset, (e.dataset, e.items, e.fingerprint), cell) for e, cell in tested))


def _same(name: str, entries: Iterable[tuple[Hashable, Hashable, CellResult]]) -> None:
    first: dict[Hashable, tuple[Hashable, CellResult]] = {}
    for group, value, cell in entries:
        expected, other = first.setdefault(group, (value, cell))
        if value != expected:
            raise UnequalStartError(
                f"The arms do not start on the same line: {name} is {_shown(expected)} for {_who(other)} "
                f"but {_shown(value)} for {_who(cell)}. Delete the cell that differs "
                "(its folder is named by its id) and run the study again."
            )


def _who(cell: CellResult) -> str:
    return f"{cell.key.label} seed={cell.key.seed} (cell {cell.cell_id})"


def _shown(value: Hashable) -> str:
    return repr(dict(value)) if isinstance(value, tuple) and all(isinstance(v, tuple) for v in value) else repr(value)


def _verified(cells: Sequence[CellResult]) -> list[str]:
    line = max(cells, key=lambda cell: cell.start_line.shrink).start_line
    smaller = sorted({cell.key.arm for cell in cells if cell.start_line.shrink < line.shrink})
    but = f" but those of {', '.join(smaller)}, which has a smaller one" if smaller else ""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(line.versions.items()))
    batches = ", ".join(str(b) for b in sorted({cell.start_line.global_batch for cell in cells}))
    return [
        f"Same tokenizer ({line.tokenizer}) in every cell, same architecture ({line.architecture}) in every cell{but}.",
        "Same training examples in the same order for every arm at each size and seed.",
        f"Same global batch ({batches}) and evaluation points for every arm at each size.",
        f"Same dropout ({line.dropout:g}), trained parts in {line.trained_mode} mode in every cell.",
        f"Same parameter type ({line.parameter_dtype}) and precision ({line.precision}) in every cell.",
        "Same evaluation sets in every cell.",
        f"Same library versions in every cell: {versions or 'none recorded'}.",
    ]


def _declared(cells: Sequence[CellResult]) -> list[str]:
    arms = list(dict.fromkeys(cell.key.arm for cell in cells))
    described = {arm: [_describe(cell.start_line) for cell in cells if cell.key.arm == arm] for arm in arms}
    return [f"Declared for {arm}: {' or '.join(dict.fromkeys(texts))}." for arm, texts in described.items()]


def _describe(line: StartLine) -> str:
    recipe = ", ".join(f"{name} {value:g}" for name, value in sorted(line.recipe.items()))
    return f"recipe {recipe}; trains {line.trained}; base in {line.base_mode} mode"
