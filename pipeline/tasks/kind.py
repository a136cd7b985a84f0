"""What every task kind offers to data, models and training."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np

from pipeline.config.schema import Field, Predict, Task, TextField
from pipeline.language import Sentence
from pipeline.tasks.example import Example

if TYPE_CHECKING:
    import torch

FILLER = -1  # of what is known beside tokens, in rows that are shorter than others
Linear = Literal["softmax", "sigmoid"]
Batch = Mapping[str, Any]  # tensors by name, "input_ids" and "attention_mask" among them; rows are examples


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The tokens of a tokenizer that batches are made with; `mask` is None where it has none.

    `words` are those that classes are called by, for kinds that tell a class by its word.
    """

    pad: int
    mask: int | None = None
    words: tuple[int, ...] = ()

    @classmethod
    def of(cls, tokenizer: Any, words: tuple[int, ...] = ()) -> "Vocabulary":
        """Those of a Hugging Face tokenizer."""
        return cls(pad=tokenizer.pad_token_id, mask=tokenizer.mask_token_id, words=words)


@dataclass(frozen=True, kw_only=True)
class EncodeSettings:
    """What encoding depends on besides the examples and the tokenizer."""

    max_length: int  # tokens; longer texts are truncated
    prompt: str | None = None  # template of prompted kinds, with {text} in it
    classes: tuple[str, ...] = ()  # names of the classes, in the order of the network's outputs

    @classmethod
    def of(cls, task: Task, classes: Sequence[str] = ()) -> "EncodeSettings":
        """Those of a task whose training data has these classes."""
        return cls(max_length=task.max_length, prompt=task.prompt, classes=tuple(classes))


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """N examples as a kind reads them."""

    ids: list[np.ndarray]  # token ids of each example, int32 [length], special tokens included
    truncated: int  # examples that were truncated
    beside: dict[str, np.ndarray] = field(
        default_factory=dict
    )  # what else is known of each, int32 or float32 [N] or [N, M] with FILLER behind
    sentences: tuple[Sentence, ...] = ()  # what people should know of them


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Per-example outputs on one evaluation set of N items; a kind may add to them."""

    labels: np.ndarray  # int32 [N], -1 where examples have no class
    predicted: np.ndarray  # int32 [N], likewise
    scores: np.ndarray  # float32 [N]: the per-example score of the kind's first metric
    losses: np.ndarray  # float32 [N], nats


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of N texts of a set, as they were encoded."""

    ids: Sequence[np.ndarray]  # token ids of each
    labels: np.ndarray  # int32 [N]
    beside: Mapping[str, np.ndarray]  # those of `Encoded`
    classes: int


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """An example as `predict` is given it, and the right answer."""

    given: Example
    right: str


class TaskKind(Protocol):
    """A task kind: how text becomes tensors, what is optimised and what is measured."""

    name: str
    metrics: tuple[str, ...]  # that claims can speak of
    of_tokens: tuple[str, ...]  # those that depend on how a tokenizer cuts texts
    reads: frozenset[Field]  # fields of an example that it needs; columns, checks and storage follow from them
    target: Field | None  # the one of them that is to be predicted; None where a text itself is
    parts: tuple[tuple[TextField, ...], ...]  # what a tokenizer is given: one text or two, fields joined by a blank
    own_head: bool  # whether a checkpoint's own head serves it, and is taken over where there is one
    linear: Linear | None  # what its last layer's outputs are read by, where that layer reads one vector a text
    pipeline: str  # what transformers.pipeline calls it
    outputs_type: type[Outputs]
    predicted: tuple[str, ...]  # what `predict` says beside each text
    answer: str  # which of that is the answer
    beside: tuple[str, ...]  # what `encode` tells beside tokens
    reads_whole: bool  # whether `predict` refuses what is too long, instead of leaving out its end
    evaluated_at_once: int  # texts at most: logits over a vocabulary take room

    def encode(self, examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
        """The examples as token ids, truncated to `settings.max_length`.

        Raises:
            DataError: the tokenizer lacks what the kind needs.
        """
        ...

    def collate(
        self,
        ids: Sequence[np.ndarray],
        labels: np.ndarray,
        *,
        vocabulary: Vocabulary,
        seeds: np.ndarray,
        beside: Mapping[str, np.ndarray],
    ) -> "dict[str, torch.Tensor]":
        """A batch padded to its longest text: int64 [B, L], and "labels" int64 [B].

        Args:
            beside: those of `Encoded` for these texts, [B] or [B, M] each.
            seeds: uint64 [B], of what is drawn at random for each example; what is drawn depends on nothing else.
        """
        ...

    def unable(self, config: Any) -> str | None:
        """Why a base with `config` (a Hugging Face configuration) cannot do it and what can; None where it can."""
        ...

    def build(self, config: Any) -> Any:
        """A freshly initialised network for `config`, which carries this head."""
        ...

    def load(self, directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
        """The network with a checkpoint's weights, float32, and the loader's account of missing and unexpected keys."""
        ...

    def forward(self, model: Any, batch: Batch) -> "torch.Tensor":
        """The network's logits of a batch, of what the kind reads of them."""
        ...

    def losses(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """The loss of each example, float32 [B], nats."""
        ...

    def width(self, classes: int) -> int:
        """How many numbers `answers` keeps of each example."""
        ...

    def answers(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """What is kept of each example to measure it by, float [B, width]."""
        ...

    def outputs(self, answers: np.ndarray, labels: np.ndarray) -> Outputs:
        """Per-example outputs from answers float32 [N, width] and labels [N]."""
        ...

    def measure(self, outputs: Any) -> dict[str, float]:
        """Every metric of `metrics` on one evaluation set, "loss", and what else is worth recording."""
        ...

    def constant_score(self, metric: str, train: Known, held: Known) -> float | None:
        """The score on a set of the best answer that reads no text, chosen on a training subset.

        Args:
            metric: one of `metrics`.
            train: the training subset.
            held: the set, in the order of its items.

        None for metrics of written texts, which have no such answer.
        """
        ...

    def exercise(self, example: Example) -> Exercise | None:
        """An exercise made of one example, for people to look at; None where its text is too short."""
        ...

    def predict(
        self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings, asked: Predict
    ) -> Iterator[tuple[str, ...]]:
        """One row or more for each example: its text, and what `predicted` names. The caller sees to precision.

        Args:
            model: a network or a `TextModel`.
            tokenizer: a Hugging Face tokenizer.
            examples: of which only texts are read.
            settings: how they are encoded.
            asked: how texts are generated, for kinds that write.

        Raises:
            DataError: the kind cannot answer one of the texts.
        """
        ...


@runtime_checkable
class TextModel(Protocol):
    """A model that reads texts itself, where a network is given tokens."""

    def read(self, examples: Sequence[Example]) -> np.ndarray:
        """The logits of examples, float64 [N, C], or those of their words, float64 [T, C]."""
        ...


class SetJudge(Protocol):
    """Has a network write for texts of one set, and says of each what is right in what it wrote."""

    def __call__(self, model: Any, batch: Batch, items: np.ndarray) -> "torch.Tensor":
        """Of the texts `items` [B] of the set, which are in `batch`, float32 [B, W]."""
        ...


class LinearKind(TaskKind, Protocol):
    """A kind whose network ends in a linear layer on one vector a text, which alone is a convex problem to solve."""

    def targets(self, labels: np.ndarray, beside: Mapping[str, np.ndarray], classes: int) -> np.ndarray:
        """What the last layer's outputs should be once they are read, float64 [N, C].

        Args:
            labels: int [N].
            beside: as of `collate`.
        """
        ...


@runtime_checkable
class WordwiseKind(TaskKind, Protocol):
    """A kind that answers for each word. A linear model on words has a row for each of them, text after text."""

    def targets(self, labels: np.ndarray, beside: Mapping[str, np.ndarray], classes: int) -> np.ndarray:
        """As of `LinearKind`, for T words, float64 [T, C]. `answers` takes logits of such rows, [T, C]."""
        ...

    def words_in(self, batch: Batch) -> int:
        """How many words the texts of a batch have."""
        ...


@runtime_checkable
class WritingKind(TaskKind, Protocol):
    """A kind that is measured by what the network writes. Batches of evaluations hold a judge's word as "written"."""

    def judge(self, tokenizer: Any, examples: Sequence[Example]) -> SetJudge:
        """The judge of a set of examples, which hold what should be written."""
        ...


@runtime_checkable
class KnowingKind(TaskKind, Protocol):
    """A kind that can say how well a network knows the texts that it is asked about, and measures "perplexity"."""

    def surprise(self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings) -> np.ndarray:
        """Nats of each of the texts' own tokens, float32 [T]; those of all texts, one after the other."""
        ...


@runtime_checkable
class SummedKind(TaskKind, Protocol):
    """A kind with metrics that follow from sums over a set's texts, see corpus_metrics.py."""

    of_sums: tuple[str, ...]  # those of `metrics`

    def statistics(self, outputs: Any) -> np.ndarray:
        """What is summed, float32 [N, K]."""
        ...


@runtime_checkable
class PromptedKind(TaskKind, Protocol):
    """A kind whose texts stand in a prompt, and which tells classes by their words."""

    def words(self, tokenizer: Any, labels: Sequence[str]) -> tuple[int, ...]:
        """The tokens of the words that classes are called by.

        Raises:
            DataError: the tokenizer has none for a class.
        """
        ...
