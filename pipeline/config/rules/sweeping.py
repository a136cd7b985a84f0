"""The rules of a sweep's settings, checked together with its space before anything runs."""

from collections.abc import Iterator

from pipeline.config.schema import Config, Sweep
from pipeline.config.space import kind_of_range, space_of, space_violations
from pipeline.errors import UserError, nearest
from pipeline.files import safe_name
from pipeline.records.metrics import higher_is_better

PAUSING = "pausing"
COSTS = ("loss", "flops", "seconds", "memory", "parameters", "stored_bytes")
OBJECTIVES = ("score", *COSTS)
FINITE = ("grid", "brute_force")  # samplers that need a finite space


def sweep_violations(config: Config) -> list[str]:
    """Every rule that `config`'s sweep breaks, one sentence each; empty where it is sound."""
    sweep = config.sweep
    rules = (_name, _numbers, _objectives, _pruning)
    violated = [text for rule in rules for text in rule(sweep)]
    return [*violated, *space_violations(config), *(_finite(config) if not violated else ())]


def directions(config: Config) -> tuple[str, ...]:
    """ "maximize" or "minimize" for each objective; the score's follows from the task's metric."""
    return tuple(direction(o, config.task.metric) for o in config.sweep.objectives)


def direction(objective: str, metric: str) -> str:
    """Which way is better."""
    return "maximize" if objective.partition(":")[0] == "score" and higher_is_better(metric) else "minimize"


def seeds_of(config: Config) -> tuple[int, ...]:
    """The seeds of train that one trial is the mean over."""
    return config.sweep.seeds or (config.train.seed,)


def _name(sweep: Sweep) -> Iterator[str]:
    try:
        if sweep.name:
            safe_name(sweep.name, "sweep.name")
    except UserError as error:
        yield str(error)
    if sweep.storage is not None and not sweep.storage.startswith(("postgresql://", "postgresql+psycopg://")):
        yield (
            "sweep.storage must be the address of a PostgreSQL database, postgresql://USER@HOST/DATABASE; "
            "null keeps the sweep in SQLite under paths.root."
        )


def _numbers(sweep: Sweep) -> Iterator[str]:
    for name, least in (("trials", 1), ("workers", 1), ("startup_trials", 0), ("warmup_examples", 0), ("seed", 0)):
        value = getattr(sweep, name)
        if value is not None and value < least:
            yield f"sweep.{name} must be {least} or more, but got {value}."
    if sweep.grace_seconds < 10:
        yield f"sweep.grace_seconds must be 10 or more, but got {sweep.grace_seconds}."
    if len(set(sweep.seeds)) < len(sweep.seeds) or any(seed < 0 for seed in sweep.seeds):
        yield f"sweep.seeds must be different numbers of 0 or more, but got {list(sweep.seeds)}."


def _objectives(sweep: Sweep) -> Iterator[str]:
    if not sweep.objectives:
        yield f"sweep.objectives must name at least one, but got none. Valid: {', '.join(OBJECTIVES)}."
    for given in sweep.objectives:
        yield from _objective(given)
    names = [o.partition(":")[0] for o in sweep.objectives]
    if len(set(names)) < len(names):
        yield f"sweep.objectives must not repeat itself, but got {list(sweep.objectives)}."
    for name, limit in sweep.constraints.items():
        if name not in COSTS:
            yield f"sweep.constraints: {name!r} is unknown. {nearest(name, COSTS)}"
        elif not limit > 0:
            yield f"sweep.constraints.{name} must be above 0, but got {limit:g}."


def _objective(given: str) -> Iterator[str]:
    name, colon, way = given.partition(":")
    if name not in OBJECTIVES:
        yield f"sweep.objectives: {name!r} is unknown. {nearest(name, OBJECTIVES)}"
    elif colon and way not in ("maximize", "minimize"):
        yield f"sweep.objectives: {given!r} must end in :maximize or :minimize, or in neither."
    elif way == "maximize" and name in COSTS:
        yield f"sweep.objectives: {name} is a cost, and less of it is better: {name}:minimize, or {name} alone."


def _pruning(sweep: Sweep) -> Iterator[str]:
    if sweep.pruner == "none":
        return
    if len(sweep.objectives) > 1:
        yield f"sweep.pruner={sweep.pruner} needs a single objective, but got {list(sweep.objectives)}. Or choose none."
    elif sweep.objectives and sweep.objectives[0].partition(":")[0] not in ("score", "loss"):
        yield (
            f"sweep.pruner={sweep.pruner} needs intermediate values, and {sweep.objectives[0]} has none before "
            "the end. Choose sweep.pruner=none."
        )
    if sweep.pruner == PAUSING and len(sweep.seeds) > 1:
        yield (
            f"sweep.pruner={PAUSING} has trials pause in the middle of a training, and needs one seed, but got "
            f"{list(sweep.seeds)}. Choose wilcoxon, which compares seed by seed."
        )
    if sweep.pruner == "wilcoxon" and len(sweep.seeds) < 3:
        yield (
            "sweep.pruner=wilcoxon compares trials seed by seed and needs intermediate values of three seeds at least: "
            f"sweep.seeds=[0,1,2,3,4], but got {list(sweep.seeds)}."
        )


def _finite(config: Config) -> Iterator[str]:
    """A grid over a continuous range would never end."""
    if config.sweep.sampler not in FINITE:
        return
    for name, range_ in space_of(config).items():
        kind = kind_of_range(range_)
        if kind in ("log", "log_integer") or (kind == "uniform" and range_.step is None):
            yield (
                f"sweep.sampler={config.sweep.sampler} needs a finite space, but {name} has {kind} without an end. "
                "Give it choice, integer, or uniform with a step."
            )
        if config.sweep.sampler == "grid" and range_.when:
            yield f"sweep.sampler=grid cannot take {name}, which depends on others (when). Choose brute_force."
