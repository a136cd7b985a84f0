"""The fourteen claims that are made about pretrained models, and why one of them may not be judged on a task.

A study judges one of them by its claims whose `family` has that name. Two are read off measured costs instead
(`finding/ordinary_machine.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.audits import AUDITS
from pipeline.config.claim_sets import Role, set_by_role
from pipeline.config.schema import Study
from pipeline.language import said
from pipeline.records import ClaimName, Side
from pipeline.study.finding.basis import Basis
from pipeline.study.finding.ordinary_machine import GIGABYTES, MILLISECONDS, MINUTES
from pipeline.tasks import kind

_ORDINARY = f"an ordinary machine ({MINUTES} minutes and {GIGABYTES} GB of memory for a training, no GPU)"
_NEWER = (
    "headstart claims 'study.arms=[pretrained,frozen,lora,bag_of_words,scratch,pretrained@distilbert]' "
    "'+study.claims.newer={family: obsolescence, arm: pretrained@distilbert, against: pretrained}'"
)
_DECAY = (
    "headstart claims '+study.claims.decay={family: obsolescence, metric: audit, audit: decay, against: "
    "best_from_scratch}'"
)
_REVEALS = (
    "headstart claims '+study.claims.reveals={family: misuse, metric: audit, audit: memorisation, against: scratch, "
    "delta: 0.02}'"
)


@dataclass(frozen=True, kw_only=True)
class Unjudged:
    """Why a claim is not judged in a study, and the command that would judge it; empty where there is none yet."""

    why: str
    command: str


@dataclass(frozen=True, kw_only=True)
class PretrainedClaim:
    """One of the fourteen.

    Args:
        title: two or three words.
        statement: what is claimed.
        section: the section of the report with its numbers.
        turns: what could turn a settled verdict.
        unjudged: of a study that has no claim on it, why not.
    """

    name: ClaimName
    side: Side
    title: str
    statement: str
    section: str
    turns: str
    unjudged: Callable[[Basis], Unjudged]


def is_one_of_fourteen(study: Study) -> bool:
    """Whether the study judges any of them."""
    return any(claim.family in NAMES for claim in study.claims.values())


def _left_out(basis: Basis) -> Unjudged:
    lacking = [arm for arm in ("frozen", "lora", "bag_of_words", "scratch") if arm not in basis.study.arms]
    arms = said("study.arms lacks {arms}", arms=", ".join(lacking)) if lacking else said("its claim was left out")
    return Unjudged(why=said("The study does not ask for it: {what}.", what=arms), command="headstart claims")


def _without_set(role: Role, why: str, command: str) -> Callable[[Basis], Unjudged]:
    def unjudged(basis: Basis) -> Unjudged:
        return _left_out(basis) if set_by_role(role, basis.task) else Unjudged(why=why, command=command)

    return unjudged


def _audited(name: str) -> Callable[[Basis], Unjudged]:
    def unjudged(basis: Basis) -> Unjudged:
        unable = AUDITS[name].unable(kind(basis.task.kind))
        unfit = "Its audit was left out: it does not read the language of these texts, or the base does not."
        return Unjudged(why=unable or unfit, command="headstart claims")

    return unjudged


def _not_aged(basis: Basis) -> Unjudged:
    why = "The study has no second base to compare with."
    return Unjudged(why=why, command=_DECAY if basis.task.data.time else _NEWER)


def _stated(why: str, command: str) -> Callable[[Basis], Unjudged]:
    return lambda basis: Unjudged(why=why, command=command)


def _without_target(basis: Basis) -> Unjudged:
    if basis.study.target is not None:
        return _on_gpu(basis)
    why = "The study names no score from which the model is useful (study.target)."
    return Unjudged(why=why, command=f"headstart claims task={basis.task.name} study.target=SCORE")


def _on_gpu(basis: Basis) -> Unjudged:
    why = "It was trained on a GPU, or its memory is not known, which says nothing of a machine without one."
    return Unjudged(why=why, command="headstart claims hardware=cpu")


FOURTEEN: tuple[PretrainedClaim, ...] = (
    PretrainedClaim(
        name="less_compute",
        side="advantage",
        title="Less compute",
        statement="It reaches the same score with half the training computation.",
        section="costs",
        turns="More labels, or a shorter recipe for scratch. The base's own pretraining is not counted.",
        unjudged=_left_out,
    ),
    PretrainedClaim(
        name="less_data",
        side="advantage",
        title="Less data",
        statement="It needs half the labels, or fewer.",
        section="multipliers",
        turns="More labels: the difference shrinks where labels are many (study.sizes).",
        unjudged=_left_out,
    ),
    PretrainedClaim(
        name="generalisation",
        side="advantage",
        title="Better generalisation",
        statement="It is more accurate on texts from another source.",
        section="out-of-domain",
        turns="Another source: a set nearer to the training texts, or farther from them.",
        unjudged=_without_set(
            "other_domain",
            "The task has no test set from another source in its own language.",
            "headstart claims task=sentiment",
        ),
    ),
    PretrainedClaim(
        name="development",
        side="advantage",
        title="Faster development",
        statement="It is more accurate early in training, averaged over the examples that all arms see.",
        section="early",
        turns="Tuned recipes for every arm (tuning.trials=20): the time that people spend is not measured.",
        unjudged=_left_out,
    ),
    PretrainedClaim(
        name="initial_accuracy",
        side="advantage",
        title="Better initial accuracy",
        statement="It is more accurate before any of its own weights are trained.",
        section="scores",
        turns="More labels, which serve training from scratch more than a linear probe.",
        unjudged=_left_out,
    ),
    PretrainedClaim(
        name="transfer",
        side="advantage",
        title="Easier transfer",
        statement="What it learns in one language makes it more accurate in another.",
        section="out-of-domain",
        turns="A base for both languages (base=multilingual_e5, from the hub), or another pair of languages.",
        unjudged=_without_set(
            "other_language", "The task has no test set in another language.", "headstart claims task=intents"
        ),
    ),
    PretrainedClaim(
        name="democratisation",
        side="advantage",
        title="Democratisation",
        statement=f"It reaches a useful score on {_ORDINARY}.",
        section="costs",
        turns="A larger base, more labels, longer texts, or another score that counts as useful (study.target).",
        unjudged=_without_target,
    ),
    PretrainedClaim(
        name="infrastructure",
        side="drawback",
        title="Advanced infrastructure",
        statement=f"It takes more than {_ORDINARY}, or longer than {MILLISECONDS} ms for an answer there.",
        section="costs",
        turns="A larger base, more labels or longer texts.",
        unjudged=_on_gpu,
    ),
    PretrainedClaim(
        name="bias",
        side="drawback",
        title="Bias",
        statement="It treats texts differently by the people they mention.",
        section="audits",
        turns="Other groups, names or templates, or another base.",
        unjudged=_audited("bias"),
    ),
    PretrainedClaim(
        name="opacity",
        side="drawback",
        title="Opacity",
        statement="What its answers rest on cannot be shown as well as for a linear model of words.",
        section="audits",
        turns="Another attribution method, or another base.",
        unjudged=_audited("opacity"),
    ),
    PretrainedClaim(
        name="fine_tuning",
        side="drawback",
        title="Need for fine-tuning",
        statement="It must be fine-tuned: a linear probe of it is less accurate.",
        section="scores",
        turns="Another number of labels: fine-tuning gains more where labels are many.",
        unjudged=_left_out,
    ),
    PretrainedClaim(
        name="storage",
        side="drawback",
        title="Storage",
        statement="Each task needs a copy of all weights: small adapters are less accurate.",
        section="costs",
        turns="Another rank of the adapters (arm.lora.rank), or more labels.",
        unjudged=_left_out,
    ),
    PretrainedClaim(
        name="obsolescence",
        side="drawback",
        title="Obsolescence",
        statement="It is out of date, measured against a newer base or on later texts.",
        section="scores",
        turns="Another challenger, or later texts: their dates are read with task.data.time=COLUMN.",
        unjudged=_not_aged,
    ),
    PretrainedClaim(
        name="misuse",
        side="drawback",
        title="Misuse",
        statement="It can be misused: it writes what deceives, or reveals the texts it was trained on.",
        section="audits",
        turns="More labels, or fewer steps: what is read less often is remembered less.",
        unjudged=_stated(
            "The study does not ask what it reveals of its training texts. What it writes is not audited.", _REVEALS
        ),
    ),
)
NAMES = frozenset(claim.name for claim in FOURTEEN)
