"""When a training is evaluated and how long it lasts. The grid depends on the train subset alone, never on the arm."""

from pipeline.config.schema import Recipe

FLOOR = 3200  # examples: the smallest horizon over which regular evaluations are spread
REGULAR = 8  # regular evaluations over max(subset, FLOOR) examples
FIRST = 4  # batches before the first evaluation after step 0: in warm-up a network hardly moves


def horizon(recipe: Recipe, *, items: int, batch: int) -> int:
    """Training examples of the whole schedule: the epochs, within the recipe's least and greatest number of steps."""
    step = min(batch, items)
    length = max(round(recipe.epochs * items), recipe.min_steps * step)
    return min(length, recipe.max_steps * step) if recipe.max_steps else length


def regular_interval(*, items: int, batch: int, every: int | None) -> int:
    """Examples between regular evaluations: `every`, or an eighth of max(subset, 3,200)."""
    return max(batch, every or max(items, FLOOR) // REGULAR)


def evaluation_grid(*, interval: int, batch: int, until: int, early: bool = True) -> tuple[int, ...]:
    """Examples seen at which validation is measured: 0, doublings of four batches, regular points from `interval` on.

    Regular points are `interval` apart up to eight intervals, twice as far apart up to sixteen, and so on. From eight
    intervals on each doubling of the examples has four of them, so that costs are known to the same share of themselves
    and a long schedule is not mostly evaluation. Without `early` there are regular points alone, or none.

    The grid of a longer schedule starts with that of a shorter one, so that arms are compared at equal points.
    """
    regular = _regular(interval, until)
    return (0, *_doublings(FIRST * batch, min(interval, until)), *regular) if early else regular


def _regular(interval: int, until: int) -> tuple[int, ...]:
    grid, point = [], interval
    while point <= until:
        grid.append(point)
        point += interval << (point // (REGULAR * interval)).bit_length()
    return tuple(grid)


def _doublings(first: int, until: int) -> list[int]:
    firsts = []
    while first < until:
        firsts.append(first)
        first *= 2
    return firsts


def due_steps(grid: tuple[int, ...], seen: list[int]) -> dict[int, int]:
    """Step -> grid point: the first step at which that many examples have been seen; the last step is always in.

    Step 0 stands for the start, and is in where the grid holds 0 or there is no step at all.

    Args:
        grid: examples, ascending.
        seen: examples seen after each step, ascending; step k (from 1) is seen[k - 1].
    """
    due = {0: 0} if 0 in grid else {}
    step = 0
    for point in (p for p in grid if p):
        while step < len(seen) and seen[step] < point:
            step += 1
        if step < len(seen):
            due[step + 1] = point
    due.setdefault(len(seen), seen[-1] if seen else 0)
    return due
