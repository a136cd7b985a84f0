"""Evaluates finished cells before anything else is done with them: what `study`, `train` and `evaluate` share."""

from pipeline.errors import UnequalStartError
from pipeline.study.evaluation import Evaluated, evaluate
from pipeline.study.plan import Plan


def show_lacking(plan: Plan) -> bool:
    """Print which sets and audits finished cells lack; whether there are any."""
    lacking = plan.coverage(*plan.cells).lacking()
    finished = sum(map(plan.store.has, plan.cells))
    for name, cells in lacking.items():
        what = "set" if name in plan.evaluated else "audit"
        gone = sum(plan.store.weights(cell) is None for cell in cells)
        kept = f" Weights of {gone} of these were not kept." if gone else ""
        print(f"{len(cells)} of {finished} finished cells lack the {what} {name}.{kept}", flush=True)
    return bool(lacking)


def evaluate_finished(plan: Plan, *, must: bool = False) -> Evaluated:
    """Evaluate finished cells on the sets and audits that they lack, and print what could not be evaluated.

    Args:
        plan: the cells'.
        must: whether cells that were trained with other versions of the libraries are an error, and not only said.

    Raises:
        UnequalStartError: see `must`.
        DataError: as `pipeline.study.evaluation.evaluate`.
    """
    if not show_lacking(plan):
        return Evaluated()
    try:
        evaluated = evaluate(plan)
    except UnequalStartError as error:
        if must:
            raise
        print(error)
        return Evaluated()
    if evaluated.done:
        print(f"Evaluated {len(evaluated.done)} cells from their stored weights, without training.")
    for sentence in evaluated.sentences(plan):
        print(sentence)
    return evaluated
