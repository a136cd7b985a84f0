"""`claims`: the fourteen claims about pretrained models, judged for a task and base or on somebody's own table."""

import shlex
from collections.abc import Iterator, Sequence

from pipeline.commands import study
from pipeline.commands.steps.own_table import given_by, settings_by
from pipeline.config.compose import compose
from pipeline.config.redaction import without_secrets
from pipeline.config.schema import Config
from pipeline.config.search_path import program
from pipeline.config.typed_text import setting_name
from pipeline.errors import ConfigError, UnfitAuditError
from pipeline.records.metrics import MULTIPLIERS, SHARES, higher_is_better
from pipeline.tasks import linear_kind

HELD_OUT = ("task.data.validation_size=128", "task.data.test_size=600")  # of one's own table
NO_SHARE = 0.1  # the smallest effect that matters where the metric is no share, as in language_modelling.yaml


def run(arguments: Sequence[str]) -> int:
    """Run the one study that judges all of them; it ends with a table of fourteen rows."""
    given = given_by(arguments, "claims", required=False)
    own = [*settings_by(given, factor=2, suffix="_claims"), *HELD_OUT] if given.path else []
    overrides = settings_for([*own, *given.overrides])
    print(f"The same as: {program()} study {shlex.join(without_secrets(overrides))}\n", flush=True)
    try:
        return study.run(overrides)
    except UnfitAuditError as error:  # known only once the data have been read with the base's tokenizer
        unfit = {name: claim.audit for name, claim in compose(overrides).study.claims.items() if claim.audit}
        left_out = [name for name, audit in unfit.items() if audit in error.reasons]
        print("\n".join(f"Not judged: {name}. {error.reasons[unfit[name]]}" for name in left_out), flush=True)
        return study.run([*overrides, *(f"~study.claims.{name}" for name in left_out)])


def settings_for(given: Sequence[str]) -> list[str]:
    """The overrides of the study: the preset that fits the kind of task, and what follows from task, base and metric.

    Raises:
        ConfigError: an override is wrong, or chooses another study.
    """
    for override in given:
        if setting_name(override) == "experiments":
            raise ConfigError([f"{override} has no place here: claims brings its own study, experiments/claims.yaml."])
    kind = compose(["experiments=claims", *given]).task.kind
    preset = "experiments=claims" if linear_kind(kind) else "experiments=claims_language"
    usual, config = compose([preset]), compose([preset, *given])
    known = {setting_name(override) for override in given}
    return [preset, *(o for o in _following(usual, config) if setting_name(o) not in known), *given]


def _following(usual: Config, config: Config) -> Iterator[str]:
    """Settings that another task or base than the preset's asks for."""
    other_task, other_base = config.task.name != usual.task.name, config.base.name != usual.base.name
    if other_task or other_base:
        parts = ["claims", *([config.task.name] if other_task else []), *([config.base.name] if other_base else [])]
        yield f"study.name={''.join(c if c.isalnum() else '_' for c in '_'.join(parts))}"
    if other_task:
        yield "study.target=null"  # what is useful on one task is not on another
    metric = config.task.metric
    for name, claim in config.study.claims.items():
        if claim.metric not in MULTIPLIERS and claim.audit is None:  # which have scales of their own
            if not higher_is_better(metric):
                yield f"study.claims.{name}.direction=lower"
            if metric not in SHARES:
                yield f"study.claims.{name}.delta={NO_SHARE}"
