"""Imported once by the warm server that workers are forked from, so that a cell starts in a fraction of a second.

A thread started here would not survive the fork. Signals that a cluster sends to all processes of a job are for the
cells, which are saved then; the server outlives them, or nobody would hear how they ended.
"""

import gc
import importlib
import signal

from pipeline.execution.sockets import removed_at_exit
from pipeline.import_path import leave_out_the_working_folder

leave_out_the_working_folder()
for name in (
    "peft",
    "pyarrow",
    "pytorch_lightning",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",  # imports pandas, which pyarrow asks for as well
    "threadpoolctl",
    "transformers.modeling_outputs",
    "transformers.models.auto.modeling_auto",
    "transformers.models.bert.modeling_bert",
    "transformers.models.bert.tokenization_bert",
    "pipeline.execution.worker",
    "pipeline.models.speed.dropout",
    "pipeline.models.speed.padding_free",
    "pipeline.training.loop.finish",
    "pipeline.training.loop.fit",
):
    importlib.import_module(name)

# How older checkpoints call their tensors, in a thousand patterns that transformers compiles once in a process.
importlib.import_module("transformers.conversion_mapping").get_checkpoint_conversion_mapping("bert")

gc.freeze()  # else a worker's first full collection would visit, and so copy, all that was imported here
removed_at_exit()
for number in (signal.SIGTERM, signal.SIGUSR2):
    signal.signal(number, signal.SIG_IGN)
