"""What is known of metrics by their names."""

from pipeline.language import Sentence, said

# Metrics that are means of per-example scores.
MEANS = frozenset(
    {"accuracy", "top1", "loss", "bits_per_byte", "chrf", "absolute_error", "example_f1", "example_accuracy"}
)
# Metrics from 0 to 1, spoken of in percentage points.
SHARES = frozenset(
    {"accuracy", "balanced_accuracy", "f1", "macro_f1", "micro_f1", "precision", "recall", "top1", "chrf",
     "corpus_chrf", "corpus_bleu", "absolute_error", "example_f1", "example_accuracy", "token_accuracy", "span_f1"}
)  # fmt: skip
# Metrics of claims whose delta is a factor of labels or FLOPs, at which scores are compared.
MULTIPLIERS = frozenset({"label_multiplier", "compute_multiplier"})
# What people call them, where it is not the name itself.
_CALLED = {
    "f1": "F1",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "example_f1": "F1 of a text's labels",
    "example_accuracy": "accuracy within a sentence",
    "span_f1": "span F1",
    "chrf": "chrF",
    "corpus_chrf": "chrF of the set",
    "corpus_bleu": "BLEU",
    "corpus_bits_per_byte": "bits per byte of the set",
    "corpus_perplexity": "perplexity",
    "pearson": "Pearson's correlation",
}
_LESS_IS_BETTER = frozenset({"loss", "bits_per_byte", "corpus_bits_per_byte", "corpus_perplexity", "absolute_error"})


def higher_is_better(metric: str) -> bool:
    """Which way is better."""
    return metric not in _LESS_IS_BETTER


def called(metric: str) -> str:
    """What people call a metric, in the middle of a sentence."""
    return _CALLED.get(metric, metric.replace("_", " "))


def amount(value: float, metric: str) -> Sentence:
    """A difference in score without its sign: "18.2 points", or a plain number for metrics that are no shares."""
    if metric in SHARES:
        return said("{points:.1f} points", points=100 * abs(value))
    return said("{amount:.3g}", amount=abs(value))
