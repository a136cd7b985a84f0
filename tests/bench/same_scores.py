"""Scores and losses of small cells of every task kind and arm, so that two commits can be compared to the bit.

`python -m tests.bench.same_scores after.json --against before.json` trains them in this process, writes a JSON file
and, if given a file of another commit, prints a table of what is equal. It is not part of `make bench`, since it needs
two commits.
"""

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files import digest, write_text
from pipeline.records import Evaluation
from pipeline.study.plan import Plan, plan_cell
from pipeline.study.pretraining import pretrainings
from pipeline.study.run import run_context
from pipeline.tasks import KINDS, LINEAR, linear_kind
from pipeline.training.loop.evaluate import measured_beside, with_measured
from pipeline.training.loop.finish import finish
from pipeline.training.loop.fit import fit
from pipeline.training.setup.preflight import preflight
from tests import tiny
from tests.models.tiny_bases import save_tiny
from tests.tiny_kinds import OF_DECODERS, settings, word_labels
from tests.training.cell_kit import small

ARMS = ("pretrained", "scratch", "lora", "scratch_small")
OF_CLASSES = ("class_means", "adapted")  # arms for examples with one class each; of the latter its pretraining
PARTS = ("sets", "metrics", "audits", "losses", "scores")
Measured = dict[str, dict[str, Any]]  # "kind/arm" -> what was measured


def main(arguments: list[str]) -> int:
    """Train, write and compare; 0 if all that was measured is equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--against", type=Path, help="the file of another commit")
    parser.add_argument("--kinds", default=",".join(KINDS))
    given = parser.parse_args(arguments)
    found: Measured = {}
    with tempfile.TemporaryDirectory(prefix="headstart-same-") as folder:
        write_world(Path(folder))
        for kind in given.kinds.split(","):
            for arm in arms_of(kind):
                found[f"{kind}/{arm}"] = measured(plan(kind, arm, Path(folder)))
                write_text(given.output, json.dumps(found, indent=1) + "\n")
    return compare(json.loads(given.against.read_text(encoding="utf-8")), found) if given.against else 0


def arms_of(kind: str) -> list[str]:
    """The arms that can do a kind."""
    classes = KINDS[kind].outputs_type.__name__ == "ClassOutputs"
    arms = [*ARMS, *(["frozen"] if kind in LINEAR else []), *(["bag_of_words"] if linear_kind(kind) else [])]
    arms += OF_CLASSES if classes else ()
    return [arm for arm in arms if not (kind == "prompted_classification" and arm == "class_means")]


def write_world(folder: Path) -> None:
    """The tiny bases, a table of reviews of which some repeat others, and one of another domain."""
    tiny.write_base(folder / "bert")
    save_tiny(folder / "llama", "llama")
    for seed, name in enumerate(("reviews", "far")):
        _write_table(folder / f"{name}.csv", seed)


def _write_table(path: Path, seed: int) -> None:
    texts = tiny.rows(200, seed=seed)
    texts += [(f"{text.upper()}!", tone) for text, tone in texts[:20]] + texts[20:30]
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("review", "other", "stars", "tags", "rating", "words"))
        for i, (text, tone) in enumerate(texts):
            second = " ".join(reversed(text.lower().split()[:2]))
            tags, words = ("", "early", f"{tone};early", tone)[i % 4], word_labels(text, tone)
            rows.writerow((text, second, tone, tags, 1 + i % 5, words))


def plan(kind: str, arm: str, folder: Path) -> Plan:
    """The plan of one cell, or of the pretraining that it goes on from."""
    base = folder / ("llama" if kind in OF_DECODERS else "bert")
    columns = {"text": "review", "label": "stars"}
    columns |= dict(s.removeprefix("task.data.").split("=", 1) for s in settings(kind) if ".data." in s)
    planned = plan_cell(
        [
            *small(base, folder / "reviews.csv", folder / "out"),
            *settings(kind),
            f"arm={arm}",
            f"+task.out_of_domain.far.path={folder / 'far.csv'}",
            *(f"+task.out_of_domain.far.{name}={column}" for name, column in columns.items()),
            "task.out_of_domain_size=40",
        ]
    )
    return next(iter(pretrainings(planned)), planned)


def measured(planned: Plan) -> dict[str, Any]:
    """What is measured of the one cell of a plan."""
    ((name, cell),) = planned.cells.items()
    ready = preflight(
        [cell],
        planned.located,
        data_fingerprint=planned.data_fingerprint,
        evaluated=planned.evaluated,
        hardware=planned.hardware,
        root=planned.root,
    )
    fitted = fit(run_context(planned, ready).assignment(name, cell).job, lambda _: None)
    result, scores = finish(fitted)
    beside = list(measured_beside(fitted))
    whole = with_measured(result, beside)
    rows = [scores]
    for index, (record, items) in enumerate(beside, start=len(result.evaluations) - 1):  # the last is of train
        if isinstance(record, Evaluation):
            items["dataset"] = index
            rows.append(items)
    return {
        "sets": {e.dataset: [e.items, e.truncated, e.unknown] for e in whole.evaluations},
        "metrics": {e.dataset: e.metrics for e in whole.evaluations},
        "audits": {audit.audit: audit.numbers for audit in whole.audits},
        "losses": [[p.train_loss, p.validation_loss, p.validation_score] for p in result.trajectory],
        "scores": digest(np.concatenate(rows).tobytes().hex()),
    }


def compare(before: Measured, after: Measured) -> int:
    """Print what is equal of each cell, and the losses of those that differ; 0 if all are equal."""
    print(f"| kind | arm | {' | '.join(PARTS)} |\n|{' --- |' * (2 + len(PARTS))}")
    unequal = 0
    for name in sorted(before.keys() | after.keys()):
        same = [name in before and name in after and before[name].get(part) == after[name].get(part) for part in PARTS]
        unequal += not all(same)
        print(f"| {name.replace('/', ' | ')} | {' | '.join('equal' if one else '**differs**' for one in same)} |")
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
