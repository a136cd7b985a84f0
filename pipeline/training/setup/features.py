"""Features of texts, what the last linear layer reads of each: computed once for all arms on the same base."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.config.identity import RESULT_VERSION
from pipeline.data.sets import EncodedSet, Prepared
from pipeline.files import digest
from pipeline.models.adapters import without_adapters
from pipeline.models.build import Network, base_of, last_linear
from pipeline.storage.features import FeatureStore
from pipeline.tasks import TaskKind, Vocabulary, kind
from pipeline.tasks.heads.pooled import pooled
from pipeline.training.job import Job
from pipeline.training.loop.inference import evaluating
from pipeline.training.memory.limits import FEATURE_BATCH
from pipeline.training.setup.inputs import TokenInputs

_VERSION = 3  # raised by hand when features change and results do not


@dataclass(frozen=True, kw_only=True)
class FeatureReader:
    """Reads features off a network as it stands. Where they follow from the base alone they are kept under `root`.

    Args:
        base: fingerprint of the base, or None where the network is none that another cell could share.
    """

    network: Network
    task: TaskKind
    vocabulary: Vocabulary
    prepared: Prepared
    precision: str
    root: Path
    base: str | None

    def of(self, encoded: EncodedSet, rows: np.ndarray | None = None) -> np.ndarray:
        """Float32 [N, H] of a set, or of these rows of it."""
        inputs = TokenInputs(encoded, self.task, self.vocabulary)
        asked = np.arange(len(encoded)) if rows is None else rows
        if self.base is None:
            return self._computed(inputs, asked)
        wanted, back = np.unique(asked, return_inverse=True)
        store = FeatureStore(self.root, self._key(encoded))
        return store.read(wanted, lambda missing: self._computed(inputs, missing))[back]

    def _key(self, encoded: EncodedSet) -> str:
        data = self.prepared.folder.name  # tokenizer and length among it; prune reads it
        versions = [str(RESULT_VERSION), str(_VERSION), data]
        versions += [self.network.device.type] if self.network.device.type != "cpu" else []  # its bits are others
        own = [self.network.architecture, self.network.pooling, _of_head(self.network), self.precision]
        return f"{data}.{digest(*versions, *own, str(self.base), encoded.name, encoded.fingerprint)[:16]}"

    def _computed(self, inputs: TokenInputs, rows: np.ndarray) -> np.ndarray:
        """Float32 [N, H] of the texts `rows`.

        Batches hold texts of one length and are filled up with the last of them, so that their shape follows from the
        length alone: a text's features are then the same bits in whatever company they are computed.
        """
        size = FEATURE_BATCH["cpu" if self.network.device.type == "cpu" else "gpu"]
        vectors: list[torch.Tensor] = []
        batches = list(_of_one_length(inputs.lengths[rows], size))
        with evaluating(self.network.model, self.precision):
            for batch in batches:
                filled = np.pad(rows[batch], (0, size - len(batch)), mode="edge")
                vectors.append(self._read(inputs.collate(filled))[: len(batch)])
        return np.asarray(torch.cat(vectors).numpy()[np.argsort(np.concatenate(batches))])

    def _read(self, batch: dict[str, Any]) -> torch.Tensor:
        """What the last layer is given for each text, float32 [B, H]; of a decoder's positions the last one counts."""
        seen: list[torch.Tensor] = []
        last = last_linear(self.network.model, self.network.base_prefix)
        hook = last.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().float().cpu()))
        try:
            device = self.network.device
            self.task.forward(self.network.model, {name: values.to(device) for name, values in batch.items()})
        finally:
            hook.remove()
        return seen[0] if seen[0].dim() == 2 else pooled(seen[0], batch["attention_mask"], "last")


def reader_of(job: Job, network: Network, prepared: Prepared) -> FeatureReader:
    """The reader of a cell's network as it starts; what follows from the base alone is kept and shared."""
    cell = job.cell
    shared = cell.arm.start == "pretrained" and cell.pretraining is None
    return FeatureReader(
        network=network,
        task=kind(cell.task.kind),
        vocabulary=job.vocabulary,
        prepared=prepared,
        precision=cell.train.precision,
        root=Path(job.root),
        base=job.base_fingerprint if shared else None,
    )


def _of_one_length(lengths: np.ndarray, size: int) -> list[np.ndarray]:
    """Positions in `lengths` [N], at most `size` at a time, all of one length."""
    groups = (np.flatnonzero(lengths == length) for length in np.unique(lengths))
    return [group[start : start + size] for group in groups for start in range(0, len(group), size)]


def _of_head(network: Network) -> str:
    """A digest of all but the last layer that the checkpoint does not hold: fresh, it differs from seed to seed."""
    model = without_adapters(network.model)
    last, base = last_linear(model, network.base_prefix), base_of(model, network.base_prefix)
    own = {id(p) for part in (last, base) for p in part.parameters()}
    absent = network.checkpoint.absent if network.checkpoint else ()
    between = [
        p.detach().cpu().numpy().tobytes().hex()
        for name, p in model.named_parameters()
        if id(p) not in own or name in absent
    ]
    return digest(*between)
