"""The table of the fourteen claims from synthetic cells: how contrasts make a row, and what is read off costs."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.config.schema import Base, Claim, Data, Study, Task
from pipeline.language import said
from pipeline.records import AuditResult, CellResult, ClaimRow, ClaimTable, Findings
from pipeline.report.claim_table import claim_table
from pipeline.report.claim_words import chance_text, meaning_text
from pipeline.study.finding.findings import Basis, find
from pipeline.study.looks import looks_of
from pipeline.study.verdicts.claims import NOTHING_BEFORE, Standing
from tests.study.synthetic_cells import SyntheticCell, loader, synthetic_cells

ARMS, SIZES, SEEDS = ("pretrained", "frozen", "scratch"), (100, 400), tuple(range(6))
TRUE = Claim(size=100, delta=0.02)  # 9 points and more
FALSE = Claim(size=100, arm="scratch", against="pretrained", delta=0.02)
OPEN = Claim(arm="frozen", size=400, delta=0.075)


@pytest.fixture(scope="module")
def cells() -> list[SyntheticCell]:
    return measured(synthetic_cells(ARMS, SIZES, SEEDS, 1500, np.random.default_rng(5)))


def measured(cells: Sequence[SyntheticCell], **costs: float) -> list[SyntheticCell]:
    """The cells with these costs, of a processor; a tenth more for each seed."""
    given = {"seconds": 60.0, "peak_memory_bytes": 1e9} | costs
    return [
        (dataclasses.replace(result, measured=_grown(result.measured, 1 + result.key.seed / 10, given)), scores)
        for result, scores in cells
    ]


def _grown(costs, factor: float, given: dict[str, float]):
    return dataclasses.replace(
        costs,
        libraries_bytes=300 << 20,
        seconds=factor * given["seconds"],
        peak_memory_bytes=int(factor * given["peak_memory_bytes"]),
    )


def rows(
    cells: Sequence[SyntheticCell], claims: dict[str, Claim], *, standing: Standing = NOTHING_BEFORE, **more
) -> tuple[ClaimTable, dict[str, ClaimRow]]:
    study = Study(name="s", question="q?", arms=ARMS, sizes=SIZES, seeds=SEEDS, claims=claims, **more)
    basis = Basis(
        study=study,
        base=Base(name="minilm"),
        task=Task(name="sentiment"),
        from_scratch=("scratch",),
        standing=standing,
    )
    found = claim_table(basis, [result for result, _ in cells], loader(cells), findings_of(basis, cells))
    assert found is not None
    return found, {row.claim: row for row in found.rows}


def findings_of(basis: Basis, cells: Sequence[SyntheticCell]) -> Findings:
    return find(basis, [result for result, _ in cells], loader(cells))


def of(family: str, *claims: Claim) -> dict[str, Claim]:
    return {f"{family}{i}": dataclasses.replace(claim, family=family) for i, claim in enumerate(claims)}


@pytest.mark.parametrize(
    ("contrasts", "verdict", "decisive"),
    [
        ((TRUE,), "supported", 0),
        ((FALSE,), "refuted", 0),
        ((OPEN,), "inconclusive", 0),
        ((TRUE, OPEN), "inconclusive", 1),
        ((OPEN, FALSE, TRUE), "refuted", 1),
        ((TRUE, TRUE), "supported", 0),
    ],
    ids=["true", "false", "open", "one open", "one false", "both true"],
)
def test_all_contrasts_of_a_row_must_hold(cells, contrasts: tuple[Claim, ...], verdict: str, decisive: int) -> None:
    claims = of("storage", *contrasts)
    found, by_name = rows(cells, claims)
    row = by_name["storage"]
    assert row.verdict == verdict
    assert row.claims == tuple(claims)
    level = 1 - 0.05 / len(contrasts)
    assert row.estimate is not None
    assert row.estimate.level == pytest.approx(level)
    wanted = contrasts[decisive]
    assert (row.estimate.value > 0) == (wanted is not FALSE)
    assert found.judged == 2, "and infrastructure"


def test_the_level_of_a_row_does_not_depend_on_other_rows(cells) -> None:
    few, many = of("storage", TRUE), of("storage", TRUE) | of("bias", OPEN, TRUE) | of("less_data", TRUE)
    one, other = rows(cells, few)[1]["storage"], rows(cells, many)[1]["storage"]
    assert one == other
    found, _ = rows(cells, many)
    assert found.wrong_by_chance == pytest.approx(0.05 * 4)
    assert "up to 0.2 of 4 verdicts may be wrong by chance on average" in chance_text(found)
    together, by_name = rows(cells, many, family="all")
    estimate = by_name["storage"].estimate
    assert estimate is not None
    assert estimate.level == pytest.approx(1 - 0.05 / 4)
    assert together.wrong_by_chance == pytest.approx(0.05)
    assert "the chance that any of their verdicts is wrong is 5% at most" in chance_text(together)


def test_a_supported_drawback_is_called_real(cells) -> None:
    _, drawback = rows(cells, of("fine_tuning", TRUE))
    _, advantage = rows(cells, of("less_data", FALSE))
    assert meaning_text(drawback["fine_tuning"]) == "the drawback is real here"
    assert meaning_text(advantage["less_data"]) == "smaller here than what would matter"


@pytest.mark.parametrize(
    ("costs", "verdict"),
    [
        ({}, "inconclusive"),
        ({"seconds": 900.0}, "supported"),
        ({"peak_memory_bytes": 8e9}, "supported"),
        ({"seconds": 480.0}, "inconclusive"),
    ],
    ids=["small", "too long", "too large", "about as long"],
)
def test_infrastructure_is_time_or_memory_beyond_an_ordinary_machine(cells, costs: dict, verdict: str) -> None:
    _, by_name = rows(measured(cells, **costs), of("storage", TRUE))
    row = by_name["infrastructure"]
    assert row.verdict == verdict
    assert row.estimate is not None
    assert row.estimate.level == pytest.approx(1 - 0.05 / 2)


@pytest.mark.parametrize(
    ("milliseconds", "verdict", "number"),
    [(5.0, "refuted", "of the memory"), (400.0, "supported", "of the time for an answer"), (88.0, "inconclusive", "")],
    ids=["at once", "slow", "about a tenth of a second"],
)
def test_so_are_slow_answers_where_they_were_timed(cells, milliseconds: float, verdict: str, number: str) -> None:
    timed = [(answering(result, milliseconds), scores) for result, scores in cells]
    _, by_name = rows(timed, of("storage", TRUE), target=0.5)
    row = by_name["infrastructure"]
    assert row.verdict == verdict
    assert row.estimate is not None
    assert row.estimate.level == pytest.approx(1 - 0.05 / 3)
    assert number in row.number
    assert "ms of 100 ms" in row.measured
    assert by_name["democratisation"].verdict == "supported", "which is about training alone"


def test_a_target_that_was_changed_after_looking_is_in_the_row_that_reads_it(cells) -> None:
    standing = Standing(costs_after_looking={"democratisation": (said("target was 0.9, is 0.5"),)})
    _, by_name = rows(cells, of("storage", TRUE), target=0.5, standing=standing)
    assert by_name["democratisation"].measured.endswith("After looking: target was 0.9, is 0.5.")
    assert "After looking" not in by_name["infrastructure"].measured


def test_skewed_seeds_and_failures_may_undo_that_a_score_is_useful(cells) -> None:
    """A target just below the interval's lower end holds without room for either, and is withheld with it."""
    _, by_name = rows(cells, of("storage", TRUE), target=0.5)
    low = by_name["democratisation"].estimate
    assert low is not None
    assert by_name["democratisation"].verdict == "supported"
    _, near = rows(cells, of("storage", TRUE), target=low.low - 0.0005)
    assert near["democratisation"].verdict == "inconclusive"


def test_answers_that_were_timed_in_some_cells_only_do_not_count(cells) -> None:
    timed = [(answering(r, 400.0) if r.key.seed else r, scores) for r, scores in cells]
    _, by_name = rows(timed, of("storage", TRUE))
    assert by_name["infrastructure"].verdict == "inconclusive", "a claim of one thing or another is not refuted by one"
    assert "not measured (study.audits=[latency])" in by_name["infrastructure"].measured
    assert "study.audits=[latency], in every cell" in by_name["infrastructure"].would_change


def answering(result: CellResult, milliseconds: float) -> CellResult:
    """The cell with 95% of its answers within this time, a tenth more for each seed."""
    p95 = milliseconds * (1 + result.key.seed / 10)
    audit = AuditResult(
        audit="latency", version=1, items=9, columns=(), numbers={"p95_milliseconds": p95}, evaluation_id="a"
    )
    return dataclasses.replace(result, audits=(audit,))


@pytest.mark.parametrize(
    ("target", "costs", "verdict"),
    [
        (0.5, {}, "supported"),
        (0.99, {}, "refuted"),
        (0.5, {"seconds": 900.0}, "refuted"),
        (None, {}, "not_judged"),
    ],
    ids=["useful", "not good enough", "good and too long", "no target"],
)
def test_democratisation_is_a_useful_score_within_these_limits(
    cells, target: float | None, costs: dict, verdict: str
) -> None:
    _, by_name = rows(measured(cells, **costs), of("storage", TRUE), target=target)
    assert by_name["democratisation"].verdict == verdict


def test_looks_share_the_error_of_rows_on_costs_and_the_first_that_settles_decides(cells) -> None:
    looks = {"looks": (3, 6), "spend": (0.4, 0.6)}
    _, by_name = rows(measured(cells, seconds=90_000.0), of("storage", TRUE), **looks)
    row = by_name["infrastructure"]
    assert row.estimate is not None
    assert (row.verdict, row.estimate.seeds) == ("supported", 3)
    assert row.estimate.level == pytest.approx(1 - 0.05 / 2 * 0.4)
    study = Study(seeds=SEEDS, claims=of("storage", TRUE), **looks)
    assert row.estimate.level == pytest.approx(1 - (1 - looks_of(study)[0].level) / 2)


def test_cells_of_a_gpu_say_nothing_of_a_machine_without_one(cells) -> None:
    gpu = [(dataclasses.replace(r, measured=dataclasses.replace(r.measured, libraries_bytes=0)), s) for r, s in cells]
    _, by_name = rows(gpu, of("storage", TRUE))
    assert by_name["infrastructure"].verdict == "not_judged"
    assert "hardware=cpu" in by_name["infrastructure"].would_change


def test_before_the_first_look_rows_name_what_it_takes(cells) -> None:
    few = [cell for cell in cells if cell[0].key.seed < 2]
    found, by_name = rows(few, of("storage", TRUE), budget="3min", target=0.5)
    for name in ("storage", "infrastructure", "democratisation"):
        assert by_name[name].verdict == "not_judged"
        assert by_name[name].would_change.startswith("A larger study.budget than 3min")
    assert chance_text(found) == "None of 14 rows is judged yet."
    _, unlimited = rows(few, of("storage", TRUE))
    assert unlimited["infrastructure"].would_change.startswith("Run the study again")


def test_a_row_without_a_claim_says_why_and_which_command_would_judge_it(cells) -> None:
    _, by_name = rows(cells, of("storage", TRUE))
    assert "another language" in by_name["transfer"].measured
    assert "headstart claims task=intents" in by_name["transfer"].would_change
    assert "pretrained@distilbert" in by_name["obsolescence"].would_change
    assert "audit: memorisation" in by_name["misuse"].would_change
    assert "its audit was left out" in by_name["bias"].measured.lower()


def test_where_texts_have_times_the_command_judges_their_decay(cells) -> None:
    study = Study(name="s", question="q?", arms=ARMS, sizes=SIZES, seeds=SEEDS, claims=of("storage", TRUE))
    task = Task(name="sentiment", data=Data(time="day"))
    basis = Basis(study=study, base=Base(name="minilm"), task=task, from_scratch=("scratch",))
    found = claim_table(basis, [result for result, _ in cells], loader(cells), findings_of(basis, cells))
    assert found is not None
    (row,) = (row for row in found.rows if row.claim == "obsolescence")
    assert "audit: decay, against: best_from_scratch" in row.would_change


def test_other_studies_have_no_such_table(cells) -> None:
    study = Study(name="s", question="q?", arms=ARMS, sizes=SIZES, seeds=SEEDS, claims={"clear": TRUE})
    basis = Basis(study=study, base=Base(), task=Task(data=Data()), from_scratch=("scratch",))
    assert claim_table(basis, [result for result, _ in cells], loader(cells), findings_of(basis, cells)) is None
