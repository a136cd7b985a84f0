"""Imported once by the warm server that workers are forked from, so that a cell starts in a fraction of a second.

It imports and does nothing else: a thread started here would not survive the fork.
"""

import peft
import pytorch_lightning
import transformers.modeling_outputs
import transformers.models.auto.modeling_auto
import transformers.models.bert.modeling_bert

import pipeline.training.finish
import pipeline.training.fit

__all__ = ["peft", "pipeline", "pytorch_lightning", "transformers"]
