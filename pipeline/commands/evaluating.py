"""Evaluates finished cells before anything else is done with them: what `study`, `train` and `evaluate` share."""

from pipeline.study.evaluation import Evaluated, evaluate
from pipeline.study.plan import Plan


def evaluate_finished(plan: Plan) -> Evaluated:
    """Evaluate finished cells on the sets and audits that they lack, and print what could not be evaluated.

    Raises:
        UnequalStartError, DataError: as `pipeline.study.evaluation.evaluate`.
    """
    lacking = plan.coverage(*plan.cells).lacking()
    if not lacking:
        return Evaluated()
    finished = sum(map(plan.store.has, plan.cells))
    for name, cells in lacking.items():
        what = "set" if name in plan.evaluated else "audit"
        print(f"{len(cells)} of {finished} finished cells lack the {what} {name}.", flush=True)
    found = evaluate(plan)
    if found.done:
        print(f"Evaluated {len(found.done)} cells from their stored weights, without training.")
    for sentence in found.sentences(plan):
        print(sentence)
    return found
