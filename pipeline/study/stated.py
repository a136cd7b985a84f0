"""What a study set out to judge, written to `stated.json` before its first cell, and what was changed since."""

import dataclasses
import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.config.identity import RESULT_VERSION
from pipeline.config.schema import Claim, Study
from pipeline.files import write_text
from pipeline.language import Sentence, Value, listed, said, set_name
from pipeline.records import encode, from_json, to_json
from pipeline.study.looks import Group, extends, family_of, groups_read, looks_of, plain_looks
from pipeline.study.plan import Plan

FILE = "stated.json"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What a study is to judge, on what. `cells` are those of its first seed, by arm and size: their identity holds
    every other setting, and whether one is finished tells whether results have been seen.
    """

    study: Study
    task: str
    metric: str
    data: str  # fingerprint
    version: int  # of results
    from_scratch: tuple[str, ...]
    cells: dict[str, str]
    evaluated: dict[str, str] = field(default_factory=dict)  # fingerprints of sets that are only evaluated, by name


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of the statement: when, whether results had been seen by then, what, and how it stood before."""

    at: str
    after_looking: bool
    what: tuple[Sentence, ...]
    before: Statement


@dataclass(frozen=True, kw_only=True)
class Stated:
    """`first` stood when results were first seen, or stands now if none were; `now` is the statement in force.

    `finished_before` counts the cells that were finished before the study was stated, for another one for example.
    """

    first: Statement
    now: Statement
    finished_before: int
    history: tuple[Change, ...] = ()

    def after_looking(self) -> dict[str, tuple[Sentence, ...]]:
        """By claim, what its verdict rests on that was changed after results had been seen."""
        changes = list(differences(self.first, self.now))
        texts_of = {name: tuple(c.text for c in changes if name in c.claims) for name in self.now.study.claims}
        return {name: texts for name, texts in texts_of.items() if texts}

    def costs_after_looking(self, *, target: bool) -> tuple[Sentence, ...]:
        """The same of what no claim states: what is read off the costs of all cells, and maybe the study's target."""
        everything = frozenset(self.now.study.claims)
        changes = differences(self.first, self.now)
        return tuple(c.text for c in changes if (target and c.target) or (everything and c.claims == everything))

    def notes(self) -> tuple[Sentence, ...]:
        """What readers of the findings must know of all this."""
        before = said(
            "{cells} of its cells were finished before the study was stated: nothing shows that its claims were chosen "
            "without their results.",
            cells=self.finished_before,
        )
        late = dict.fromkeys(text for change in self.history if change.after_looking for text in change.what)
        changed = said("The study was changed after results had been seen: {changes}.", changes=listed(late, "; "))
        return (*([changed] if late else []), *([before] if self.finished_before else []))


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference between two statements, the claims whose verdicts rest on what differs, and whether it is the
    target.
    """

    text: Sentence
    claims: frozenset[str]
    target: bool = False


def stated(plan: Plan) -> tuple[Stated, Change | None]:
    """What the study of `plan` states, and what `plan` changes of what it stated before; nothing is written."""
    path, now = plan.folder / FILE, _statement(plan)
    if not path.is_file():
        return Stated(first=now, now=now, finished_before=sum(map(plan.store.has, plan.cells))), None
    before = from_json(Stated, path.read_text(encoding="utf-8"), str(path))
    what = tuple(each.text for each in differences(before.now, now))
    if not what:
        return dataclasses.replace(before, now=now), None
    seen = _seen(plan, before)
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    change = Change(at=at, after_looking=seen, what=what, before=before.now)
    first = _first(before, now) if seen else now
    return dataclasses.replace(before, first=first, now=now, history=(*before.history, change)), change


def _first(before: Stated, now: Statement) -> Statement:
    """What stood when results were first seen, with the looks that its reserve has paid for since."""
    if not extends(now.study, before.now.study):
        return before.first
    looks = {name: getattr(now.study, name) for name in ("seeds", "looks", "spend", "reserve")}
    return dataclasses.replace(before.first, study=dataclasses.replace(before.first.study, **looks))


def state(plan: Plan) -> tuple[Stated, Change | None]:
    """The same, written to `stated.json`; to be called before a cell is trained or a finding made."""
    now, change = stated(plan)
    path, text = plan.folder / FILE, to_json(now)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
    return now, change


def differences(before: Statement, now: Statement) -> Iterator[Difference]:
    """What differs between two statements of one study, wording aside.

    Another version of the pipeline is named but concerns no claim: it was not chosen by what was seen.
    """
    everything = frozenset(now.study.claims)
    yield from _claims(before.study, now.study)
    if extends(now.study, before.study):
        yield Difference(text=_extension(before.study, now.study), claims=frozenset())
    for text in _shared(before, now):
        yield Difference(text=text, claims=everything)
    if before.study.target != now.study.target:
        text = _was("target", before.study.target, now.study.target)
        yield Difference(text=text, claims=frozenset(), target=True)
    for name in ("arms", "sizes"):
        then, here = getattr(before.study, name), getattr(now.study, name)
        if then != here:
            text = said("{what} were {then}, are {now}", what=said(name), then=_list(then), now=_list(here))
            yield Difference(text=text, claims=_read_otherwise(before, now))
    for name, content in now.evaluated.items():
        if before.evaluated.get(name, content) != content:
            on_it = frozenset(n for n, claim in now.study.claims.items() if claim.dataset == name)
            yield Difference(text=said("the rows of {set} are others", set=set_name(name)), claims=on_it)
    yield from _settings(before, now)


def _statement(plan: Plan) -> Statement:
    study = plan.config.study
    return Statement(
        study=study,
        task=plan.config.task.name,
        metric=plan.config.task.metric,
        data=plan.data_fingerprint,
        version=RESULT_VERSION,
        from_scratch=plan.from_scratch,
        cells={cell.key.label: name for name, cell in plan.cells.items() if cell.train.seed == study.seeds[0]},
        evaluated=plan.evaluated,
    )


def _seen(plan: Plan, before: Stated) -> bool:
    """Whether anybody can have seen a result: one was found, or a cell is finished."""
    if any(plan.store.has(name) for name in before.now.cells.values()):
        return True
    path = plan.folder / "findings.json"
    return path.is_file() and bool(json.loads(path.read_text(encoding="utf-8")).get("cells"))


def _claims(before: Study, now: Study) -> Iterator[Difference]:
    for name in before.claims.keys() - now.claims.keys():
        others = frozenset(family_of(before, name)) & now.claims.keys()
        share = said(", so that the others share more of the error") if others else ""
        yield Difference(text=said("claim {name} was dropped{share}", name=name, share=share), claims=others)
    for name, claim in now.claims.items():
        if name not in before.claims:
            yield Difference(text=said("claim {name} was added", name=name), claims=frozenset({name}))
            continue
        then, here = _fields(before.claims[name]), _fields(claim)
        for setting in here:
            if then[setting] != here[setting]:
                text = said(
                    "{setting} of claim {name} was {then}, is {now}",
                    setting=setting,
                    name=name,
                    then=_plain(then[setting]),
                    now=_plain(here[setting]),
                )
                members = family_of(before, name) + family_of(now, name) if setting == "family" else (name,)
                yield Difference(text=text, claims=frozenset(members) & now.claims.keys())


def _fields(claim: Claim) -> dict[str, object]:
    return {name: "none" if value == "" else value for name, value in encode(claim).items() if name != "statement"}


def _extension(before: Study, now: Study) -> Sentence:
    (then, spent), (counts, spend) = plain_looks(before), plain_looks(now)
    return said(
        "looks were {then}, are {now}: {share:g} of the reserve is spent",
        then=_list(then),
        now=_list(counts),
        share=sum(spend) - sum(spent),
    )


def _shared(before: Statement, now: Statement) -> Iterator[Sentence]:
    """What differs of that which every verdict rests on; looks that the reserve pays for change no verdict's error."""
    then, here = (
        {
            "looks": _list(plain_looks(s.study)[0]),
            "spend": _list(plain_looks(s.study)[1]),
            "reserve": s.study.reserve,
            "seeds": _list(looks_of(s.study)[-1].seeds),
            "confidence": s.study.confidence,
            "family": s.study.family,
            "budget": s.study.budget,
            "task": s.task,
            "metric": s.metric,
        }
        for s in (before, now)
    )
    paid = ("looks", "spend", "reserve", "seeds") if extends(now.study, before.study) else ()
    different = (name for name in here if then[name] != here[name] and name not in paid)
    yield from (_was(name, then[name], here[name]) for name in different)
    if before.data != now.data:
        yield said("the data are others")


def _was(name: str, then: object, now: object) -> Sentence:
    return said("{setting} was {then}, is {now}", setting=name, then=_plain(then), now=_plain(now))


def _plain(value: object) -> Value:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _read_otherwise(before: Statement, now: Statement) -> frozenset[str]:
    """The claims that read other arms or sizes."""
    then, here = (
        {name: groups_read(s.study, claim, s.from_scratch) for name, claim in s.study.claims.items()}
        for s in (before, now)
    )
    return frozenset(name for name in here if here[name] != then.get(name))


def _settings(before: Statement, now: Statement) -> Iterator[Difference]:
    """Arms that are trained otherwise, by the identities of their cells."""
    if before.version != now.version:
        text = said("results are of version {now}, were of {then}", now=now.version, then=before.version)
        yield Difference(text=text, claims=frozenset())
    elif (before.data, before.study.seeds[0]) == (now.data, now.study.seeds[0]):
        other = [label for label, name in now.cells.items() if before.cells.get(label, name) != name]
        if other:
            text = said("settings are others for {cells}", cells=", ".join(other))
            yield Difference(text=text, claims=_that_read(now, other))


def _that_read(now: Statement, labels: list[str]) -> frozenset[str]:
    def reads(group: Group) -> bool:
        return f"{group[0]} n={group[1]}" in labels

    return frozenset(
        name
        for name, claim in now.study.claims.items()
        if any(map(reads, groups_read(now.study, claim, now.from_scratch)))
    )


def _list(values: object) -> str:
    return str(list(values)) if isinstance(values, tuple | list) else str(values)
