"""Features of a base that stays fixed: computed once per (base, data), shared by all sizes and seeds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.config.identity import RESULT_VERSION
from pipeline.data.sets import EncodedSet, Prepared
from pipeline.files import digest, lock, staged_directory
from pipeline.models.build import Network, base_of
from pipeline.tasks import TaskKind
from pipeline.training.inference import BATCH
from pipeline.training.inputs import FeatureInputs, TokenInputs

_PROBE = 8  # examples on which cached and direct logits are compared


class CachedBase(torch.nn.Module):
    """Stands in for the base: `input_ids` are row numbers, the outputs are the stored ones of these rows."""

    def __init__(self, first: np.ndarray, pooled: np.ndarray | None) -> None:
        super().__init__()
        self.first = torch.from_numpy(first)
        self.pooled = None if pooled is None else torch.from_numpy(pooled)

    def forward(self, input_ids: torch.Tensor, **_: Any) -> Any:
        """The base's outputs with the first position alone: [B, 1, H], and the pooled vector [B, H] if there is one."""
        from transformers.modeling_outputs import BaseModelOutput, BaseModelOutputWithPooling

        rows = input_ids[:, 0].cpu()
        first = self.first[rows].to(input_ids.device)[:, None]
        if self.pooled is None:
            return BaseModelOutput(last_hidden_state=first)
        return BaseModelOutputWithPooling(last_hidden_state=first, pooler_output=self.pooled[rows].to(input_ids.device))


def replace_base(
    network: Network, prepared: Prepared, task: TaskKind, *, pad_id: int, base: str, precision: str, root: Path
) -> dict[str, int] | None:
    """Put the cached features in the base's place.

    Args:
        base: fingerprint of the base.
        root: paths.root; the cache lies under `root/features`.

    Returns:
        the first row of each set in the cache, or None (and nothing replaced) where the head reads more of the base
        than its first position and pooled vector, so that the base has to be run every time.
    """
    sets = {s.name: s for s in (prepared.train, prepared.validation, prepared.test, *prepared.out_of_domain.values())}
    probe = TokenInputs(prepared.validation, task, pad_id).collate(np.arange(min(_PROBE, len(prepared.validation))))
    if not _head_reads_little(network, probe):
        return None
    key = digest(str(RESULT_VERSION), base, precision, *[f"{n} {s.fingerprint}" for n, s in sets.items()])[:16]
    folder = root / "features" / key
    with lock(root / "locks" / f"features-{key}.lock"):
        if not folder.is_dir():
            _compute(network, sets, task, pad_id=pad_id, precision=precision, folder=folder)
    rows = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    setattr(network.model, network.base_prefix, _read(folder))
    return {str(k): int(v) for k, v in rows.items()}


def feature_inputs(encoded: EncodedSet, first_row: int, rows: np.ndarray | None = None) -> FeatureInputs:
    """Inputs of a set whose features are cached from `first_row` on."""
    chosen = np.arange(len(encoded)) if rows is None else rows
    return FeatureInputs(np.asarray(encoded.lengths), np.asarray(encoded.labels), first_row, chosen)


def _head_reads_little(network: Network, batch: dict[str, Any]) -> bool:
    """Whether the logits stay the same when the head is given the first position and the pooled vector alone."""
    model = network.model
    was_training = model.training
    model.eval()
    with torch.no_grad():
        direct = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        first, pooled = _outputs(network, batch)
        base = base_of(model, network.base_prefix)
        setattr(model, network.base_prefix, CachedBase(first, pooled))
        rows = torch.arange(len(first))[:, None]
        cached = model(input_ids=rows, attention_mask=torch.ones_like(rows)).logits
        setattr(model, network.base_prefix, base)
    model.train(was_training)
    base.eval()
    return torch.allclose(direct, cached, atol=1e-5)


def _outputs(network: Network, batch: dict[str, Any]) -> tuple[np.ndarray, np.ndarray | None]:
    out = base_of(network.model, network.base_prefix)(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
    )
    pooled = getattr(out, "pooler_output", None)
    return out.last_hidden_state[:, 0].float().numpy(), None if pooled is None else pooled.float().numpy()


def _compute(
    network: Network, sets: dict[str, EncodedSet], task: TaskKind, *, pad_id: int, precision: str, folder: Path
) -> None:
    first: list[np.ndarray] = []
    pooled: list[np.ndarray] = []
    rows: dict[str, int] = {}
    for name, encoded in sets.items():
        rows[name] = sum(len(part) for part in first)
        one, two = _of_set(network, TokenInputs(encoded, task, pad_id), precision)
        first.append(one)
        pooled += [] if two is None else [two]
    with staged_directory(folder) as staged:
        np.save(staged / "first.npy", np.concatenate(first), allow_pickle=False)
        if pooled:
            np.save(staged / "pooled.npy", np.concatenate(pooled), allow_pickle=False)
        (staged / "rows.json").write_text(json.dumps(rows), encoding="utf-8")


def _of_set(network: Network, inputs: TokenInputs, precision: str) -> tuple[np.ndarray, np.ndarray | None]:
    order = np.argsort(inputs.lengths, kind="stable")
    first: np.ndarray | None = None
    pooled: np.ndarray | None = None
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        for start in range(0, len(order), BATCH):
            items = order[start : start + BATCH]
            one, two = _outputs(network, inputs.collate(items))
            first = np.zeros((len(order), one.shape[1]), np.float32) if first is None else first
            first[items] = one
            if two is not None:
                pooled = np.zeros((len(order), two.shape[1]), np.float32) if pooled is None else pooled
                pooled[items] = two
    assert first is not None
    return first, pooled


def _read(folder: Path) -> CachedBase:
    pooled = folder / "pooled.npy"
    cached = CachedBase(
        np.load(folder / "first.npy", mmap_mode="c", allow_pickle=False),
        np.load(pooled, mmap_mode="c", allow_pickle=False) if pooled.is_file() else None,
    )
    return cached.eval()
