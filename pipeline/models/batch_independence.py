"""Whether a network's answer for a text depends on the other texts of its batch.

It must not: batches are composed anew by every set, size and seed, and `predict` composes others still. The lists hold
transformers' model types as tests/models/test_batch_independence.py found them, with tiny random networks of every
architecture that can classify, under their own heads and under a mean of all positions. One on neither list is tried
with its own weights before it is used (see training/setup/first_passes.py).
"""

from typing import Any

from pipeline.errors import BaseModelError

INDEPENDENT = frozenset(
    {
        "albert", "arcee", "axk1", "axk2", "bert", "biogpt", "bloom", "camembert", "cohere_compass_text", "ctrl",
        "data2vec-text", "deberta", "deberta-v2", "deepseek_v2", "deepseek_v3", "diffllama", "distilbert", "doge",
        "electra", "ernie", "esm", "esmc", "eurobert", "exaone4", "falcon", "flaubert", "gemma", "gemma2",
        "gemma3_text", "glm", "glm4", "gpt-sw3", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox", "gpt_oss", "gptj",
        "gte", "helium", "hunyuan_v1_dense", "hunyuan_v1_moe", "ibert", "jamba", "jina_embeddings_v3", "layoutlm",
        "layoutlmv3", "lilt", "llama", "longformer", "luke", "markuplm", "megatron-bert", "minicpm3", "minimax",
        "ministral", "ministral3", "mistral", "mistral4", "mixtral", "modernbert", "modernbert-decoder", "mpnet",
        "mpt", "nemotron", "nomic_bert", "olmo", "olmo2", "olmo3", "openai-gpt", "opt", "persimmon", "phi", "phi3",
        "phimoe", "qwen2", "qwen2_moe", "qwen3", "qwen3_5_text", "qwen3_moe", "qwen3_next", "rembert", "roberta",
        "roberta-prelayernorm", "roc_bert", "roformer", "seed_oss", "smollm3", "squeezebert", "stablelm",
        "starcoder2", "tapas", "ultrabert", "xlm", "xlm-roberta", "xlm-roberta-xl", "xmod", "zamba",
    }
)  # fmt: skip
DEPENDENT = {
    "canine": "it pools neighbouring characters, those of the padding among them",
    "convbert": "its convolutions read the padding after a text",
    "fnet": "it mixes all positions of a batch's rows, their padding among them",
    "mobilebert": "its embedding of each token reads the next one, which may be padding",
    "nystromformer": "its attention goes by means over stretches of positions, padding among them",
    "yoso": "its attention counts padding among the tokens",
}


def require_batch_independence(base: str, config: Any) -> None:
    """Refuse a base, called `base`, of an architecture that is known to depend on the batch.

    Raises:
        BaseModelError: it is; the message says why and what else to use.
    """
    why = DEPENDENT.get(config.model_type)
    if why is not None:
        raise depends(base, config.model_type, why)


def depends(base: str, model_type: str, why: str) -> BaseModelError:
    """The refusal of a base whose answers depend on the batch."""
    return BaseModelError(
        f"Base {base!r} ({model_type}) must answer for a text whatever other texts are in its batch, but {why}. Use "
        "another base, such as base=minilm or base=bert."
    )
