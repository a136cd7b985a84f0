"""A tiny random configuration of every architecture that transformers can classify texts with."""

from typing import Any

from transformers import CONFIG_MAPPING

VOCABULARY, LONGEST = 96, 64

_SIZES = {
    2: ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_experts_per_tok"),
    4: ("num_attention_heads", "n_head", "n_heads", "num_heads", "num_key_value_heads", "num_heads_kv", "num_experts",
        "n_routed_experts", "num_local_experts"),
    8: ("head_dim",),
    32: ("hidden_size", "d_model", "n_embd", "dim", "embedding_size", "emb_dim", "word_embed_proj_dim",
         "pooler_hidden_size", "entity_emb_size"),
    64: ("intermediate_size", "hidden_dim", "n_inner", "ffn_dim", "d_inner", "ffn_hidden_size", "dff",
         "moe_intermediate_size", "shared_expert_intermediate_size", "max_position_embeddings", "n_positions", "n_ctx",
         "max_seq_len"),
    VOCABULARY: ("vocab_size", "entity_vocab_size"),
}  # fmt: skip
_LATENT = {  # attention whose keys and values are made of one small vector
    "qk_nope_head_dim": 8, "qk_rope_head_dim": 8, "v_head_dim": 8, "q_lora_rank": 16, "kv_lora_rank": 16, "n_group": 1,
    "topk_group": 1, "num_experts_per_tok": 2,
}  # fmt: skip
_ATTENTIONS = ("full_attention", "sliding_attention")
_HEADS = {"head_dim": 8}
_OWN: dict[str, dict[str, Any]] = {  # None: left at its default
    **dict.fromkeys(("axk1", "axk2", "deepseek_v2", "deepseek_v3", "minicpm3"), _LATENT),
    **dict.fromkeys(("hunyuan_v1_dense", "hunyuan_v1_moe", "ministral"), _HEADS),
    "cohere_compass_text": {
        "layer_types": list(_ATTENTIONS),
        "rope_parameters": {kind: {"rope_type": "default", "rope_theta": 1e4} for kind in _ATTENTIONS},
    },
    "big_bird": {"block_size": 2, "num_random_blocks": 1},
    "esm": {"mask_token_id": 1, "vocab_size": VOCABULARY},
    "falcon": {"head_dim": None},
    "funnel": {"architectures": ["FunnelModel"], "num_hidden_layers": None, "block_sizes": [1, 1], "d_head": 8},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "window_size": 8},
    "gptj": {"rotary_dim": 4},
    "layoutlmv3": {"visual_embed": False, "coordinate_size": 6, "shape_size": 4},
    "lilt": {"max_2d_position_embeddings": LONGEST, "hidden_size": 48},
    "longformer": {"attention_window": 4},
    "mistral4": {**_LATENT, "head_dim": 16},
    "mobilebert": {"true_hidden_size": 16, "intra_bottleneck_size": 16},
    "nemotron": {"num_key_value_heads": 4},
    "reformer": {"axial_pos_embds": False, "attention_head_size": 8, "feed_forward_size": 64, "is_decoder": False},
    "xlnet": {"max_position_embeddings": None},
    "zamba": {"num_hidden_layers": 4, "layer_types": ["mamba", "hybrid"] * 2},
    "zamba2": {"num_hidden_layers": 4, "layer_types": ["mamba", "hybrid"] * 2},
    "xmod": {"languages": ("en_XX",), "default_language": "en_XX"},
}


def tiny_architecture(model_type: str, *, labels: int = 3) -> Any:
    """The configuration of `model_type` with tiny sizes; token 0 pads."""
    kind = CONFIG_MAPPING[model_type]
    usual = kind()
    sizes = {name: size for size, names in _SIZES.items() for name in names if _is_size(getattr(usual, name, None))}
    ends = {
        name: 2 for name in ("bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id") if hasattr(usual, name)
    }
    given = {**sizes, **ends, "pad_token_id": 0, "num_labels": labels, **_OWN.get(model_type, {})}
    return kind(**{name: value for name, value in given.items() if value is not None})


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
