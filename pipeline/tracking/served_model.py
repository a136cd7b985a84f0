"""The code of a registered model, which MLflow keeps with it and runs: it imports nothing of Headstart.

Beside the files of the exported classifier there is `served.json`, which says how it is read. Texts go in as a data
frame, predictions come out as one. Nothing is pickled: weights are safetensors, and this file is the model's code.
"""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

AT_ONCE = 32  # texts


class ServedModel(PythonModel):
    """A text classifier (or a score for pairs of texts) behind MLflow's interface."""

    def load_context(self, context: Any) -> None:
        """Read the files of the model; called once by MLflow."""
        folder = Path(context.artifacts["model"])
        self.settings = json.loads((folder / "served.json").read_text(encoding="utf-8"))
        self.network = _NETWORKS[self.settings["format"]](folder, self.settings)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row of predictions for each row of `model_input`; a row without a text has none.

        Args:
            context: not used.
            model_input: a column for each text that the network reads, such as text and, for pairs, second.
            params: not used.
        """
        names, parts = self.settings["inputs"], self.settings["parts"]
        given = [{name: str(row[name]) for name in names} for row in model_input[names].to_dict("records")]
        asked = [i for i, row in enumerate(given) if all(text.strip() for text in row.values())]
        rows = [tuple(" ".join(row[name] for name in part) for part in parts) for row in given]
        answers: list[dict[str, Any]] = [dict.fromkeys(self.settings["columns"]) for _ in rows]
        logits = self.network.logits([rows[i] for i in asked]) if asked else np.zeros((0, 1))
        for i, row in zip(asked, logits, strict=True):
            answers[i] = self._answer(row.astype(np.float64))
        return pd.DataFrame(answers, columns=self.settings["columns"], dtype=object)

    def _answer(self, logits: np.ndarray) -> dict[str, Any]:
        """The predictions from one row of logits, float64 [C]."""
        if self.settings["columns"] == ["similarity"]:
            return {"similarity": float(_sigmoid(logits)[0])}
        labels = self.settings["labels"]
        if self.settings["columns"][0] == "labels":
            shares = _sigmoid(logits)
            likely = [labels[i] for i in np.argsort(-shares, kind="stable") if shares[i] > 0.5]
            return {"labels": likely, "probabilities": _named(labels, shares)}
        odds = np.exp(logits - logits.max())
        shares, best = odds / odds.sum(), logits == logits.max()
        label = labels[int(best.argmax())] if best.sum() == 1 else None  # a tie predicts no class
        return {"label": label, "probability": float(shares.max()), "probabilities": _named(labels, shares)}


class _Encoder:
    """A network of transformers with its own head, or with a pooling and a linear layer behind it."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        self.prefix, self.precision = settings["prefix"], settings["precision"]
        self.load(folder)

    def load(self, folder: Path) -> None:
        from transformers import AutoModelForSequenceClassification

        self.network = AutoModelForSequenceClassification.from_pretrained(str(folder), local_files_only=True).eval()

    def logits(self, rows: list[tuple[str, ...]]) -> np.ndarray:
        import torch

        batches = []
        for some in _batches(rows):
            columns = [[f"{self.prefix}{row[i]}" for row in some] for i in range(len(some[0]))]
            tokens = self.tokenizer(*columns, padding=True, truncation=True, return_tensors="pt")
            low = torch.autocast("cpu", dtype=torch.bfloat16) if self.precision == "bf16" else nullcontext()
            with torch.inference_mode(), low:
                batches.append(self.read(tokens))
        return np.concatenate(batches)

    def read(self, tokens: Any) -> np.ndarray:
        return np.asarray(self.network(**tokens).logits.float())


class _Pooled(_Encoder):
    def load(self, folder: Path) -> None:
        from safetensors.torch import load_file
        from transformers import AutoModel

        reading = json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))
        more = reading.get("model_args", {})
        self.network = AutoModel.from_pretrained(str(folder), local_files_only=True, **more).eval()
        self.pooling = json.loads((folder / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
        self.layer = load_file(folder / "2_Dense" / "model.safetensors")

    def read(self, tokens: Any) -> np.ndarray:
        states, mask = self.network(**tokens)[0].float(), tokens["attention_mask"]
        if self.pooling["pooling_mode_mean_tokens"]:
            weights = mask[:, :, None].float()
            vectors = (states * weights).sum(dim=1) / weights.sum(dim=1)
        else:
            ends = mask.sum(dim=1) - 1 if self.pooling["pooling_mode_lasttoken"] else mask.new_zeros(len(mask))
            vectors = states[range(len(states)), ends]
        weight, bias = (self.layer[f"linear.{name}"].numpy().astype(np.float64) for name in ("weight", "bias"))
        return np.asarray(vectors.numpy().astype(np.float64) @ weight.T + bias)


class _Words:
    """A linear model on counted words (TF-IDF)."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        from safetensors.numpy import load_file
        from sklearn.feature_extraction.text import TfidfVectorizer

        vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        self.linear, self.parts = load_file(folder / "trained.safetensors"), []
        for name, how in settings["counted"].items():
            if (part := vocabulary["parts"][name])["terms"]:
                how = how | {"ngram_range": tuple(how["ngram_range"])}
                self.parts.append(TfidfVectorizer(sublinear_tf=True, vocabulary=part["terms"], **how))
                self.parts[-1].idf_ = np.array(part["idf"])

    def logits(self, rows: list[tuple[str, ...]]) -> np.ndarray:
        from scipy.sparse import hstack

        first, *rest = ([row[i] for row in rows] for i in range(len(rows[0])))
        words = self._counted(first)
        for other in map(self._counted, rest):
            words = hstack([words, other, words.multiply(other).sqrt()]).tocsr()
        return np.asarray(words @ self.linear["weights"].T + self.linear["bias"])

    def _counted(self, texts: list[str]) -> Any:
        from scipy.sparse import csr_matrix, hstack

        return hstack([csr_matrix((len(texts), 0)), *(part.transform(texts) for part in self.parts)]).tocsr()


_NETWORKS: dict[str, Any] = {"own_head": _Encoder, "pooled": _Pooled, "words": _Words}


def _batches(rows: list[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _named(labels: list[str], shares: np.ndarray) -> dict[str, float]:
    return dict(zip(labels, map(float, shares), strict=True))


set_model(ServedModel())
