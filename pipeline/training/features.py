"""Features of a base that stays fixed: what its head reads of each text, computed once per (base, data)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.config.identity import FEATURES_VERSION, RESULT_VERSION
from pipeline.data.sets import Prepared
from pipeline.files import digest
from pipeline.models.build import Network, base_of
from pipeline.tasks import TaskKind, Vocabulary
from pipeline.tasks.encoding import read_by
from pipeline.training.feature_store import FeatureStore
from pipeline.training.inputs import TokenInputs
from pipeline.training.limits import FEATURE_BATCH

_PROBE = 8  # examples on which cached and direct logits are compared


class CachedBase(torch.nn.Module):
    """Stands in for the base: `input_ids` are numbers of texts, the outputs are the stored ones of these texts."""

    def __init__(self, numbers: np.ndarray, vectors: np.ndarray) -> None:
        super().__init__()
        self.numbers: torch.Tensor
        self.vectors: torch.Tensor
        self.register_buffer("numbers", torch.from_numpy(numbers), persistent=False)
        self.register_buffer("vectors", torch.from_numpy(vectors), persistent=False)

    def forward(self, input_ids: torch.Tensor, **_: Any) -> Any:
        """The base's outputs with one position alone: [B, 1, H], and the pooled vector [B, H] if there is one."""
        from transformers.modeling_outputs import BaseModelOutputWithPast, BaseModelOutputWithPooling

        asked = input_ids[:, 0]
        places = torch.searchsorted(self.numbers, asked).clamp_(max=len(self.numbers) - 1)
        if not torch.equal(self.numbers[places], asked):
            raise LookupError("Features were asked for that are not among those of this cell.")
        vectors = self.vectors[places]
        if vectors.shape[1] == 1:
            return BaseModelOutputWithPast(last_hidden_state=vectors)
        return BaseModelOutputWithPooling(last_hidden_state=vectors[:, :1], pooler_output=vectors[:, 1])


def replace_base(
    network: Network,
    prepared: Prepared,
    task: TaskKind,
    *,
    rows: Mapping[str, np.ndarray],
    vocabulary: Vocabulary,
    base: str,
    precision: str,
    root: Path,
) -> dict[str, int] | None:
    """Put the cached features of `rows` of each set in the base's place.

    Args:
        base: fingerprint of the base.
        root: paths.root; the cache lies under `root/features`.

    Returns:
        the number of each set's first text in the cache, or None (and nothing replaced) where the head reads more of
        the base than its first or last position and pooled vector, so that the base has to be run every time.
    """
    if network.model.config.is_encoder_decoder:  # whose decoder reads every position
        return None
    sets = prepared.sets
    inputs = {name: TokenInputs(encoded, task, vocabulary) for name, encoded in sets.items()}
    probe = inputs["validation"].collate(np.arange(min(_PROBE, len(inputs["validation"]))))
    last = next((last for last in (False, True) if _head_reads_little(network, probe, last=last)), None)
    if last is None:
        return None
    versions = [str(RESULT_VERSION), str(FEATURES_VERSION), prepared.folder.name]  # tokenizer and length among it
    versions += [network.device.type] if network.device.type != "cpu" else []  # its bits are others
    key = digest(*versions, base, precision, *[f"{n} {s.fingerprint}" for n, s in sets.items()])[:16]
    ends = np.cumsum([len(encoded) for encoded in sets.values()])
    firsts = {name: int(end) - len(encoded) for end, (name, encoded) in zip(ends, sets.items(), strict=True)}
    numbers = np.unique(np.concatenate([firsts[name] + chosen for name, chosen in rows.items()]))

    def compute(missing: np.ndarray) -> np.ndarray:
        of_sets = [
            missing[(missing >= firsts[n]) & (missing < firsts[n] + len(s))] - firsts[n] for n, s in sets.items()
        ]
        each = zip(sets, of_sets, strict=True)
        return np.concatenate([_vectors(network, inputs[n], r, precision, last=last) for n, r in each if len(r)])

    vectors = FeatureStore(root, key).read(numbers, compute)
    setattr(network.model, network.base_prefix, CachedBase(numbers, vectors).eval().to(network.device))
    return firsts


def _head_reads_little(network: Network, batch: dict[str, Any], *, last: bool) -> bool:
    """Whether the logits stay the same where the head is given one position and the pooled vector alone."""
    model = network.model
    was_training = model.training
    model.eval()
    with torch.no_grad():
        direct = model(**_read(network, batch)).logits
        vectors = _outputs(network, batch, last=last)
        base = base_of(model, network.base_prefix)
        rows = np.arange(len(vectors))
        setattr(model, network.base_prefix, CachedBase(rows, vectors).to(network.device))
        ids = torch.from_numpy(rows)[:, None].to(network.device)
        cached = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        setattr(model, network.base_prefix, base)
    model.train(was_training)
    base.eval()
    return torch.allclose(direct, cached, atol=1e-5)


def _outputs(network: Network, batch: dict[str, Any], *, last: bool) -> np.ndarray:
    """float32 [B, P, H]: the first position, or each last one, and the pooled vector if there is one (P = 2)."""
    base = base_of(network.model, network.base_prefix)
    out = base(**_read(network, batch))
    pooled = getattr(out, "pooler_output", None)
    ends = batch["attention_mask"].cumsum(dim=1).argmax(dim=1).to(network.device)
    places = ends if last else torch.zeros_like(ends)
    read = out.last_hidden_state[torch.arange(len(places), device=network.device), places]
    vectors = [read, *([] if pooled is None else [pooled])]
    return torch.stack(vectors, dim=1).float().cpu().numpy()


def _read(network: Network, batch: dict[str, Any]) -> dict[str, Any]:
    """What a base takes of a batch, on its device."""
    return {name: values.to(network.device) for name, values in read_by(network.model, batch).items()}


def _vectors(network: Network, inputs: TokenInputs, rows: np.ndarray, precision: str, *, last: bool) -> np.ndarray:
    """float32 [N, P, H] of the texts `rows`.

    Batches hold texts of one length and are filled up with the last of them, so that their shape follows from the
    length alone: a text's features are then the same bits in whatever company they are computed.
    """
    found: dict[int, np.ndarray] = {}
    size = FEATURE_BATCH["cpu" if network.device.type == "cpu" else "gpu"]
    with torch.no_grad(), torch.autocast(network.device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        for length in np.unique(inputs.lengths[rows]):
            alike = rows[inputs.lengths[rows] == length]
            for start in range(0, len(alike), size):
                some = alike[start : start + size]
                filled = np.pad(some, (0, size - len(some)), mode="edge")
                found |= dict(zip(some.tolist(), _outputs(network, inputs.collate(filled), last=last), strict=False))
    return np.stack([found[row] for row in rows.tolist()])
