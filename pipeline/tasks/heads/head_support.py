"""Which heads an architecture can carry, from its configuration alone: why not, and what to use instead, or None."""

from typing import Any

from pipeline.tasks.heads.decoding import is_encoder

_ENCODERS = "Use an encoder alone, such as base=minilm or base=bert."
_TWO_PARTS = "Use an encoder such as base=minilm, or an encoder with a decoder such as base=t5."
_DECODERS = "Use a decoder, such as base=smollm2."


def classifies(config: Any) -> str | None:
    """Text classification with a head on the body."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as NAMES

    if config.is_encoder_decoder:
        return f"it is an encoder with a decoder. {_ENCODERS}"
    return None if config.model_type in NAMES else f"transformers puts no head for classes on it. {_ENCODERS}"


def fills_gaps(config: Any) -> str | None:
    """Masked language modelling: a word predicted from both sides."""
    if config.is_encoder_decoder:
        return f"it is an encoder with a decoder. {_ENCODERS}"
    return None if is_encoder(config) else f"it is a decoder, which does not see what comes after a gap. {_ENCODERS}"


def continues(config: Any) -> str | None:
    """Causal language modelling: next-token prediction."""
    if config.is_encoder_decoder:
        return f"it is an encoder with a decoder. {_DECODERS}"
    if is_encoder(config):
        return f"it is an encoder, which reads both ways and cannot continue a text. {_DECODERS}"
    return None if _has_causal_head(config) else f"transformers has no language model's head for it. {_DECODERS}"


def predicts_words(config: Any) -> str | None:
    """Word prediction, at a gap or after the end of a text."""
    return fills_gaps(config) if is_encoder(config) else continues(config)


def translates(config: Any) -> str | None:
    """Translation: it reads one text and writes another, or can be made to."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES as NAMES

    if config.is_encoder_decoder:
        return None if config.model_type in NAMES else f"transformers has no head to write with for it. {_TWO_PARTS}"
    if not is_encoder(config):
        return f"it is a decoder, which reads one text on and on. {_TWO_PARTS}"
    return None if _has_causal_head(config) else f"it cannot be made into a decoder. {_TWO_PARTS}"


def _has_causal_head(config: Any) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
