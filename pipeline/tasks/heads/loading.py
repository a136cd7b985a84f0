"""Networks of one of transformers' auto classes: fresh, or with a checkpoint's weights."""

from collections.abc import Mapping
from typing import Any


def build(auto: Any, config: Any) -> Any:
    """See TaskKind."""
    return auto.from_config(config, trust_remote_code=False)


def under(part: str, info: Mapping[str, Any]) -> Mapping[str, Any]:
    """The loader's account of a network that is `part` of another one, with the names that its tensors have there."""
    return {
        "missing_keys": {f"{part}.{name}" for name in info["missing_keys"]},
        "mismatched_keys": {(f"{part}.{name}", *shapes) for name, *shapes in info["mismatched_keys"]},
        "unexpected_keys": set(info["unexpected_keys"]),
    }


def load(auto: Any, directory: str, config: Any, **settings: Any) -> tuple[Any, Mapping[str, Any]]:
    """See TaskKind. `settings` go to the network's constructor."""
    import torch

    model, info = auto.from_pretrained(
        directory,
        config=config,
        dtype=torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # a head of other classes, which is not taken over
        **settings,
    )
    return model, info
