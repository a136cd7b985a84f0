"""A base in one GGUF file, as llama.cpp reads it; transformers reads it too."""

import contextlib
import io
from pathlib import Path
from typing import Any


def configuration(file: Path) -> Any:
    """The Hugging Face configuration that the file's header states."""
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(str(file.parent), **_there(file))


def read(file: Path, config: Any) -> tuple[Any, Any]:
    """The network, free of what marks it as quantised, and the tokenizer, which is told how much fits.

    Raises:
        ValueError: weights are missing, which transformers would draw at random.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    there = _there(file)
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar that no setting turns off
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            str(file.parent), dtype=torch.float32, output_loading_info=True, **there
        )
    quantised, info = loaded
    missing = sorted(info["missing_keys"])
    if missing:
        raise ValueError(f"{len(missing)} of its weights are missing ({', '.join(missing[:3])}, ...)")
    model = AutoModelForCausalLM.from_config(config, trust_remote_code=False).to(torch.float32)
    model.load_state_dict(quantised.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **there)
    tokenizer.model_max_length = config.max_position_embeddings
    return model, tokenizer


def _there(file: Path) -> dict[str, Any]:
    return {"gguf_file": file.name, "local_files_only": True, "trust_remote_code": False}
