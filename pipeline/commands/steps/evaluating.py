"""Evaluates finished cells before anything else is done with them: what `study`, `train` and `evaluate` share."""

from pipeline.config.search_path import program
from pipeline.errors import ConfigError, UnequalStartError
from pipeline.hardware.launched import launched
from pipeline.study.evaluation import Evaluated, evaluate
from pipeline.study.plan import Plan
from pipeline.tracking.spool import evaluated as record_evaluated


def show_lacking(plan: Plan) -> bool:
    """Print which sets and audits finished cells lack; whether there are any."""
    lacking = plan.coverage(*plan.cells).lacking()
    finished = sum(map(plan.store.has, plan.cells))
    for of, cells in lacking.items():
        what = "set" if isinstance(of, str) else "audit"
        gone = sum(plan.store.weights(cell) is None for cell in cells)
        kept = f" Weights of {gone} of these were not kept." if gone else ""
        print(f"{len(cells)} of {finished} finished cells lack the {what} {of}.{kept}", flush=True)
    return bool(lacking)


def evaluate_finished(plan: Plan, *, must: bool = False) -> Evaluated:
    """Evaluate finished cells on the sets and audits that they lack, and print what could not be evaluated.

    Args:
        plan: the cells'.
        must: whether it is an error, and not only said, that cells were trained with other versions of the libraries
            or that the executor is another than local.

    Raises:
        UnequalStartError, ConfigError: see `must`.
        DataError: as `pipeline.study.evaluation.evaluate`.
    """
    if must and (elsewhere := _elsewhere(plan)):
        raise ConfigError([elsewhere])
    if not show_lacking(plan):
        return Evaluated()
    if elsewhere := _elsewhere(plan):
        print(elsewhere)
        return Evaluated()
    try:
        evaluated = evaluate(plan)
    except UnequalStartError as error:
        if must:
            raise
        print(error)
        return Evaluated()
    for name in evaluated.done:
        record_evaluated(plan.root, plan.study_id, plan.result(name))
    if evaluated.done:
        print(f"Evaluated {len(evaluated.done)} cells from their stored weights, without training.")
    for sentence in evaluated.sentences(plan):
        print(sentence)
    return evaluated


def _elsewhere(plan: Plan) -> str:
    """Why cells are not evaluated where the executor would run them; empty if it is this machine."""
    name = "torchrun" if launched() else plan.config.executor.name
    if name == "local":
        return ""
    setting = "torchrun" if name == "torchrun" else f"executor={name}"
    return (
        f"Finished cells are evaluated on the machine of the command, without {setting}. Where paths.root can be "
        f"reached, run `{program()} evaluate` with the same settings and without {setting}."
    )
