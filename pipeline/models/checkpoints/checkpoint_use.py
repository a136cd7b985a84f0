"""What a network takes from its checkpoint, and whether that is enough to call it pretrained."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import BaseModelError
from pipeline.records import CheckpointUse, Mismatch, is_pooler

_SHOWN = 3  # tensors that a message names


def checkpoint_use(model: Any, info: Mapping[str, Any], *, own_head: bool) -> CheckpointUse:
    """The account of a network that a checkpoint was loaded into.

    Args:
        model: the network as the loader returned it.
        info: the loader's own account: missing, mismatched and unexpected keys.
        own_head: whether the checkpoint's head is taken over as well as its body.
    """
    body, state = body_prefix(model), model.state_dict()
    shapes = {name: (stored, expected) for name, stored, expected in info["mismatched_keys"]}
    fresh = set(info["missing_keys"]) | set(shapes)
    wanted = [name for name in state if own_head or name.startswith(body)]
    untaken = [name for name in state if name not in wanted and name not in info["missing_keys"]]
    sizes = {name: p.numel() for name, p in model.named_parameters()}
    taken = [name for name in wanted if name not in fresh]
    return CheckpointUse(
        body=body,
        loaded=len(taken),
        loaded_parameters=sum(sizes.get(name, 0) for name in taken),
        absent=tuple(name for name in wanted if name in fresh and name not in shapes),
        mismatched=tuple(_mismatch(name, *shapes[name]) for name in wanted if name in shapes),
        left_over=(*sorted(_in_body(name, model) for name in info["unexpected_keys"]), *untaken),
    )


def body_prefix(model: Any) -> str:
    """What the names of the base's own tensors begin with; "" where the network has nothing else."""
    prefix = model.base_model_prefix
    return f"{prefix}." if hasattr(model, prefix) else ""


def taken_from(model: Any, use: CheckpointUse, *, own_head: bool) -> dict[str, Any]:
    """The loaded network's tensors that every pretrained arm takes over, by name."""
    fresh = {*use.absent, *(each.name for each in use.mismatched)}
    state = model.state_dict().items()
    return {name: t for name, t in state if (own_head or name.startswith(use.body)) and name not in fresh}


def require_whole(base: str, use: CheckpointUse) -> None:
    """Refuse a checkpoint without tensors of the base's body, or with some of another shape than config.json gives.

    Raises:
        BaseModelError: some would be random although the arm is called pretrained; it names them.
    """
    absent, mismatched = use.absent_body, use.mismatched
    if not absent and not mismatched:
        return
    shapes = [_shapes(each) for each in mismatched]
    whole = use.loaded + len(absent) + len(mismatched)
    said = (
        [f"{len(absent)} of {whole} {'is' if len(absent) == 1 else 'are'} missing ({_few(absent)})"] if absent else []
    )
    said += (
        [f"{len(shapes)} of {whole} {'has' if len(shapes) == 1 else 'have'} another shape ({_few(shapes)})"]
        if shapes
        else []
    )
    strange = [name for name in use.left_over if not is_pooler(name)]  # most heads read none
    unknown = f" It holds names that fit nothing: {_few(strange)}." if absent and strange else ""
    raise BaseModelError(
        f"The checkpoint of base {base!r} must hold every tensor of its network, but {' and '.join(said)}: "
        f"a 'pretrained' arm would start with random values there.{unknown} {_remedy(bool(absent))}"
    )


def _remedy(absent: bool) -> str:
    if absent:
        return (
            "Check base.path and that config.json belongs to these weights, or save the base again from the whole "
            "model: model.save_pretrained(DIR)."
        )
    return "Restore the config.json that belongs to these weights."


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _shapes(each: Mismatch) -> str:
    stored, expected = (" x ".join(map(str, shape)) or "a number" for shape in (each.stored, each.expected))
    return f"{each.name}: {stored} in the checkpoint, {expected} by config.json"


def _mismatch(name: str, stored: Sequence[int], expected: Sequence[int]) -> Mismatch:
    return Mismatch(name=name, stored=tuple(stored), expected=tuple(expected))


def _in_body(name: str, model: Any) -> str:
    """The name as the network would have it: a checkpoint of a bare base leaves the prefix out."""
    body = body_prefix(model)
    inside = getattr(model, model.base_model_prefix, model)
    plain = name.removeprefix(body)
    parts = {part for part, _ in inside.named_children()}
    return f"{body}{plain}" if plain.partition(".")[0] in parts else name
