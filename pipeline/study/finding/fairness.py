"""The same start line: what was equal between the arms, refused where it was not, and what differed by declaration."""

from collections.abc import Callable, Hashable, Iterable, Sequence

from pipeline.errors import UnequalStartError
from pipeline.records import CellResult, StartLine

EVERYWHERE: dict[str, Callable[[StartLine], Hashable]] = {
    "trained_mode": lambda line: line.trained_mode,
    "parameter_dtype": lambda line: line.parameter_dtype,
    "precision": lambda line: line.precision,
    "versions": lambda line: tuple(sorted(line.versions.items())),
}
PER_BASE: dict[str, Callable[[StartLine], Hashable]] = {
    "tokenizer": lambda line: line.tokenizer,
    "dropout": lambda line: line.dropout,
}
PER_SHRINK: dict[str, Callable[[StartLine], Hashable]] = {"architecture": lambda line: line.architecture}
PER_SIZE: dict[str, Callable[[StartLine], Hashable]] = {
    "global_batch": lambda line: line.global_batch,
    "evaluation_grid": lambda line: line.evaluation_grid,
}
PER_SEED: dict[str, Callable[[StartLine], Hashable]] = {
    "train_items": lambda line: line.train_items,
}
PER_SEED_AND_BASE: dict[str, Callable[[StartLine], Hashable]] = {"order": lambda line: line.order}


def fairness(cells: Sequence[CellResult]) -> tuple[str, ...]:
    """Sentences on what was verified equal between the arms and what differs by declaration.

    Raises:
        UnequalStartError: a field differs where it must not; the message names it, both values and both cells.
    """
    if not cells:
        return ()
    _equal(cells, EVERYWHERE, lambda cell: "everywhere")
    _equal(cells, PER_BASE, lambda cell: cell.key.base)
    _equal(cells, PER_SHRINK, lambda cell: (cell.key.base, cell.start_line.shrink))
    _equal(cells, PER_SIZE, lambda cell: cell.key.size)
    _equal(cells, PER_SEED, lambda cell: (cell.key.size, cell.key.seed))
    _equal(cells, PER_SEED_AND_BASE, lambda cell: (cell.key.size, cell.key.seed, cell.key.base))
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
    line, bases = cells[0].start_line, list(dict.fromkeys(cell.key.base for cell in cells))
    several = len(bases) > 1
    versions = ", ".join(f"{name} {version}" for name, version in sorted(line.versions.items()))
    batches = ", ".join(str(b) for b in sorted({cell.start_line.global_batch for cell in cells}))
    return [
        *(
            sentence
            for base in bases
            for sentence in _same_network([c for c in cells if c.key.base == base], f" on {base}" if several else "")
        ),
        f"Same training examples{'' if several else ' in the same order'} for every arm at each size and seed.",
        f"Same global batch ({batches}) and evaluation points for every arm at each size.",
        f"Trained parts in {line.trained_mode} mode in every cell.",
        f"Same parameter type ({line.parameter_dtype}) and precision ({line.precision}) in every cell.",
        "Same evaluation sets in every cell.",
        f"Same library versions in every cell: {versions or 'none recorded'}.",
    ]


def _same_network(cells: Sequence[CellResult], where: str) -> list[str]:
    """Of the cells of one base; `where` names it, if there are others."""
    line = max(cells, key=lambda cell: cell.start_line.shrink).start_line
    smaller = sorted({cell.key.arm for cell in cells if cell.start_line.shrink < line.shrink})
    but = f" but those of {', '.join(smaller)}, which has a smaller one" if smaller else ""
    order = [f"Same order of training examples in every cell{where} at each size and seed."] if where else []
    return [
        f"Same tokenizer ({line.tokenizer}) in every cell{where}, same architecture ({line.architecture}) in every "
        f"cell{where}{but}.",
        f"Same dropout ({line.dropout:g}) in every cell{where}.",
        *order,
    ]


def _declared(cells: Sequence[CellResult]) -> list[str]:
    arms = list(dict.fromkeys(cell.key.arm for cell in cells))
    described = {arm: [_describe(cell.start_line) for cell in cells if cell.key.arm == arm] for arm in arms}
    return [f"Declared for {arm}: {' or '.join(dict.fromkeys(texts))}." for arm, texts in described.items()]


def _describe(line: StartLine) -> str:
    recipe = ", ".join(f"{name} {value:g}" for name, value in sorted(line.recipe.items()))
    return f"recipe {recipe}; trains {line.trained}; base in {line.base_mode} mode"
