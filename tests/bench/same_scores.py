"""Scores and losses of small cells of every task kind and arm, so that two commits can be compared to the bit.

`python -m tests.bench.same_scores after.json --against before.json` trains them, writes a JSON file and, if given a
file of another commit, prints a table of what is equal. It is not part of `make bench`: it needs two commits.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pipeline.files import digest, write_text
from pipeline.study.plan import Plan, plan_study
from pipeline.tasks import KINDS, LINEAR
from tests import tiny
from tests.models.tiny_bases import save_tiny
from tests.tiny_kinds import OF_DECODERS, settings

STEPPED = ("pretrained", "scratch", "lora", "scratch_small", "adapted", "self_pretrained")
SOLVED = ("frozen", "bag_of_words", "class_means")  # of kinds that end in a linear layer
OF_CLASSES = ("adapted", "self_pretrained", "class_means")  # arms for tasks whose examples have one class each
Measured = dict[str, dict[str, Any]]  # "kind/arm/size/seed" -> what was measured


def main(arguments: list[str]) -> int:
    """Train, write and compare; 0 if all that was measured is equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--against", type=Path, help="the file of another commit")
    parser.add_argument("--kinds", default=",".join(KINDS))
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="headstart-same-") as folder:
        found = measured(Path(folder), given.kinds.split(","))
    write_text(given.output, json.dumps(found, indent=1) + "\n")
    return compare(json.loads(given.against.read_text(encoding="utf-8")), found) if given.against else 0


def measured(folder: Path, kinds: list[str]) -> Measured:
    """The cells of all kinds."""
    world = write_world(folder)
    found: Measured = {}
    for kind in kinds:
        overrides = study_of(kind, folder, world)
        subprocess.run([sys.executable, "-m", "pipeline", "study", *overrides], check=True, stdout=subprocess.DEVNULL)
        found |= read(kind, plan_study(overrides))
    return found


def write_world(folder: Path) -> dict[str, Path]:
    """The tiny bases, a table of reviews of which some repeat others, and one of another domain."""
    tiny.write_base(folder / "bert")
    save_tiny(folder / "llama", "llama")
    return {name: _table(folder / f"{name}.csv", seed) for seed, name in enumerate(("reviews", "far"))}


def _table(path: Path, seed: int) -> Path:
    texts = tiny.rows(200, seed=seed)
    texts += [(f"{text.upper()}!", tone) for text, tone in texts[:20]] + texts[20:30]
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("review", "other", "stars", "tags", "rating"))
        for i, (text, tone) in enumerate(texts):
            second = " ".join(reversed(text.lower().split()[:2]))
            rows.writerow((text, second, tone, ("", "early", f"{tone};early", tone)[i % 4], 1 + i % 5))
    return path


def study_of(kind: str, folder: Path, world: dict[str, Path]) -> list[str]:
    """The overrides of the study of one kind."""
    base = folder / ("llama" if kind in OF_DECODERS else "bert")
    arms = [*STEPPED, *(SOLVED if kind in LINEAR else ())]
    labelled = "task.data.label=null" not in settings(kind)
    arms = [arm for arm in arms if labelled or arm not in OF_CLASSES]
    columns = {"text": "review", "label": "stars"}
    columns |= dict(s.removeprefix("task.data.").split("=", 1) for s in settings(kind) if ".data." in s)
    return [
        *tiny.overrides(base, world["reviews"], folder / "out"),
        *tiny.study(f"same_{kind}", arms=",".join(arms), sizes="24", seeds="0", claim=False),
        *settings(kind),
        f"+task.out_of_domain.far.path={world['far']}",
        *(f"+task.out_of_domain.far.{name}={column}" for name, column in columns.items()),
        "task.out_of_domain_size=40",
    ]


def read(kind: str, plan: Plan) -> Measured:
    """What was measured of each cell of a finished study."""
    found: Measured = {}
    for cell_id in plan.cells:
        result, scores = plan.store.result(cell_id), plan.store.scores(cell_id)
        key = result.key
        found[f"{kind}/{key.arm}/{key.size}/{key.seed}"] = {
            "cell": cell_id,
            "sets": {e.dataset: [e.items, e.fingerprint] for e in result.evaluations},
            "metrics": {e.dataset: e.metrics for e in result.evaluations},
            "losses": [[p.train_loss, p.validation_loss, p.validation_score] for p in result.trajectory],
            "scores": digest(scores.tobytes().hex()),
        }
    return found


def compare(before: Measured, after: Measured) -> int:
    """Print how many cells of each kind and arm are equal in each respect; 0 if all are."""
    parts = ("cell", "sets", "metrics", "losses", "scores")
    print(f"| kind | arm | cells | {' | '.join(f'same {part}' for part in parts)} |\n|{' --- |' * (3 + len(parts))}")
    groups: dict[tuple[str, str], list[str]] = {}
    for name in sorted(before.keys() | after.keys()):
        groups.setdefault((name.split("/")[0], name.split("/")[1]), []).append(name)
    unequal = 0
    for (kind, arm), names in groups.items():
        same = {part: sum(_part(before, n, part) == _part(after, n, part) is not None for n in names) for part in parts}
        unequal += sum(len(names) - same[part] for part in ("metrics", "losses", "scores"))
        print(f"| {kind} | {arm} | {len(names)} | {' | '.join(str(same[part]) for part in parts)} |")
    return 1 if unequal else 0


def _part(found: Measured, name: str, part: str) -> Any:
    return found.get(name, {}).get(part)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
