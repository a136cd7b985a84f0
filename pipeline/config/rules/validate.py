"""Rules between and within settings, in one place; all violations are reported together."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.config.cell import cell_of
from pipeline.config.checkpoint_interval import pace_of
from pipeline.config.explain import explain_record
from pipeline.config.rules.closed_sets import take_out_wrong_words
from pipeline.config.rules.validate_data import base_rules, data_rules
from pipeline.config.rules.validate_study import is_size, study_rules
from pipeline.config.schema import Config
from pipeline.errors import ConfigError, StorageError, UserError
from pipeline.files import safe_name
from pipeline.methods import METHODS
from pipeline.records import decode

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
SHARES = (
    "arm.recipe.warmup",
    "arm.pretraining.recipe.warmup",
    "train.warmup",
    "arm.recipe.cooldown",
    "train.cooldown",
    "arm.pretraining.recipe.cooldown",
    "train.dropout",
    "arm.lora.dropout",
)


def checked(tree: dict[str, Any], *, trained: bool = False) -> Config:
    """The configuration that `tree`, plain dictionaries, describes.

    Args:
        trained: only finished cells are used, so that base and data need not be named.

    Raises:
        ConfigError: naming every rule that is broken.
    """
    wrong = list(take_out_wrong_words(Config, tree))
    try:
        config = decode(Config, tree, "config")
    except StorageError as error:
        raise ConfigError([*wrong, explain_record(error)]) from error
    wrong += violations(config, trained=trained)
    if wrong:
        raise ConfigError(wrong)
    return config


def violations(config: Config, *, trained: bool = False) -> list[str]:
    """Every rule that `config` breaks, one sentence each; empty where it is sound.

    Args:
        trained: only finished cells are used, so that base and data need not be named.
    """
    rules = (_numbers, _names, _look, _train, _pretraining, _hardware, _servers, study_rules)
    of_sources = () if trained else (base_rules, data_rules)
    return [text for rule in (*rules, *of_sources) for text in rule(config)]


def setting(config: Config, name: str) -> Any:
    """The value of one setting, by its dotted name."""
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    return value


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


def _look(config: Config) -> Iterator[str]:
    for name in ("light", "dark"):
        colour = getattr(config.arm.look, name)
        if colour is not None and not re.fullmatch("#[0-9a-fA-F]{6}", colour):
            yield f"arm.look.{name} must be a colour like #0068a8, but got {colour!r}."


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


def _train(config: Config) -> Iterator[str]:
    if not is_size(config.train.size):
        yield f"train.size must be a number of labels or 'all', but got {config.train.size!r}."
    method = METHODS.get(config.arm.method)
    if method is not None and config.arm.start not in method.starts:
        yield f"arm.method={method.name} needs arm.start={method.starts[0]}, but got {config.arm.start}. {method.why}"
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
    if not is_size(asked.size):
        yield f"arm.pretraining.size must be a number of texts or 'all', but got {asked.size!r}."
    if arm.method != "full":
        yield f"arm.pretraining needs arm.method=full, but got {arm.method!r}: what it learnt would stay as it is."
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
    ports = {"tracking": config.tracking.port, "sweep": config.sweep.port, "serve": config.serve.port}
    for name, port in ports.items():
        if not 1 <= port <= 65535:
            yield f"{name}.port must be from 1 to 65535, but got {port}."
