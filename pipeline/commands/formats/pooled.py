"""A body, a pooling and a linear layer: a directory of Sentence Transformers, whose embeddings are the logits."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.commands.formats.form import Reading, is_sigmoid, save_tokenizer, texts_of
from pipeline.commands.steps.trained import Trained
from pipeline.files import write_text
from pipeline.report.about import About
from pipeline.report.usage import Use, by_sentence_transformers
from pipeline.tasks import Example, kind
from pipeline.tasks.heads.declared_pooling import SETTING
from pipeline.tasks.heads.pooled import PooledClassifier

_TYPES = {"": "Transformer", "1_Pooling": "Pooling", "2_Dense": "Dense"}  # as every release of theirs knows them
_MODES = {"cls": "cls_token", "mean": "mean_tokens", "last": "lasttoken"}
_AT_ONCE = 32  # texts


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """Written file by file, since Sentence Transformers need not be installed where a network is trained."""

    trained: Trained
    network: PooledClassifier

    def save(self, folder: Path) -> None:
        """See Format."""
        save_tokenizer(self.trained, folder)
        self._save_body(folder)
        modules = [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"}
            for i, (path, name) in enumerate(_TYPES.items())
        ]
        _write(folder / "modules.json", modules)
        _write(folder / "sentence_bert_config.json", self._reading())
        _write(folder / "config_sentence_transformers.json", self._prompts())
        pooling = {f"pooling_mode_{mode}": name == self.network.pooling for name, mode in _MODES.items()}
        _write(
            folder / "1_Pooling" / "config.json",
            {"word_embedding_dimension": self.network.classifier.in_features, **pooling},
        )
        self._save_dense(folder / "2_Dense")

    def _save_body(self, folder: Path) -> None:
        config = self.network.body.config
        delattr(config, SETTING)
        if kind(self.trained.cell.task.kind).target == "labels":
            config.problem_type = "multi_label_classification"
        self.network.body.save_pretrained(folder)

    def _save_dense(self, folder: Path) -> None:
        from safetensors.torch import save_file

        layer = self.network.classifier
        settings = {"in_features": layer.in_features, "out_features": layer.out_features, "bias": True}
        _write(folder / "config.json", settings | {"activation_function": "torch.nn.modules.linear.Identity"})
        tensors = {f"linear.{name}": values.detach() for name, values in layer.state_dict().items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    def _reading(self) -> dict[str, Any]:
        """How texts are truncated, and that no pooler is missing if the architecture can do without one."""
        settings: dict[str, Any] = {"max_seq_length": self.trained.cell.task.max_length, "do_lower_case": False}
        without = getattr(self.network.body, "pooler", self) is None
        return settings | ({"model_args": {"add_pooling_layer": False}} if without else {})

    def _prompts(self) -> dict[str, Any]:
        """Their prompts are put before the first text of a pair alone, so that those of pairs are left to the user."""
        prefix = self.trained.cell.prefix
        if not prefix or len(kind(self.trained.cell.task.kind).parts) > 1:
            return {"prompts": {}, "default_prompt_name": None}
        return {"prompts": {"default": prefix}, "default_prompt_name": "default"}

    @property
    def _left_out(self) -> str:
        """The prefix that a user of the directory has to put before every text."""
        return "" if self._prompts()["prompts"] else self.trained.cell.prefix

    def load(self, folder: Path) -> Any:
        """See Loadable."""
        network = PooledClassifier(_body(folder), self.network.pooling)
        network.classifier.load_state_dict(self.network.classifier.state_dict())
        return network.eval()

    def read(self, folder: Path, examples: Sequence[Example]) -> Reading:
        """See Format. Sentence Transformers read it if they are installed, else transformers and NumPy do."""
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError:
            logits = _by_hand(folder, texts_of(self.trained, examples, self.trained.cell.prefix))
            return Reading(by="transformers and NumPy (Sentence Transformers is not installed)", logits=logits)
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        texts = texts_of(self.trained, examples, self._left_out)
        given: list[Any] = [text if len(text) > 1 else text[0] for text in texts]
        logits = model.encode(given, batch_size=_AT_ONCE, show_progress_bar=False)
        return Reading(by="Sentence Transformers", logits=np.asarray(logits))

    def use(self, about: About) -> Use:
        """See Format."""
        return by_sentence_transformers(about, sigmoid=is_sigmoid(self.trained), prefix=self._left_out)


def _body(folder: Path) -> Any:
    from transformers import AutoModel

    reading = json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))
    return AutoModel.from_pretrained(str(folder), local_files_only=True, **reading.get("model_args", {})).eval()


def _by_hand(folder: Path, texts: Sequence[tuple[str, ...]]) -> np.ndarray:
    """The logits from the files of the directory, float64 [N, C]."""
    from safetensors.numpy import load_file
    from transformers import AutoTokenizer

    pooling = json.loads((folder / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
    dense = load_file(folder / "2_Dense" / "model.safetensors")
    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    body, vectors = _body(folder), []
    for start in range(0, len(texts), _AT_ONCE):
        columns = [list(column) for column in zip(*texts[start : start + _AT_ONCE], strict=True)]
        read = tokenizer(*columns, padding=True, truncation="longest_first", return_tensors="pt")
        states = body(**read)[0].float().numpy()
        vectors.append(_pooled(states, read["attention_mask"].numpy(), pooling))
    logits: np.ndarray = np.concatenate(vectors) @ dense["linear.weight"].T.astype(np.float64) + dense["linear.bias"]
    return logits


def _pooled(states: np.ndarray, mask: np.ndarray, pooling: dict[str, Any]) -> np.ndarray:
    """One vector a text, float64 [B, H].

    Args:
        states: float32 [B, L, H].
        mask: int64 [B, L], 1 where tokens are; padding is on the right.
        pooling: what 1_Pooling/config.json holds.
    """
    if pooling["pooling_mode_mean_tokens"]:
        weights = mask / mask.sum(axis=1, keepdims=True)
        return np.asarray(np.einsum("blh,bl->bh", states.astype(np.float64), weights))
    ends = mask.sum(axis=1) - 1 if pooling["pooling_mode_lasttoken"] else np.zeros(len(states), dtype=np.int64)
    return np.asarray(states[np.arange(len(states)), ends], dtype=np.float64)


def _write(path: Path, settings: Any) -> None:
    write_text(path, json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
