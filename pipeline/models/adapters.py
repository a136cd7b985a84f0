"""Low-rank adapters, through peft."""

from typing import Any

from pipeline.config.schema import Lora
from pipeline.errors import BaseModelError


def add_adapters(model: Any, lora: Lora) -> Any:
    """`model` with low-rank adapters in its base; they and the new head are trained (Hu et al. 2021).

    Raises:
        BaseModelError: no module has the names in arm.lora.targets.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    settings = LoraConfig(
        task_type=TaskType.SEQ_CLS,
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # it is only divided by the rank: a float serves
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets) or None,
    )
    try:
        return get_peft_model(model, settings)
    except ValueError as error:
        raise BaseModelError(f"LoRA does not fit this base: {error} Set arm.lora.targets=[NAME,...].") from error


def merged(model: Any) -> Any:
    """The plain network that computes the same as `model` with its adapters."""
    return model.merge_and_unload()
