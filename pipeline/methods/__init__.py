"""The ways to train an arm, one class and one file each; what they are is asked of them and of nobody else."""

from pipeline.methods.bag_of_words import BagOfWords
from pipeline.methods.full import FullFineTuning
from pipeline.methods.linear_probe import LinearProbe
from pipeline.methods.low_rank import LowRankAdapters
from pipeline.methods.method import Method, MethodName

METHODS: dict[MethodName, Method] = {
    each.name: each for each in (FullFineTuning(), LinearProbe(), LowRankAdapters(), BagOfWords())
}

__all__ = ["METHODS", "Method", "MethodName"]
