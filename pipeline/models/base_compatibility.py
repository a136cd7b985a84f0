"""Refuses a base that cannot do a task's kind, by what its configuration says: before data are read for it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.errors import BaseModelError, first_line
from pipeline.models.batch_independence import require_batch_independence
from pipeline.tasks import KINDS, kind


def require_able(base: str, config: Any, wanted: str) -> None:
    """Refuse where the base called `base`, with this Hugging Face configuration, cannot do the kind `wanted`.

    Raises:
        BaseModelError: it cannot; the message says why, what else to use and what it can do. Or its answers depend on
            what else is in a batch.
    """
    require_batch_independence(base, config)
    why = kind(wanted).unable(config)
    if why is not None:
        can = [name for name, each in KINDS.items() if each.unable(config) is None]
        rest = f"It can do {', '.join(can)}." if can else "It can do none of the task kinds."
        raise BaseModelError(f"Base {base!r} ({config.model_type}) cannot do {wanted}: {why} {rest}")


def check_able(wanted: Iterable[tuple[str, Path, str]]) -> None:
    """As `require_able`, of each base by its name, its directory and the kind it is wanted for.

    Raises:
        BaseModelError: one cannot, or its configuration cannot be used.
    """
    for base, directory, each in wanted:
        require_able(base, read_configuration(base, directory), each)


def read_configuration(base: str, directory: Path) -> Any:
    """The Hugging Face configuration in `directory`.

    Raises:
        BaseModelError: it cannot be read, needs code of its own or brings some along.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(str(directory), trust_remote_code=False, local_files_only=True)
    except (ValueError, OSError, KeyError) as error:
        raise BaseModelError(f"Base {base!r} has a configuration that cannot be used: {first_line(error)}") from error
    code = getattr(config, "auto_map", None)
    if code:
        raise BaseModelError(
            f"Base {base!r} must not bring code of its own, but its config.json names some (auto_map: "
            f"{next(iter(code))}). It never runs here, and without it transformers' {config.model_type} may compute "
            f"something else from these weights. If they are those of a plain {config.model_type}, remove auto_map "
            "from a copy's config.json: base=local base.path=DIRECTORY. Otherwise choose another base."
        )
    return config
