"""Recomputes every score of finished cells from texts, splits and exports. Nothing of `pipeline` is imported.

    headstart study experiments=quickstart train.keep=all train.precision=fp32
    for cell in outputs/cells/*/; do headstart export cell=$(basename $cell); done
    python experiments/recompute_scores.py outputs [CELL ...]

For cells of text classification, single texts and pairs. Exports are read by Sentence Transformers, transformers or
scikit-learn; predictions and metrics are scikit-learn's. Of cells in fp32, probabilities must agree within 1e-5; of
those in bf16 the largest difference is printed, and labels are not judged. Exits with 1 if something differs.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

PROBABILITY, MARGIN, FALL = 1e-5, 1e-4, 1e-5
SPLIT = ("train", "test")
TRAIN_SAMPLE = 400  # texts of the train subset that its score is measured on
PARTS: dict[str, dict[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "characters": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}
AT_ONCE = 32  # texts
Texts = Sequence[tuple[str, ...]]  # one text each, or the two of a pair
Reader = Callable[[Texts], np.ndarray]  # logits, float [N, C]


@dataclass(kw_only=True)
class Checked:
    """The outcome of one cell. `worst` is the largest difference of a probability, `problems` are sentences."""

    name: str
    judged: bool  # whether probabilities and labels must agree
    items: int = 0
    worst: float = 0.0
    ties: int = 0
    changed: int = 0  # predictions that differ with no tie
    problems: list[str] = field(default_factory=list)

    def require(self, holds: bool, problem: str) -> None:
        """Note the problem unless it holds."""
        if not holds:
            self.problems.append(problem)

    def __str__(self) -> str:
        said = f"probabilities within {self.worst:.1e}, {self.changed} predictions differ, {self.ties} near ties"
        verdict = "; ".join(self.problems) if self.problems else "ok" if self.judged else "bf16: metrics ok"
        return f"{self.name}: {self.items:,} texts, {said}: {verdict}"


def check(root: Path, cell_id: str) -> Checked:
    """Recompute one cell.

    Raises:
        ValueError: it is of another kind, or its export or its data are not there.
    """
    folder = root / "cells" / cell_id
    result, config = _json(folder / "result.json"), _json(folder / "config.json")
    if config["task"]["kind"] not in ("classification", "pair_classification"):
        raise ValueError(
            f"Cells must classify texts or pairs, but {cell_id} is of {config['task']['kind']}. Name others."
        )
    data, key = _data_of(root, result["evaluations"], cell_id), result["key"]
    answer = _reader(root / "exports" / cell_id, config)
    precision, scores = config["train"]["precision"], np.load(folder / "scores.npy", allow_pickle=False)
    name = f"{cell_id[:10]} {key['arm']} n={key['size']} seed={key['seed']} {precision}"
    report = Checked(name=name, judged=precision == "fp32")
    for index, said in enumerate(result["evaluations"]):
        rows = slice(None) if said["role"] != "train" else _train_rows(data, config["train"])
        whole, labels = _texts(data, said["dataset"]), _labels(data, said["dataset"])[rows]
        probabilities = _softmax(answer([whole[i] for i in np.arange(len(whole))[rows]]))
        report.items += len(labels)
        report.require(said["items"] == len(labels), f"{said['dataset']} has {len(labels)} texts, not {said['items']}")
        if said["role"] == "train":  # its predictions are not stored
            predicted = probabilities.argmax(axis=1)
            if report.judged and not _near_ties(probabilities).any():
                _check_metrics(report, said, labels, predicted)
        else:
            _check_items(report, said["dataset"], scores[scores["dataset"] == index], labels, probabilities)
            _check_metrics(report, said, labels, scores["predicted"][scores["dataset"] == index])
        _check_probabilities(report, said, labels, probabilities)
    for record in sorted(folder.glob("evaluations/*/record.json")):
        said, items = _json(record), np.load(record.with_name("items.npy"), allow_pickle=False)
        audit = said.get("audit")
        place = data if audit else _data_of(root, [said], cell_id)
        labels = _labels(place, "test" if audit else said["dataset"])
        probabilities = _softmax(answer(_texts(place, "test" if audit else said["dataset"])))
        if audit == "calibration":
            _check_brier(report, said, labels, probabilities)
        elif audit in ("decay", "new_words"):
            _check_fall(report, said, items, place)
        elif not audit:
            report.items += len(labels)
            _check_items(report, said["dataset"], items, labels, probabilities)
            _check_metrics(report, said, labels, items["predicted"])
            _check_probabilities(report, said, labels, probabilities)
    return report


def _check_items(
    report: Checked, place: str, stored: np.ndarray, labels: np.ndarray, probabilities: np.ndarray
) -> None:
    """Each text's label, probability, prediction and score."""
    if not np.array_equal(stored["item"], np.arange(len(labels))) or not np.array_equal(stored["label"], labels):
        report.problems.append(f"{place}: its scores are not of these texts and labels")
        return
    right = probabilities[np.arange(len(labels)), labels]
    apart = float(np.abs(np.exp(-stored["loss"].astype(np.float64)) - right).max())
    ties, differ = _near_ties(probabilities), stored["predicted"] != probabilities.argmax(axis=1)
    report.worst, report.ties = max(report.worst, apart), report.ties + int(ties.sum())
    changed = int((differ & ~ties).sum())
    report.changed += changed
    if report.judged:
        report.require(apart <= PROBABILITY, f"{place}: a probability differs by {apart:.1e}")
        report.require(not changed, f"{place}: {changed} predictions differ")
    correct = (stored["predicted"] == labels).astype(np.float64)
    report.require(np.array_equal(stored["score"], correct), f"{place}: scores are not those of the predictions")


def _check_metrics(report: Checked, said: dict[str, Any], labels: np.ndarray, predicted: np.ndarray) -> None:
    """Accuracy, macro F1 and confusion follow from labels and predictions; -1 is a tie, which predicts no class."""
    there = np.unique(labels)
    expected = {
        "accuracy": accuracy_score(labels, predicted),
        "macro_f1": f1_score(labels, predicted, labels=there, average="macro", zero_division=0),
    }
    for name, value in expected.items():
        _compare(report, said, name, float(value), 1e-9)
    if said["confusion"]:
        counts = confusion_matrix(labels, predicted, labels=range(len(said["confusion"])))
        report.require(counts.tolist() == said["confusion"], f"{said['dataset']}: the confusion matrix differs")


def _check_probabilities(report: Checked, said: dict[str, Any], labels: np.ndarray, probabilities: np.ndarray) -> None:
    """The mean loss follows from probabilities."""
    if report.judged:
        right = probabilities[np.arange(len(labels)), labels]
        _compare(report, said, "loss", float(-np.log(right).mean()), 1e-4)


def _check_brier(report: Checked, said: dict[str, Any], labels: np.ndarray, probabilities: np.ndarray) -> None:
    """So does the Brier score of the audit of calibration, on the test set."""
    truth = np.eye(probabilities.shape[1])[labels]
    score, stored = float(((probabilities - truth) ** 2).sum(axis=1).mean()), said["numbers"]["brier"]
    if report.judged:
        report.require(abs(stored - score) <= 4 * PROBABILITY, f"brier is {score:.6f}, stored is {stored:.6f}")


def _check_fall(report: Checked, said: dict[str, Any], items: np.ndarray, place: Path) -> None:
    """So do new words, the fall of the score, and its standard error by leaving out each text (the jackknife)."""
    fall, score, at = items.astype(np.float64).T
    if said["audit"] == "new_words":
        train, test = ([re.findall(r"\w+", " ".join(one).casefold()) for one in _texts(place, n)] for n in SPLIT)
        known = {word for words in train for word in words}
        shares = [np.mean([word not in known for word in words] or [0]) for words in test]
        report.require(bool(np.allclose(at, 10 * np.array(shares), atol=FALL)), "new words differ from those stored")
    slopes = [-np.polyfit(np.delete(at, i), np.delete(score, i), 1)[0] for i in range(len(at))]
    error, stored = (len(at) - 1) / np.sqrt(len(at)) * np.std(slopes, ddof=1), np.std(fall, ddof=1) / np.sqrt(len(at))
    slope = -np.polyfit(at, score, 1)[0]
    differs = max(abs(value - slope) for value in (said["numbers"]["fall"], fall.mean()))
    report.require(differs <= FALL, f"{said['audit']}: the fall is {slope:.6f}, stored is another")
    report.require(
        abs(stored - error) <= FALL, f"its standard error is {error:.6f}, that of what is stored {stored:.6f}"
    )


def _compare(report: Checked, said: dict[str, Any], name: str, value: float, tolerance: float) -> None:
    stored, place = said["metrics"][name], f"{said['dataset']}: {name}"
    report.require(abs(stored - value) <= tolerance, f"{place} is {value:.6f}, stored is {stored:.6f}")


def _near_ties(probabilities: np.ndarray) -> np.ndarray:
    """Bool [N], from probabilities [N, C]."""
    first, second = np.sort(probabilities, axis=1)[:, -1:-3:-1].T
    return np.asarray(first - second < MARGIN)


def _softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _reader(export: Path, config: dict[str, Any]) -> Reader:
    """Returns a function from texts to logits, built on the libraries that the export is made for."""
    if not export.is_dir():
        raise ValueError(f"There must be an export in {export}. Make it: headstart export cell={export.name}")
    if (export / "vocabulary.json").is_file():
        return _words(export)
    pooled, paired = (export / "modules.json").is_file(), config["task"]["kind"] == "pair_classification"
    read = _sentence_transformers(export) if pooled else _transformers(export)
    # Sentence Transformers put the prefix that the directory declares before single texts themselves.
    before = "" if pooled and not paired else config["base"]["prefix"] or ""
    return lambda texts: read([tuple(before + part for part in text) for text in texts])


def _sentence_transformers(export: Path) -> Reader:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(export), device="cpu", local_files_only=True)

    def answer(texts: Texts) -> np.ndarray:
        given: list[Any] = [text if len(text) > 1 else text[0] for text in texts]
        return np.asarray(model.encode(given, show_progress_bar=False))

    return answer


def _transformers(export: Path) -> Reader:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(str(export), local_files_only=True).eval()
    tokenizer = AutoTokenizer.from_pretrained(str(export), local_files_only=True)

    def answer(texts: Texts) -> np.ndarray:
        logits = []
        for start in range(0, len(texts), AT_ONCE):
            columns = [list(column) for column in zip(*texts[start : start + AT_ONCE], strict=True)]
            with torch.no_grad():
                read = tokenizer(*columns, padding=True, truncation=True, return_tensors="pt")
                logits.append(model(**read).logits.numpy())
        return np.concatenate(logits)

    return answer


def _words(export: Path) -> Reader:
    from safetensors.numpy import load_file
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    vocabulary, linear, parts = _json(export / "vocabulary.json"), load_file(export / "trained.safetensors"), []
    for name, settings in PARTS.items():
        if vocabulary["parts"][name]["terms"]:
            parts.append(TfidfVectorizer(sublinear_tf=True, vocabulary=vocabulary["parts"][name]["terms"], **settings))
            parts[-1].idf_ = np.array(vocabulary["parts"][name]["idf"])

    def answer(texts: Texts) -> np.ndarray:
        columns = [hstack([p.transform(list(column)) for p in parts]).tocsr() for column in zip(*texts, strict=True)]
        if len(columns) == 2:
            columns = [hstack([*columns, columns[0].multiply(columns[1]).sqrt()]).tocsr()]
        return np.asarray(columns[0] @ linear["weights"].T.astype(np.float64) + linear["bias"])

    return answer


def _train_rows(data: Path, train: dict[str, Any]) -> np.ndarray:
    """The rows of the train set whose score was measured: a stratified sample of the cell's train subset."""
    labels = _labels(data, "train")
    subset = np.arange(len(labels)) if train["size"] == "all" else _stratified(labels, train["size"], train["seed"])
    within = labels[subset]
    size = max(min(TRAIN_SAMPLE, len(within)), len(np.unique(within)))
    return np.asarray(subset[_stratified(within, size, train["seed"])])


def _stratified(labels: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Rows in ascending order: one of each class first, then by how much of its class is used, ties by chance."""
    generator, places = np.random.default_rng([seed, 11]), []
    for label in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == label))
        tie = generator.random()
        places += [(-1.0 if i == 0 else (i + 0.5) / len(rows), tie, int(row)) for i, row in enumerate(rows)]
    return np.sort([row for _, _, row in sorted(places)[:size]])


def _data_of(root: Path, evaluations: Sequence[dict[str, Any]], cell_id: str) -> Path:
    """The prepared data whose sets are those that the cell was measured on."""
    wanted = {(each["dataset"], each["fingerprint"]) for each in evaluations}
    for meta in sorted((root / "data").glob("*/meta.json")):
        if wanted <= {(each["name"], each["fingerprint"]) for each in _json(meta)["sets"]}:
            return meta.parent
    raise ValueError(f"{root / 'data'} must hold the data of cell {cell_id}, but does not. Run its study again.")


def _texts(data: Path, name: str) -> list[tuple[str, ...]]:
    """Each example's text, or both of a pair."""
    with pa.ipc.open_stream(data / f"{name}.examples.arrow") as reader:
        rows = reader.read_all().to_pylist()
    return [(row["text"], row["second"]) if "second" in row else (row["text"],) for row in rows]


def _labels(data: Path, name: str) -> np.ndarray:
    return np.asarray(np.load(data / f"{name}.labels.npy", allow_pickle=False))


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def checked(root: Path, cells: Sequence[str]) -> Iterator[Checked]:
    """All finished cells under `root`, or those whose ids start with one of `cells`."""
    for result in sorted(root.glob("cells/[!.]*/result.json")):
        if not cells or result.parent.name.startswith(tuple(cells)):
            yield check(root, result.parent.name)


def main(given: Sequence[str]) -> int:
    """Print a line for each cell and a summary."""
    if not given:
        raise ValueError("The form is recompute_scores.py OUTPUTS [CELL ...], but nothing was given.")
    every = []
    for each in checked(Path(given[0]), given[1:]):
        print(each, flush=True)
        every.append(each)
    if not every:
        raise ValueError(f"There must be finished cells under {given[0]}/cells, but there is none with these letters.")
    for precision, some in (("fp32", [e for e in every if e.judged]), ("bf16", [e for e in every if not e.judged])):
        if some:
            wrong, worst = sum(bool(e.problems) for e in some), max(e.worst for e in some)
            print(f"{precision}: {len(some)} cells, {wrong} with differences; probabilities within {worst:.1e}, "
                  f"{sum(e.changed for e in some)} of {sum(e.items for e in some):,} predictions differ")  # fmt: skip
    return int(any(each.problems for each in every))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
