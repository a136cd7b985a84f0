"""A classifier as one ONNX graph from tokens to logits, with its tokenizer."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.commands.formats.form import Format, Reading, is_sigmoid, save_tokenizer, texts_of
from pipeline.commands.steps.trained import Trained
from pipeline.errors import UserError
from pipeline.report.about import About
from pipeline.report.usage import Use, by_onnxruntime
from pipeline.tasks import Example, kind

GRAPH = "model.onnx"
_AT_ONCE = 32  # texts
_TOKENS = ("input_ids", "attention_mask", "token_type_ids")
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


class Loadable(Format, Protocol):
    """A format that can load its network again."""

    def load(self, folder: Path) -> Any:
        """The network that `save` wrote into `folder`, in evaluation mode, as transformers computes it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Onnx:
    """Exported by torch.onnx from the directory that `whole` writes, and read by ONNX Runtime.

    Raises:
        UserError: the packages for it are not installed.
    """

    trained: Trained
    whole: Loadable

    def __post_init__(self) -> None:
        from importlib.util import find_spec

        absent = [name for name in _PACKAGES if find_spec(name) is None]
        if absent:
            raise UserError(
                f"export_format=onnx needs the packages {', '.join(_PACKAGES)}, but {', '.join(absent)} cannot be "
                "found. Install them: pip install -c constraints.txt '.[onnx]'."
            )

    def save(self, folder: Path) -> None:
        """See Format."""
        tokenizer = save_tokenizer(self.trained, folder)
        with tempfile.TemporaryDirectory() as whole:
            self.whole.save(Path(whole))
            network = self.whole.load(Path(whole))
        network.config.save_pretrained(folder)
        two = "token_type_ids" in tokenizer.model_input_names and getattr(network.config, "type_vocab_size", 0) > 1
        _export(network, _TOKENS if two else _TOKENS[:2], folder / GRAPH)

    def read(self, folder: Path, examples: Sequence[Example]) -> Reading:
        """See Format."""
        import onnxruntime
        from transformers import AutoTokenizer

        session = onnxruntime.InferenceSession(folder / GRAPH, providers=["CPUExecutionProvider"])
        tokenizer, outputs = AutoTokenizer.from_pretrained(str(folder), local_files_only=True), []
        given = texts_of(self.trained, examples, self.trained.cell.prefix)
        for start in range(0, len(given), _AT_ONCE):
            columns = [list(column) for column in zip(*given[start : start + _AT_ONCE], strict=True)]
            read = tokenizer(*columns, padding=True, truncation=True, return_tensors="np")
            (logits,) = session.run(None, {each.name: read[each.name] for each in session.get_inputs()})
            outputs.append(logits)
        return Reading(by="ONNX Runtime", logits=np.concatenate(outputs))

    def use(self, about: About) -> Use:
        """See Format."""
        return by_onnxruntime(about, sigmoid=is_sigmoid(self.trained), prefix=self.trained.cell.prefix)


def require_classifier(trained: Trained) -> None:
    """Refuse what has no network from tokens to logits of classes.

    Raises:
        UserError: it is a linear model on words, or its task is no classification.
    """
    task = kind(trained.cell.task.kind)
    if trained.cell.method.reads == "words" or task.linear is None:
        what = "a linear model on words" if trained.cell.method.reads == "words" else f"a network for {task.name}"
        raise UserError(
            f"export_format=onnx holds networks that classify, but cell {trained.result.cell_id} is {what}. "
            "Use export_format=safetensors."
        )


def _export(network: Any, names: Sequence[str], path: Path) -> None:
    import torch

    class Logits(torch.nn.Module):
        """The network with tensors by position and nothing but its logits."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.network(**dict(zip(names, tensors, strict=True))).logits
            return logits

    # Sizes of which none is 0 or 1, which torch would take for constants; they must not be equal either.
    example = torch.full((2, 7), 5)
    mask = torch.ones_like(example)
    mask[1, 4:] = 0
    given = (example, mask, torch.zeros_like(example))[: len(names)]
    sizes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length")}
    torch.onnx.export(
        Logits().eval(),
        given,
        path,
        dynamo=True,
        verbose=False,
        input_names=list(names),
        output_names=["logits"],
        dynamic_shapes=(tuple(sizes for _ in names),),
    )
