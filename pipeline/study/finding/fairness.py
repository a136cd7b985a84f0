"""The same start line: what was equal between the arms, refused where it was not, and what differed by declaration."""

from collections.abc import Callable, Hashable, Iterable, Sequence

from pipeline.errors import UnequalStartError
from pipeline.language import Sentence, Value, any_of, listed, said
from pipeline.methods import METHODS
from pipeline.records import CellResult, StartLine

POOLINGS = {
    "mean": "a linear layer on the mean of all positions",
    "cls": "a linear layer on the first position",
    "last": "a linear layer on the last position",
    "head": "the architecture's own",
}
OF_NETWORKS: dict[str, Callable[[StartLine], Hashable]] = {"parameter_dtype": lambda line: line.parameter_dtype}
OF_STEPS: dict[str, Callable[[StartLine], Hashable]] = {"trained_mode": lambda line: line.trained_mode}
EVERYWHERE: dict[str, Callable[[StartLine], Hashable]] = {
    "precision": lambda line: line.precision,
    "versions": lambda line: tuple(sorted(line.versions.items())),
}
PER_BASE: dict[str, Callable[[StartLine], Hashable]] = {"tokenizer": lambda line: line.tokenizer}
NETWORKS_PER_BASE: dict[str, Callable[[StartLine], Hashable]] = {
    "dropout": lambda line: line.dropout,
    "pooling": lambda line: line.pooling,
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


def fairness(cells: Sequence[CellResult]) -> tuple[Sentence, ...]:
    """Sentences on what was verified equal between the arms and what differs by declaration.

    Raises:
        UnequalStartError: a field differs where it must not; the message names it, both values and both cells.
    """
    if not cells:
        return ()
    networks = [cell for cell in cells if not _on_words(cell)]
    _equal(cells, EVERYWHERE, lambda cell: "everywhere")
    _equal(networks, OF_NETWORKS, lambda cell: "everywhere")
    _equal([c for c in networks if not METHODS[c.start_line.method].solved], OF_STEPS, lambda cell: "everywhere")
    _equal(cells, PER_BASE, lambda cell: cell.key.base)
    _equal(networks, NETWORKS_PER_BASE, lambda cell: cell.key.base)
    _equal(networks, PER_SHRINK, lambda cell: (cell.key.base, cell.start_line.shrink))
    _equal(cells, PER_SIZE, lambda cell: cell.key.size)
    _equal(cells, PER_SEED, lambda cell: (cell.key.size, cell.key.seed))
    _equal(cells, PER_SEED_AND_BASE, lambda cell: (cell.key.size, cell.key.seed, cell.key.base))
    _equal_sets(cells)
    return (*_verified(cells), *_declared(cells))


def _on_words(cell: CellResult) -> bool:
    """Whether it has no network, by declaration."""
    return METHODS[cell.start_line.method].reads == "words"


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


def _verified(cells: Sequence[CellResult]) -> list[Sentence]:
    line, bases = cells[0].start_line, list(dict.fromkeys(cell.key.base for cell in cells))
    several = len(bases) > 1
    versions = ", ".join(f"{name} {version}" for name, version in sorted(line.versions.items()))
    batches = ", ".join(str(b) for b in sorted({cell.start_line.global_batch for cell in cells}))
    networks = [cell for cell in cells if not _on_words(cell)]
    return [
        *(
            sentence
            for base in bases
            for sentence in _same_network(
                [c for c in networks if c.key.base == base], said(" on {base}", base=base) if several else ""
            )
        ),
        said(
            "Same training examples{order} for every arm at each size and seed.",
            order="" if several else said(" in the same order"),
        ),
        said("Same global batch ({batches}) and evaluation points for every arm at each size.", batches=batches),
        *_same_state(networks),
        said("Same precision ({precision}) in every cell.", precision=line.precision),
        said("Same evaluation sets in every cell."),
        said("Same library versions in every cell: {versions}.", versions=versions or said("none recorded")),
    ]


def _same_state(networks: Sequence[CellResult]) -> list[Sentence]:
    """Of parameters and modes, where there are networks, and such that take steps."""
    stepping = [c.start_line for c in networks if not METHODS[c.start_line.method].solved]
    mode = [
        said("Trained parts in {mode} mode in every network that is trained.", mode=line.trained_mode)
        for line in stepping[:1]
    ]
    kind = [
        said("Same parameter type ({dtype}) in every network.", dtype=c.start_line.parameter_dtype)
        for c in networks[:1]
    ]
    return mode + kind


def _same_network(cells: Sequence[CellResult], where: Value) -> list[Sentence]:
    """Of the networks of one base; `where` names it, if there are others."""
    if not cells:
        return []
    line = max(cells, key=lambda cell: cell.start_line.shrink).start_line
    smaller = sorted({cell.key.arm for cell in cells if cell.start_line.shrink < line.shrink})
    but = said(" but those of {arms}, which has a smaller one", arms=", ".join(smaller)) if smaller else ""
    order = said("Same order of training examples in every cell{where} at each size and seed.", where=where)
    return [
        said(
            "Same tokenizer ({tokenizer}) in every cell{where}, same architecture ({architecture}) in every "
            "network{where}{but}.",
            tokenizer=line.tokenizer,
            architecture=line.architecture,
            where=where,
            but=but,
        ),
        said("Same head in every network{where}: {head}.", where=where, head=said(POOLINGS[line.pooling])),
        said("Same dropout ({dropout:g}) in every network{where}.", dropout=line.dropout, where=where),
        *([order] if where else []),
    ]


def _declared(cells: Sequence[CellResult]) -> list[Sentence]:
    arms = list(dict.fromkeys(cell.key.arm for cell in cells))
    described = {arm: [_describe(cell.start_line) for cell in cells if cell.key.arm == arm] for arm in arms}
    return [
        said("Declared for {arm}: {ways}.", arm=arm, ways=any_of(dict.fromkeys(texts)))
        for arm, texts in described.items()
    ]


def _describe(line: StartLine) -> Sentence:
    method = METHODS[line.method]
    if method.reads == "words":
        return said("no network: TF-IDF of word and character n-grams, and a linear model solved on them")
    if method.solved:
        return said("a linear head, solved to its optimum on the features of the base, which stays as it is")
    return said(
        "recipe {recipe}; trains {part}; base in {mode} mode",
        recipe=listed(said("{name} {value:g}", name=n, value=v) for n, v in sorted(line.recipe.items())),
        part=said(method.trained_part),
        mode=line.base_mode,
    )
