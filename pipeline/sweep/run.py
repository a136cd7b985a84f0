"""Runs a sweep to its total, together with whoever else works on it."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from pipeline.config.rules.sweeping import PAUSING
from pipeline.config.schema import Config
from pipeline.execution.assignment import Event
from pipeline.execution.choose import executor_of
from pipeline.execution.leftovers import clear_staged
from pipeline.execution.run_context import RunContext
from pipeline.files import is_locked, lock
from pipeline.records import SweepRecord
from pipeline.storage.checkpoints import CheckpointStore
from pipeline.sweep import engines
from pipeline.sweep.pruning_schedule import span
from pipeline.sweep.record import record_of
from pipeline.sweep.search import Search, TrialEnd
from pipeline.sweep.storage import explained
from pipeline.sweep.trial_registry import CELLS, HOLDERS, TrialRegistry
from pipeline.tracking.spool import reconcile

_LOOK_AGAIN = 2.0  # seconds, while only others have trials in progress


def opened(config: Config, context: RunContext, *, name: str, contract: str) -> TrialRegistry:
    """The sweep's registry, new or found again.

    Raises:
        ConfigError: the name belongs to another sweep.
        StorageError: the storage cannot be used.
    """
    first, most = span(config, context)
    pruner = engines.pruner(config.sweep, first=first, most=most)
    return TrialRegistry(config, context.root, name=name, contract=contract, pruner=pruner)


def clear_leftovers(context: RunContext) -> None:
    """Record what killed processes left open as killed, unless another process is at work here."""
    if not any(is_locked(file) for file in (context.root / "locks").glob(HOLDERS)):
        reconcile(context.root, context.study_id)
    clear_staged(context.root)


def run(
    registry: TrialRegistry,
    context: RunContext,
    config: Config,
    *,
    watch: Callable[[Event], None],
    tell: Callable[[TrialEnd], None],
) -> SweepRecord:
    """Run trials until as many are over as the sweep is to have.

    Args:
        watch: told of each cell that starts and ends.
        tell: told of each trial that ends.

    Raises:
        StorageError: the storage was lost; what was finished stays.
    """
    search = Search(registry, context, config, tell)

    def notify(event: Event) -> None:
        search.notify(event)
        watch(event)

    executor = executor_of(config.executor, context.hardware, context.root)
    with lock(registry.lock_file(registry.holder)), explained(config.sweep, context.root), _alive(registry):
        executor.run(search, notify)
        while not registry.over():  # others have the rest; if they die, their trials come back here
            time.sleep(_LOOK_AGAIN)
            executor.run(search, notify)
    registry.lock_file(registry.holder).unlink(missing_ok=True)
    if config.sweep.pruner == PAUSING:
        _clear_paused(registry, context)
    return record_of(registry, config)


def _clear_paused(registry: TrialRegistry, context: RunContext) -> None:
    """Delete where trials have paused for good, but for cells that are in training elsewhere."""
    for name in {name for trial in registry.counted() for name in trial.user_attrs.get(CELLS, ())}:
        if not is_locked(context.store.lock_file(name)):
            CheckpointStore(context.root, name).clear()


@contextlib.contextmanager
def _alive(registry: TrialRegistry) -> Iterator[None]:
    """Give signs of life for the trials held, as long as the block lasts."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(registry.storage.heartbeat_interval):
            with contextlib.suppress(
                SQLAlchemyError, StorageInternalError
            ):  # the next call of the search says what is wrong
                registry.beat()

    thread = threading.Thread(target=beat, daemon=True, name="signs-of-life")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
