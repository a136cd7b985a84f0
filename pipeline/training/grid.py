"""When a training is evaluated and how long it lasts. The grid depends on the train subset alone, never on the arm."""

from pipeline.config.schema import Recipe

FLOOR = 3200  # examples: the smallest horizon over which regular evaluations are spread
REGULAR = 8  # regular evaluations over max(subset, FLOOR) examples


def horizon(recipe: Recipe, *, items: int, batch: int) -> int:
    """Training examples of the whole schedule: the epochs, within the recipe's least and greatest number of steps."""
    step = min(batch, items)
    length = max(round(recipe.epochs * items), recipe.min_steps * step)
    return min(length, recipe.max_steps * step) if recipe.max_steps else length


def regular_interval(*, items: int, batch: int, every: int | None) -> int:
    """Examples between regular evaluations: `every`, or an eighth of max(subset, 3,200)."""
    return max(batch, every or max(items, FLOOR) // REGULAR)


def evaluation_grid(*, interval: int, batch: int, until: int) -> tuple[int, ...]:
    """Examples seen at which validation is measured: 0, doublings of the batch below the interval, multiples of it.

    The grid of a longer schedule starts with that of a shorter one, so that arms are compared at equal points.
    """
    points = {0, *range(interval, until + 1, interval)}
    early = batch
    while early < min(interval, until):
        points.add(early)
        early *= 2
    return tuple(sorted(points))


def due_steps(grid: tuple[int, ...], seen: list[int]) -> dict[int, int]:
    """Step -> grid point: the first step at which that many examples have been seen; the last step is always in.

    Args:
        grid: examples, ascending.
        seen: examples seen after each step, ascending; step k (from 1) is seen[k - 1].
    """
    due = {0: 0}
    step = 0
    for point in grid[1:]:
        while step < len(seen) and seen[step] < point:
            step += 1
        if step < len(seen):
            due[step + 1] = point
    due.setdefault(len(seen), seen[-1] if seen else 0)
    return due
