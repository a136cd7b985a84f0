"""Rules between a study's claims, its task and the ways its arms are trained, told before anything is planned."""

import dataclasses
from collections.abc import Mapping, Sequence

from pipeline.audits import AUDITS
from pipeline.config.schema import Claim, Config, Study
from pipeline.errors import ConfigError, nearest
from pipeline.methods import METHODS
from pipeline.models.checkpoints.locate import Located
from pipeline.records import BEST_FROM_SCRATCH
from pipeline.tasks import LINEAR, kind, kind_of, linear_kind, unsolvable


def unjudged_because(overrides: Sequence[str], config: Config, key: str, claim: Claim, rivals: Sequence[str]) -> str:
    """Why a claim is left out: of a preset, what it needs is not there in this study. Empty where it is judged."""
    if claim.dataset == "other_language":
        return "The task has no test set in another language (task.out_of_domain.NAME.language)."
    if not _has_set(config, claim):
        return "The task has no other domain (task.out_of_domain) to test it on."
    if claim.audit and (why := AUDITS[claim.audit].unable(kind_of(config.task))):
        return f"The audit {claim.audit} cannot examine this task: {why}"
    own = any(f"study.claims.{key}." in o or o.startswith("study.claims=") for o in overrides)
    fewer = any(o.startswith("study.arms=") for o in overrides)
    if claim.against == BEST_FROM_SCRATCH and len(rivals) < 2 and fewer and not own:
        return f"study.arms has {len(rivals)} of the arms that start from scratch, and the best of them needs two."
    return ""


def _has_set(config: Config, claim: Claim) -> bool:
    """Whether the task has the set that the claim is about; a gap may be that between training and test."""
    of_training = claim.dataset == "train" and claim.metric == "generalisation_gap"
    return of_training or claim.dataset in ("test", *config.task.out_of_domain)


def require_audits(config: Config) -> None:
    """That there are the audits that claims name, and that they examine the sets of these claims."""
    claims = config.study.claims.items()
    wrong = [
        f"study.claims.{key}.audit must name an audit, but got {claim.audit!r}. {nearest(claim.audit, AUDITS)}"
        for key, claim in claims
        if claim.audit and claim.audit not in AUDITS
    ]
    others = [n for n in kind_of(config.task).metrics if AUDITS[n].measure.of == "every_set"]
    wrong += [
        f"study.claims.{key}.dataset must be test for the audit {claim.audit}, which examines no other set, but got "
        f"{claim.dataset!r}. Leave dataset out, or use an audit that examines every set: {', '.join(others)}."
        for key, claim in claims
        if claim.audit in AUDITS and claim.dataset != "test" and AUDITS[claim.audit].measure.of != "every_set"
    ]
    if wrong:
        raise ConfigError(wrong)


def require_rivals(study: Study, from_scratch: Sequence[str]) -> None:
    """That there is a choice where a claim is against the best from scratch."""
    asking = [key for key, claim in study.claims.items() if claim.against == BEST_FROM_SCRATCH]
    if not asking or len(from_scratch) > 1:
        return
    there = f"study.arms=[{','.join(study.arms)}] has {len(from_scratch)} ({', '.join(from_scratch) or 'none'})"
    raise ConfigError(
        [
            f"study.claims.{key}: {BEST_FROM_SCRATCH} must be chosen from at least two arms that start from scratch, "
            f"but {there}. Add one, for example scratch_small, or name one arm: study.claims.{key}.against=scratch."
            for key in asking
        ]
    )


def require_solvable(config: Config, arms: Sequence[Config]) -> None:
    """Refuse arms that are solved, or start with a head that is, where the task's kind poses no such problem."""
    if kind(config.task.kind).linear is not None:
        return
    wordwise = linear_kind(config.task.kind) is not None
    solved = [a for a in arms if METHODS[a.arm.method].solved and not (wordwise and _reads_words(a))]
    wrong = [unsolvable(a.arm.name, a.arm.method, config.task.kind) for a in solved]
    wrong += [
        f"arm.head={a.arm.head} needs a network that ends in a linear layer on one vector a text, which "
        f"{config.task.kind} has not. It serves {', '.join(LINEAR)}. Use arm.head=fresh."
        for a in arms
        if a.arm.head == "class_means"
    ]
    if wrong:
        raise ConfigError(wrong)


def _reads_words(arm: Config) -> bool:
    return METHODS[arm.arm.method].reads == "words"


def require_ways(study: Study, arms: Sequence[Config]) -> None:
    """That claims on how a score rises with training are about arms that are trained in steps.

    Raises:
        ConfigError: naming each claim and the arm that is solved.
    """
    solved = {arm.arm.name for arm in arms if METHODS[arm.arm.method].solved}
    wrong = [
        f"study.claims.{key}: early_area reads how a score rises while an arm is trained, but {name!r} is solved: "
        "it has a start and an end, and nothing between. Use metric score, or name another arm."
        for key, claim in study.claims.items()
        for name in (claim.arm, claim.against)
        if claim.metric == "early_area" and name in solved
    ]
    if wrong:
        raise ConfigError(wrong)


def settled(config: Config, located: Located) -> Config:
    """With what the base declares of its reading; for kinds that read it in their own way, with nothing of it.

    There a head is none that could be solved before the first step.
    """
    if kind(config.task.kind).linear is not None:
        return dataclasses.replace(config, base=located.settled(config.base))
    head = "fresh" if config.arm.head == "probe" else config.arm.head
    base = dataclasses.replace(config.base, pooling="auto", prefix=None)
    return dataclasses.replace(config, base=base, arm=dataclasses.replace(config.arm, head=head))


def kinds_wanted(config: Config, arms: Sequence[Config]) -> list[str]:
    """What bases are wanted for: the task's kind, and what arms begin with."""
    objectives = [arm.arm.pretraining.objective for arm in arms]
    return list(dict.fromkeys([config.task.kind, *(each for each in objectives if each)]))


def require_comparable(config: Config, located: Located, others: Mapping[str, Located]) -> None:
    """Refuse a metric that counts tokens where bases cut texts into others.

    Raises:
        ConfigError: naming the metric and a base.
    """
    task = kind_of(config.task)
    unlike = [name for name, other in others.items() if other.tokenizer != located.tokenizer]
    if unlike and config.task.metric in task.of_tokens:
        rest = [name for name in task.metrics if name not in task.of_tokens]
        instead = f"Use task.metric={rest[0]}." if rest else "Compare bases that share their tokenizer."
        raise ConfigError(
            [f"task.metric={config.task.metric} counts tokens, and {unlike[0]} cuts texts into others than "
             f"{config.base.name}: their values cannot be compared. {instead}"]
        )  # fmt: skip
