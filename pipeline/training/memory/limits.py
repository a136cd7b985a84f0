"""Sizes that training and its plan of memory share. The coordinator reads them, so nothing heavy is imported here."""

FEATURE_BATCH = {"cpu": 8, "gpu": 64}  # texts of one length; the last batch of each length is filled up
PREPARED = 128  # matrix products, each of one shape, that a worker keeps prepared
_AVERAGED = 128 << 20  # bytes through which processes of one machine average gradients


def averaged_in(gradients: int, processes: int) -> int:
    """Bytes that all of them share to average so many bytes of gradients: at one time, up to a limit."""
    return min(_AVERAGED, processes * (gradients + 8 * processes))
