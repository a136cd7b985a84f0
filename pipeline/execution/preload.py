"""Imported once by the warm server that workers are forked from, so that a cell starts in a fraction of a second.

A thread started here would not survive the fork. Signals that a cluster sends to all processes of a job are for the
cells, which are saved then; the server outlives them, or nobody would hear how they ended.
"""

import signal

import peft
import pytorch_lightning
import transformers.modeling_outputs
import transformers.models.auto.modeling_auto
import transformers.models.bert.modeling_bert

import pipeline.training.finish
import pipeline.training.fit
from pipeline.execution.sockets import removed_at_exit

removed_at_exit()
for number in (signal.SIGTERM, signal.SIGUSR2):
    signal.signal(number, signal.SIG_IGN)

__all__ = ["peft", "pipeline", "pytorch_lightning", "transformers"]
