"""What a report says beyond its findings: where the base and the data come from, and how to repeat it."""

from dataclasses import dataclass

from pipeline.config.schema import Arm, Base
from pipeline.language import Sentence


@dataclass(frozen=True, kw_only=True)
class BaseFacts:
    """What a reader must know of a base. Carries no token, unlike the settings it is made from."""

    name: str
    upstream: str | None
    licence: str
    revision: str | None
    sha256: str | None
    test_text_seen: str
    test_text_note: str

    @classmethod
    def of(cls, base: Base) -> "BaseFacts":
        """The facts of `base`; a hub base is its own upstream."""
        return cls(
            name=base.name,
            upstream=base.upstream or (base.name if base.source == "hub" else None),
            licence=base.licence,
            revision=base.revision,
            sha256=base.sha256,
            test_text_seen=base.test_text_seen,
            test_text_note=base.test_text_note,
        )


@dataclass(frozen=True, kw_only=True)
class About:
    """Everything a report or a model card shows that no training decides.

    `data_report` holds sentences (rows, duplicates removed, truncated texts); `arms` are the arms with their
    recipes as used; `command` repeats the study; `created` is shown as it stands.
    """

    base: BaseFacts
    task: str
    pipeline: str  # what transformers.pipeline calls the task's kind
    data_licence: str
    data_upstream: str | None
    data_report: tuple[Sentence, ...]
    arms: tuple[Arm, ...]
    command: str
    versions: dict[str, str]
    machine: Sentence
    precision: str
    concurrency: int
    created: str
    paired: bool = False  # whether a tokenizer is given pairs of texts
    joined: tuple[str, ...] = ()  # stands for these texts in examples of use, where one is several fields in a row
    others: tuple[BaseFacts, ...] = ()  # the bases of arms that are on another one
    several: bool = False  # whether any number of classes apply to each

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What stands for the one text or two of an example in the code of a model card."""
        return self.joined or ("…",) * (1 + self.paired)
