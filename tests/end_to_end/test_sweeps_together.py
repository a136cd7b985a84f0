"""The same `sweep` command on two machines with folders of their own, which share one PostgreSQL database."""

from pathlib import Path

import pytest
from command_kit import start
from sweep_kit import record, world

from pipeline.storage.results import ResultStore
from pipeline.tracking.postgresql import cluster, programs
from tests.serving import open_folder

__all__ = ["world"]

pytestmark = [pytest.mark.service, pytest.mark.slow]


def test_two_machines_share_a_sweep_of_exactly_its_total_and_end_with_the_same_best(
    world: list[str], tmp_path: Path
) -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    roots = [tmp_path / "one", tmp_path / "other"]
    with open_folder() as folder, cluster(folder / "postgresql", ["sweeps"]) as databases:
        shared = [*world, f'sweep.storage="{databases.address("sweeps")}"', "sweep.trials=6", "sweep.workers=1"]
        processes = [start("sweep", *shared, f"paths.root={root}") for root in roots]
        said = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    first, second = (record(root)["trials"] for root in roots)
    assert [(t["number"], t["values"]) for t in first] == [(t["number"], t["values"]) for t in second]
    assert [t["state"] for t in first] == ["complete"] * 6
    trained = [set(ResultStore(root).ids()) for root in roots]
    assert all(trained), "each of them took part"
    assert set.union(*trained) == {cell for trial in first for cell in trial["cells"]}
    assert record(roots[0])["best"] == record(roots[1])["best"]
