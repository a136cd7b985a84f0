"""Low-rank adapters, through peft."""

from collections.abc import Iterator
from typing import Any

from pipeline.config.schema import Lora
from pipeline.errors import BaseModelError
from pipeline.tasks import TaskKind
from pipeline.tasks.heads.encoder_decoder import DECODER, ENCODER

# Attention's query and value, as the paper has it, for architectures of which peft knows no names.
_TARGETS = {
    "distilbert": ["q_lin", "v_lin"],
    "modernbert": ["Wqkv"],
    **{model: ["q_proj", "v_proj"] for model in ("marian", "mbart", "m2m_100", "pegasus")},
    "umt5": ["q", "v"],
}


def without_adapters(model: Any) -> Any:
    """The network itself, inside its adapters where it has some."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def add_adapters(model: Any, lora: Lora, task: TaskKind) -> Any:
    """`model` with low-rank adapters in its base; they and the new head are trained (Hu et al. 2021).

    Raises:
        BaseModelError: no module has the names in arm.lora.targets.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    settings = LoraConfig(
        task_type=TaskType.SEQ_CLS if task.target == "label" and not task.own_head else None,
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # it is only divided by the rank: a float serves
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets) or _targets(model.config),
        modules_to_save=_head(model),  # peft knows only some names, and would leave the rest random and fixed
    )
    try:
        adapted = get_peft_model(model, settings)
    except ValueError as error:
        raise BaseModelError(f"LoRA does not fit this base: {error} Set arm.lora.targets=[NAME,...].") from error
    if hasattr(model.config, DECODER):
        getattr(model, DECODER).requires_grad_(True)
    return adapted


def _targets(config: Any) -> list[str] | str | None:
    """Names of modules, or a pattern: of a network of two parts, of its encoder alone; the decoder is trained whole."""
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN

    if not hasattr(config, ENCODER):
        return _TARGETS.get(config.model_type)
    model_type = config.encoder.model_type
    names = _TARGETS.get(model_type) or KNOWN.get(model_type)
    return rf"{ENCODER}\..*\.({'|'.join(names)})" if names else None


def _head(model: Any) -> list[str]:
    """The parts with parameters beside the base, which are new: the largest that share none with it.

    Of a network of two parts there are none: peft would take every module called decoder for the one that is meant. Nor
    are there any where a network is its base and nothing else.
    """
    if hasattr(model.config, DECODER) or not hasattr(model, model.base_model_prefix):
        return []
    of_base = {id(p) for p in getattr(model, model.base_model_prefix).parameters()}
    return [name for child, part in model.named_children() if child != model.base_model_prefix
            for name in _own_parts(child, part, of_base)]  # fmt: skip


def _own_parts(name: str, part: Any, of_base: set[int]) -> Iterator[str]:
    parameters = [id(p) for p in part.parameters()]
    if parameters and of_base.isdisjoint(parameters):
        yield name
    elif parameters:
        for child, inner in part.named_children():
            yield from _own_parts(f"{name}.{child}", inner, of_base)


def replaced(name: str) -> bool:
    """Whether the parameter of this name is one that a trained copy stands in for: peft keeps both."""
    return ".original_module." in name


def merged(model: Any) -> Any:
    """The plain network that computes the same as `model` with its adapters."""
    return model.merge_and_unload()
