"""Rules between and within settings, in one place; all violations are reported together."""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from pipeline.config.cell import cell_of
from pipeline.config.choices import options
from pipeline.config.pace import pace_of
from pipeline.config.schema import Claim, Config, Data, Study
from pipeline.errors import ConfigError, UserError, nearest
from pipeline.files import safe_name
from pipeline.records.metrics import SHARES as SHARE_METRICS

CHOICES = {
    "base.source": ("package", "hub", "local"),
    "base.test_text_seen": ("known_seen", "known_unseen", "unknown"),
    "task.data.source": ("package", "file", "hub", "local"),
    "arm.start": ("pretrained", "scratch"),
    "arm.trained": ("all", "head", "adapters"),
    "arm.head": ("fresh", "class_means"),
    "arm.recipe.decay": ("linear", "cosine", "constant"),
    "arm.pretraining.objective": ("masked_language_modelling", "causal_language_modelling"),
    "arm.pretraining.recipe.decay": ("linear", "cosine", "constant"),
    "train.decay": ("linear", "cosine", "constant"),
    "train.precision": ("auto", "fp32", "bf16"),
    "train.best_by": ("metric", "loss"),
    "train.keep": ("best", "all", "none"),
    "hardware.accelerator": ("auto", "cpu", "gpu"),
    "hardware.launcher": ("own", "torchrun"),
    "hardware.strategy": ("single", "ddp", "fsdp", "deepspeed"),
    "executor.name": ("local", "ray", "slurm"),
    "tracking.name": ("local", "server", "none"),
}
AT_LEAST_ONE = (
    "train.batch", "hardware.devices", "hardware.micro_batch", "hardware.threads", "executor.workers",
    "train.eval_every", "task.data.validation_size", "task.data.test_size", "study.early_examples", "arm.lora.rank",
    "predict.tokens", "arm.pretraining.batch",
)  # fmt: skip
ABOVE_ZERO = (
    "arm.recipe.lr", "train.lr", "arm.recipe.epochs", "train.epochs", "train.clip", "arm.lora.alpha",
    "executor.timeout_minutes", "hardware.timeout_minutes", "arm.pretraining.recipe.lr",
    "arm.pretraining.recipe.epochs",
)  # fmt: skip
NOT_NEGATIVE = (
    "arm.recipe.weight_decay", "train.weight_decay", "arm.recipe.min_steps", "train.min_steps",
    "arm.recipe.max_steps", "train.max_steps",
    "arm.recipe.patience", "train.patience", "task.out_of_domain_size", "task.split_seed", "train.seed",
    "tuning.trials", "predict.temperature", "predict.seed", "arm.pretraining.seed", "train.samples",
    "arm.pretraining.recipe.weight_decay", "arm.pretraining.recipe.min_steps", "arm.pretraining.recipe.max_steps",
    "arm.pretraining.recipe.patience",
)  # fmt: skip
SHARES = ("arm.recipe.warmup", "arm.pretraining.recipe.warmup", "train.warmup", "train.dropout", "arm.lora.dropout")
ON_ANY_SET = ("score", "generalisation_gap")  # metrics of claims that can be about another set than the test
CLAIM_METRICS = ("score", "label_multiplier", "flops_to_target", "examples_to_target", "early_area",
                 "initial_score", "gain_over_start", "generalisation_gap")  # fmt: skip


def violations(config: Config, *, trained: bool = False) -> list[str]:
    """Every rule that `config` breaks, one sentence each; empty where it is sound.

    Args:
        trained: only finished cells are used, so that base and data need not be named.
    """
    rules = (_choices, _numbers, _names, _train, _pretraining, _hardware, _servers, _study)
    of_sources = () if trained else (_base, _data)
    return [text for rule in (*rules, *of_sources) for text in rule(config)]


def setting(config: Config, name: str) -> Any:
    """The value of one setting, by its dotted name."""
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _choices(config: Config) -> Iterator[str]:
    for name, valid in CHOICES.items():
        value = setting(config, name)
        if value is not None and value not in valid:
            yield f"{name} must be one of its choices, but got {value!r}. {nearest(str(value), valid)}"


def _numbers(config: Config) -> Iterator[str]:
    checks: tuple[tuple[tuple[str, ...], str, Callable[[Any], bool]], ...] = (
        (AT_LEAST_ONE, "at least 1", lambda v: v >= 1),
        (ABOVE_ZERO, "above 0", lambda v: 0 < v < float("inf")),
        (NOT_NEGATIVE, "0 or more", lambda v: 0 <= v < float("inf")),
        (SHARES, "from 0 to below 1", lambda v: 0 <= v < 1),
    )
    for names, rule, holds in checks:
        for name in names:
            value = setting(config, name)
            if value is not None and not holds(value):
                yield f"{name} must be {rule}, but got {value!r}."
    if not 0 < config.predict.top_p <= 1:
        yield f"predict.top_p must be above 0 and at most 1, but got {config.predict.top_p}."
    if config.task.prompt is not None and config.task.prompt.count("{text}") != 1:
        yield f"task.prompt must have {{text}} in it once, where the text is to stand, but got {config.task.prompt!r}."
    if config.task.max_length < 8:
        yield f"task.max_length must be at least 8 tokens, but got {config.task.max_length}."


def _names(config: Config) -> Iterator[str]:
    named = [("arm.name", part) for part in config.arm.name.split("@")]  # ARM@BASE in a study of several bases
    named += [("task.name", config.task.name), ("study.name", config.study.name)]
    named += [("task.out_of_domain", name) for name in config.task.out_of_domain]
    for what, name in named:
        if name or what == "task.out_of_domain":
            try:
                safe_name(name, what)
            except UserError as error:
                yield str(error)


def _base(config: Config) -> Iterator[str]:
    base = config.base
    if base.source == "hub" and not base.name:
        yield "base=hub needs the hub's name of the base: base.name=distilbert/distilbert-base-uncased."
    if base.source == "hub" and base.path and (not base.path.endswith(".gguf") or ".." in PurePath(base.path).parts):
        yield f"base.path of a hub's base must be a GGUF file in it, name.gguf, but got {base.path!r}. Or leave it out."
    if base.source == "local" and not base.path:
        yield "base=local needs a directory: base.path=DIRECTORY."
    if base.source == "package" and (not base.path or not base.package):
        yield "A base with source=package needs base.package (its name and version) and base.path (a folder in it)."
    if ".." in PurePath(base.name).parts or base.name.startswith("/"):
        yield f"base.name must be a name, not a path, but got {base.name!r}. For a directory use base=local base.path=."


def _data(config: Config) -> Iterator[str]:
    for where, data in [("task.data", config.task.data), *_out_of_domain(config)]:
        if not data.path:
            yield f"{where}.path is missing. For your own file: task=classification task.data.path=FILE."
        if data.source == "package" and not data.package:
            yield f"{where}.package is missing: the name and version of the package that carries {data.path!r}."
        if len(data.scale) != 2 or not data.scale[0] < data.scale[1]:
            yield f"{where}.scale must be two numbers, the least and the greatest, but got {list(data.scale)}."
        if not data.separator:
            yield f"{where}.separator must be what stands between labels, such as ;, but it is empty."
        if data.label_pattern is not None and (wrong := _pattern_fault(data.label_pattern)):
            yield (
                f"{where}.label_pattern must be a regular expression of one label, such as #(\\w+), but "
                f"{data.label_pattern!r} {wrong}."
            )
        columns = {name: getattr(data, name) for name in ("text", "second", "label", "score", "labels")}
        for one, other in itertools.combinations(columns, 2):
            if columns[one] and columns[one] == columns[other]:
                yield f"{where}.{one} and {where}.{other} must be two columns, but both are {columns[one]!r}."
    yield from _reversed(config.task.data, _out_of_domain(config))


def _pattern_fault(pattern: str) -> str:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return f"is none: {error}"
    if compiled.fullmatch(""):
        return "fits where nothing stands"
    return f"has {compiled.groups} pairs of parentheses, where one is allowed" if compiled.groups > 1 else ""


def _reversed(trained_on: Data, tested_on: list[tuple[str, Data]]) -> Iterator[str]:
    for where, data in tested_on:
        if data.second and (data.text, data.second) == (trained_on.second, trained_on.text):
            yield (
                f"{where} reads {data.second!r} from {data.text!r}, but task.data the other way round. "
                f"Set {where}.text={data.second} {where}.second={data.text}."
            )


def _out_of_domain(config: Config) -> list[tuple[str, Data]]:
    return [(f"task.out_of_domain.{name}", data) for name, data in config.task.out_of_domain.items()]


def _train(config: Config) -> Iterator[str]:
    if not _is_size(config.train.size):
        yield f"train.size must be a number of labels or 'all', but got {config.train.size!r}."
    if config.arm.start == "scratch" and config.arm.trained != "all":
        yield (
            f"arm.trained={config.arm.trained} needs arm.start=pretrained: "
            "a random network that stays fixed is no baseline."
        )
    if not 0 < config.arm.shrink <= 1:
        yield f"arm.shrink must be above 0 and at most 1, but got {config.arm.shrink}."
    if config.arm.start == "pretrained" and config.arm.shrink != 1:
        yield f"arm.shrink={config.arm.shrink:g} needs arm.start=scratch: the base's weights fit its own size alone."
    if config.arm.head == "class_means" and config.task.data.label is None and config.task.data.path:
        yield f"arm.head=class_means needs classes, but task {config.task.name!r} has no labels. Use arm.head=fresh."
    try:
        pace_of(config.train.checkpoint_every)
    except ConfigError as error:
        yield from error.violations
    recipe = cell_of(config, precision=config.train.precision).recipe
    if 0 < recipe.max_steps < recipe.min_steps:
        yield (
            f"train.max_steps must be at least min_steps ({recipe.min_steps}) or 0 for no limit, "
            f"but got {recipe.max_steps}."
        )


def _pretraining(config: Config) -> Iterator[str]:
    asked, arm = config.arm.pretraining, config.arm
    if asked.objective is None:
        return
    if not _is_size(asked.size):
        yield f"arm.pretraining.size must be a number of texts or 'all', but got {asked.size!r}."
    if arm.trained != "all":
        yield f"arm.pretraining needs arm.trained=all, but got {arm.trained!r}: what it learnt would stay as it is."
    if config.task.data.label is None and config.task.data.path:
        yield (
            f"arm {arm.name!r} is pretrained on the task's own text without its labels, but task {config.task.name!r} "
            "has none. Leave the arm out."
        )
    recipe = asked.recipe
    if 0 < recipe.max_steps < recipe.min_steps:
        yield (
            f"arm.pretraining.recipe.max_steps must be at least min_steps ({recipe.min_steps}) or 0 for no limit, "
            f"but got {recipe.max_steps}."
        )


def _hardware(config: Config) -> Iterator[str]:
    hardware = config.hardware
    if hardware.strategy == "single" and hardware.devices > 1:
        yield f"hardware.devices={hardware.devices} needs hardware.strategy=ddp or another (see hardware=ddp_cpu)."
    if hardware.devices >= 1 and config.train.batch % hardware.devices:
        below = config.train.batch // hardware.devices * hardware.devices
        near = f"{below} or {below + hardware.devices}" if below else str(hardware.devices)
        yield (
            f"train.batch must be divisible by hardware.devices={hardware.devices}, "
            f"but got {config.train.batch}. The nearest: {near}."
        )
    if hardware.compile and hardware.deterministic:
        yield "hardware.compile=true cannot promise the bits of hardware.deterministic=true: leave one of them out."
    if hardware.compile and hardware.strategy == "deepspeed":
        yield "hardware.compile=true does not go with DeepSpeed: leave it out, or use hardware=fsdp."


def _servers(config: Config) -> Iterator[str]:
    if config.tracking.name == "server" and not config.tracking.uri:
        yield "tracking=server needs the server's address: tracking.uri=https://HOST."
    for name, port in (("tracking", config.tracking.port), ("sweep", config.sweep.port)):
        if not 1 <= port <= 65535:
            yield f"{name}.port must be from 1 to 65535, but got {port}."


def _is_size(size: int | str) -> bool:
    return size == "all" or (isinstance(size, int) and size >= 1)


def _study(config: Config) -> Iterator[str]:
    study = config.study
    if not study.name:
        return
    for name, values in (("arms", study.arms), ("sizes", study.sizes), ("seeds", study.seeds)):
        if not values:
            yield f"study.{name} must name at least one, but got none."
        if len(set(values)) < len(values):
            yield f"study.{name} must not repeat itself, but got {list(values)}."
    yield from (
        f"study.sizes must be numbers of labels or 'all', but got {s!r}." for s in study.sizes if not _is_size(s)
    )
    if config.tuning.size is not None and not _is_size(config.tuning.size):
        yield f"tuning.size must be a number of labels, 'all' or null for each size, but got {config.tuning.size!r}."
    yield from (f"study.seeds must be 0 or more, but got {s}." for s in study.seeds if s < 0)
    if config.task.metric in SHARE_METRICS and study.target is not None and not 0 < study.target < 1:
        yield f"study.target must be above 0 and below 1 for {config.task.metric}, but got {study.target}. 60% is 0.6."
    if not 0.5 < study.confidence < 1:
        yield f"study.confidence must be above 0.5 and below 1, but got {study.confidence}."
    unknown = [text for arm in study.arms for text in _arm_of_study(arm)]
    if unknown:  # what claims say of arms would mislead
        yield from unknown
        return
    for key, claim in study.claims.items():
        for text in _claim(claim, study, config):
            yield f"study.claims.{key}: {text} To drop the claim: ~study.claims.{key}."


def _arm_of_study(named: str) -> Iterator[str]:
    """What is wrong with the name of an arm, `ARM` or `ARM@BASE`."""
    arm, at, other = named.partition("@")
    if arm not in options("arm"):
        yield f"study.arms names {named!r}: there is no such arm. {nearest(arm, options('arm'))}"
    if at and other not in options("base"):
        yield f"study.arms names {named!r}: there is no such base. {nearest(other, options('base'))}"


def _claim(claim: Claim, study: Study, config: Config) -> Iterator[str]:
    if claim.metric not in CLAIM_METRICS:
        yield f"metric {claim.metric!r} is unknown. {nearest(claim.metric, CLAIM_METRICS)}"
    if claim.direction not in ("higher", "lower"):
        yield f"direction must be higher or lower, but got {claim.direction!r}."
    if claim.delta <= 0:
        yield f"delta, the smallest effect that matters, must be above 0, but got {claim.delta}."
    for arm in (claim.arm, claim.against):
        if arm not in study.arms:
            yield f"arm {arm!r} is not in study.arms. {nearest(arm, study.arms)}"
    if claim.size not in (*study.sizes, "smallest", "largest"):
        yield f"size {claim.size!r} is not in study.sizes {list(study.sizes)}; smallest and largest are valid too."
    datasets = ("test", *config.task.out_of_domain, *(["train"] if claim.metric == "generalisation_gap" else []))
    if claim.dataset not in datasets and config.task.out_of_domain:  # else the plan leaves the claim out, and says so
        yield f"dataset {claim.dataset!r} is not an evaluation set of the task. {nearest(claim.dataset, datasets)}"
    elif claim.metric not in ON_ANY_SET and claim.dataset in config.task.out_of_domain:
        yield (
            f"metric {claim.metric} is about the task's own sets, but got dataset {claim.dataset!r}. "
            f"Leave dataset out, or use metric {' or '.join(ON_ANY_SET)}."
        )
    if claim.metric.endswith("_to_target") and study.target is None:
        yield "needs study.target, the validation score to reach, stated beforehand."
