"""Sizes that training and its plan of memory share. The coordinator reads them, so nothing heavy is imported here."""

FEATURE_BATCH = {"cpu": 8, "gpu": 64}  # texts of one length; the last batch of each length is filled up
PREPARED = 128  # matrix products, each of one shape, that a worker keeps prepared
