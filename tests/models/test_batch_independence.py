"""Every architecture that transformers can classify with: what it answers alone and in company, and its dropout."""

from typing import Any

import numpy as np
import pytest
import torch
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as CLASSIFIERS

from pipeline.config.schema import Pooling
from pipeline.errors import BaseModelError
from pipeline.models.base_compatibility import require_able
from pipeline.models.batch_independence import DEPENDENT, INDEPENDENT
from pipeline.models.speed.dropout import quicken
from pipeline.models.speed.first_position import narrow
from pipeline.models.speed.padding_free import pack
from pipeline.tasks import Vocabulary, kind
from pipeline.tasks.heads.declared_pooling import SETTING
from tests.models.tiny_architectures import VOCABULARY, tiny_architecture

TASK = kind("classification")
# On neither list, so that a base of one of these is tried with its own weights and texts.
UNLISTED = {
    "big_bird": "whether it attends to all positions depends on the longest text",
    "funnel": "between its pooled positions it reads padding, which its own head does not see but a mean does",
    "gemma3": "its tower for images is not tiny",
    "jetmoe": "its layers do not take attention as models/speed/dropout.py returns it",
    "layoutlmv2": "it needs detectron2",
    "modernvbert": "its tower for images is not tiny",
    "mra": "it needs kernels of its own",
    "perceiver": "its position embeddings are not tiny",
    "qwen3_5": "its tower for images is not tiny",
    "reformer": "how it attends depends on the length",
    "ultravbert": "its tower for images is not tiny",
    "xlnet": "its own head reads the last position, padding or not; one that Headstart puts on it does not",
    "zamba2": "its layers depend on one another's numbers",
}


def logits(model: Any, rows: list[np.ndarray]) -> np.ndarray:
    """What the network says of texts, [B, C], batched as everywhere."""
    seeds, labels = np.zeros(len(rows), dtype=np.uint64), np.zeros(len(rows))
    batch = TASK.collate(rows, labels, vocabulary=Vocabulary(pad=0), seeds=seeds, beside={})
    with torch.no_grad():
        found: np.ndarray = TASK.forward(model, batch).float().numpy()
    return found


def prepared(model_type: str, pooling: Pooling) -> Any:
    """A network as `build` leaves it; no weight is as small as usual, and no row of padding nothing but zeros."""
    config = tiny_architecture(model_type)
    if pooling != "head":
        setattr(config, SETTING, pooling)
    torch.manual_seed(0)
    model = TASK.build(config).float()
    for parameter in model.parameters():
        parameter.data.add_(torch.randn_like(parameter), alpha=0.1)
    attends = quicken(model)
    narrowed = narrow(model)
    if attends:
        pack(model, narrowed=narrowed)
    model.config.pad_token_id = 0
    return model.eval()


def difference(model_type: str, pooling: Pooling = "head") -> tuple[float, float]:
    """How far a text's logits alone are from those beside longer ones, and the least that two texts are apart."""
    model, generator = prepared(model_type, pooling), np.random.default_rng(1)
    *short, long = (np.array([2, *generator.integers(5, VOCABULARY - 6, n), 3], dtype=np.int32) for n in (3, 6, 13, 21))
    changed, apart = 0.0, np.inf
    for text in short:
        both = logits(model, [text, long])  # first, as some remember what they read
        alone = np.concatenate([logits(model, [text]), logits(model, [long])])
        changed = max(changed, float(np.abs(both - alone).max() / max(1, np.abs(both).max())))
        apart = min(apart, float(np.abs(both[0] - both[1]).max()))
    return changed, apart


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["head", "mean"])
@pytest.mark.parametrize("model_type", sorted(INDEPENDENT))
def test_a_text_is_answered_alike_alone_and_beside_longer_ones(model_type: str, pooling: Pooling) -> None:
    changed, apart = difference(model_type, pooling)
    assert changed < 1e-5
    assert apart > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("model_type", sorted(DEPENDENT))
def test_those_that_are_refused_do_answer_otherwise_in_company(model_type: str) -> None:
    assert difference(model_type)[0] > 1e-4


def test_every_architecture_that_classifies_is_on_one_list() -> None:
    lists = (INDEPENDENT, frozenset(DEPENDENT), frozenset(UNLISTED))
    assert sum(map(len, lists)) == len(frozenset().union(*lists))
    with_decoder = {"bart", "bigbird_pegasus", "mbart", "mt5", "mvp", "plbart", "t5", "t5gemma", "t5gemma2", "umt5"}
    assert set(CLASSIFIERS) - with_decoder == frozenset().union(*lists)


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "deberta-v2", "modernbert", "llama", "minicpm3"])
def test_the_usual_ones_answer_alike_in_any_company(model_type: str) -> None:
    assert difference(model_type)[0] < 1e-5


@pytest.mark.parametrize(("pooling", "alike"), [("head", False), ("last", True), ("mean", True)])
def test_an_xlnet_is_served_with_a_head_that_reads_no_padding(pooling: Pooling, alike: bool) -> None:
    assert (difference("xlnet", pooling)[0] < 1e-5) == alike


def test_a_funnel_is_served_with_the_head_that_reads_the_first_position() -> None:
    assert difference("funnel")[0] < 1e-5
    assert difference("funnel", "mean")[0] > 1e-2


@pytest.mark.parametrize("wanted", ["classification", "masked_language_modelling"])
def test_a_base_that_depends_on_the_batch_is_refused_by_name(wanted: str) -> None:
    with pytest.raises(BaseModelError, match=r"'mixer' \(fnet\) must answer .* it mixes all positions .*base=minilm"):
        require_able("mixer", tiny_architecture("fnet"), wanted)
