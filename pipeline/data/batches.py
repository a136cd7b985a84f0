"""Which examples stand in which batch: batches of like lengths, in an order fixed by the seed."""

import numpy as np

EVALUATED_TOKENS = 4096  # of a batch that is evaluated, its padding included; more is no quicker on a processor
_MEGABATCH = 50  # batches sorted by length together, at most
_JITTER = 0.02  # sets of one megabatch: lengths count as so much more or less, so that batches mix from epoch to epoch


def batch_schedule(lengths: np.ndarray, *, batch: int, examples: int, seed: int) -> list[np.ndarray]:
    """Batches of positions until `examples` examples have been seen, epoch after epoch.

    Every epoch visits each example once. Each batch holds exactly `batch` examples, except the last of an epoch: it
    takes the remainder, together with a whole batch where the remainder is less than half of one. A longer schedule
    starts with the shorter one.

    Args:
        lengths: tokens of each example, int [n], n > 0.
        batch: global batch size.
        examples: how many to visit; the last batch may go beyond.
        seed: draws the order.

    Returns:
        int64 arrays.
    """
    schedule: list[np.ndarray] = []
    seen, epoch = 0, 0
    while seen < examples and len(lengths):
        for rows in _epoch(lengths, batch, np.random.default_rng([seed, 13, epoch])):
            if seen >= examples:
                break
            schedule.append(rows)
            seen += len(rows)
        epoch += 1
    return schedule


def evaluation_batches(lengths: np.ndarray, *, texts: int) -> list[np.ndarray]:
    """Batches of positions in ascending length, each of as many as fit into EVALUATED_TOKENS, but one at least.

    They follow from the lengths alone, so that a network gives the same bits whatever the number of ranks.

    Args:
        lengths: tokens of each text, int [n].
        texts: of a batch, at most.

    Returns:
        int64 arrays.
    """
    order = np.argsort(lengths, kind="stable")
    batches, start = [], 0
    for end in range(1, len(order) + 1):
        following = end - start + 1
        if end == len(order) or following > texts or following * lengths[order[end]] > EVALUATED_TOKENS:
            batches.append(order[start:end])
            start = end
    return batches


def largest_batch(rows: int, batch: int) -> int:
    """Examples of the largest batch of an epoch over `rows` examples, which may be above the `batch` asked for."""
    return int(_sizes(rows, batch).max())


def rank_slice(batch: np.ndarray, rank: int, world: int) -> np.ndarray:
    """The part of a global batch that falls to `rank` of `world` processes; sizes differ by one at most.

    Neighbours in length go to different ranks, dealt forwards and backwards in turn, so that all have about as many
    tokens. A batch smaller than `world` leaves some ranks an empty part.
    """
    turn, place = np.divmod(np.arange(len(batch)), world)
    part: np.ndarray = batch[np.where(turn % 2, world - 1 - place, place) == rank]
    return part


def _sizes(rows: int, batch: int) -> np.ndarray:
    whole, rest = divmod(rows, batch)
    sizes = [batch] * whole
    if rest and whole and 2 * rest < batch:
        sizes[-1] += rest
    elif rest:
        sizes.append(rest)
    return np.array(sizes, dtype=np.int64)


def _epoch(lengths: np.ndarray, batch: int, generator: np.random.Generator) -> list[np.ndarray]:
    sizes = _sizes(len(lengths), batch)
    order = generator.permutation(len(lengths))
    jitter = _JITTER if len(sizes) <= _MEGABATCH else 0.0
    apparent = lengths[order] * (1 + generator.uniform(-jitter, jitter, size=len(order)))
    ends = np.cumsum(sizes)
    batches: list[np.ndarray] = []
    for start in range(0, len(sizes), _MEGABATCH):
        group = sizes[start : start + _MEGABATCH]
        rows = np.arange(ends[start] - sizes[start], ends[start] - sizes[start] + group.sum())
        rows = order[rows[np.argsort(apparent[rows], kind="stable")]]
        batches += np.split(rows, np.cumsum(generator.permutation(group))[:-1])
    shuffled = [batches[i] for i in generator.permutation(len(batches))]
    odd = int(sizes[-1])  # the one size that may differ from `batch`
    return [b for b in shuffled if len(b) != odd] + [b for b in shuffled if len(b) == odd]
