"""When pretraining has paid for itself."""

import math


def tasks_to_break_even(pretraining: float, finetuning: float, scratch: float) -> float:
    """The number of tasks t with pretraining + t x finetuning = t x scratch, all in FLOPs to the same score.

    Infinity ("never") where scratch costs no more than fine-tuning.
    """
    saved = scratch - finetuning
    return pretraining / saved if saved > 0 else math.inf
