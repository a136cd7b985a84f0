"""A Hugging Face model card for one trained cell: what it is, what it scored and what it is not for."""

import json
import re
from collections.abc import Mapping, Sequence

from pipeline.methods import METHODS
from pipeline.records import CellResult, Estimate, Evaluation
from pipeline.report.about import About
from pipeline.report.markdown import escape, fenced
from pipeline.report.usage import Use
from pipeline.report.wording import behind, byte_size, count, flops, plain, plural, scale_of, short_count, size_name

_LICENCES = frozenset(
    (
        *("apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "mpl-2.0", "afl-3.0", "openrail", "unlicense"),
        *("cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0"),
        *("gpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "unknown", "other"),
    )
)
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


def model_card(result: CellResult, about: About, estimates: Mapping[str, Estimate], use: Use) -> str:
    """README.md of an exported model.

    Args:
        result: the cell that was exported.
        about: where its base and its data come from.
        estimates: the score on each evaluation set with its interval; a set without one is given its plain score.
        use: how the model is used without Headstart.
    """
    tests = [e for e in result.evaluations if e.role in ("in_domain", "out_of_domain")]
    parts = [
        _front_matter(result, about, tests, estimates, use.library),
        f"# {escape(_reader(result, about))} on {escape(about.task)}, {_arm(result, about)}",
        _what_it_is(result, about),
        "## Scores\n\n" + _scores(result, tests, estimates),
        "## Data\n\n" + _data(result, about),
        "## How it was trained\n\n" + _training(result, about),
        "## Limits\n\n" + _limits(result, about),
        "## Licence\n\n" + _licence(result, about),
        "## Use\n\n" + fenced(use.code),
        f"Made by Headstart, cell `{re.sub('[^A-Za-z0-9._-]', '', result.cell_id)}`, {escape(about.created)}.",
    ]
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace").decode("utf-8")


_WITHOUT_LABELS = {
    "fill-mask": "A masked language model.",
    "text-generation": "A causal language model.",
    "translation": "It writes one text from another.",
}


def _front_matter(
    r: CellResult, about: About, tests: Sequence[Evaluation], estimates: Mapping[str, Estimate], library: str
) -> str:
    stated = about.data_licence if _without_base(r) else about.base.licence
    licence = stated.lower()
    lines = ["---", f"license: {licence if licence in _LICENCES else 'other'}"]
    lines += [f"license_name: {_quoted(stated)}"] if licence not in _LICENCES else []
    upstream = about.base.upstream or ""
    if r.key.arm != "scratch" and r.checkpoint and _HUB_NAME.fullmatch(upstream):
        lines.append(f"base_model: {_quoted(upstream)}")
    lines += [f"library_name: {library}", f"pipeline_tag: {about.pipeline}", "tags:", "- headstart", "metrics:"]
    lines += [f"- {_quoted(r.metric)}", "model-index:", f"- name: {_quoted(f'{_reader(r, about)} {r.key.label}')}"]
    lines.append("  results:")
    for e in tests:
        lines += ["  - task:", f"      type: {about.pipeline}", "    dataset:"]
        lines += [f"      name: {_quoted(f'{about.task}, {e.dataset}')}", f"      type: {_quoted(e.dataset)}"]
        lines += ["    metrics:", f"    - type: {_quoted(r.metric)}", f"      value: {_value(r, e, estimates):.6g}"]
    return "\n".join([*lines, "---"])


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar: JSON's, which YAML reads alike once unprintable characters are gone."""
    return json.dumps(plain(text, 200).encode("utf-8", "replace").decode("utf-8"), ensure_ascii=False)


def _value(r: CellResult, e: Evaluation, estimates: Mapping[str, Estimate]) -> float:
    return estimates[e.dataset].value if e.dataset in estimates else e.metrics[r.metric]


def _without_base(r: CellResult) -> bool:
    return METHODS[r.start_line.method].reads == "words"


def _reader(r: CellResult, about: About) -> str:
    return "Counted words" if _without_base(r) else about.base.name


def _arm(r: CellResult, about: About) -> str:
    counted = "texts" if about.pipeline in _WITHOUT_LABELS else "labels"
    return escape(f"{r.key.arm}, {size_name(r.key.size)} {counted}, seed {r.key.seed}")


def _what_it_is(r: CellResult, about: About) -> str:
    upstream = f" ({escape(about.base.upstream)})" if about.base.upstream else ""
    if _without_base(r):
        start = "It is a linear model on TF-IDF of word and character n-grams"
    elif r.checkpoint:
        start = f"It started from the pretrained weights of {escape(about.base.name)}{upstream}"
    else:
        start = f"It has the architecture and tokenizer of {escape(about.base.name)}{upstream}, freshly initialised,"
    if any(arm.name == r.key.arm and arm.pretraining.objective for arm in about.arms):
        start = f"{start.removesuffix(',')}, then learnt the task's own text without its labels,"
    if about.pipeline in _WITHOUT_LABELS or len(r.labels) == 1:
        one = "pair" if about.paired else "text"
        what = _WITHOUT_LABELS.get(about.pipeline, "It predicts a number from 0 to 1 for a pair of texts.")
        return f"{what} {start} and was trained on {plural(r.train_items, one)}."
    labels = ", ".join(escape(label, 60) for label in r.labels[:50])
    read, one = ("pairs of texts", "labelled pair") if about.paired else ("texts", "labelled text")
    read = "the words of texts" if about.pipeline == "token-classification" else read
    several = ", of which any number apply" if about.several else ""
    return (
        f"A classifier of {read} with {len(r.labels)} classes{several}: {labels}. {start} "
        f"and was trained on {plural(r.train_items, one)}."
    )


def _scores(r: CellResult, tests: Sequence[Evaluation], estimates: Mapping[str, Estimate]) -> str:
    scale = scale_of(r.metric)
    lines = [f"| evaluation set | {escape(r.metric)} | interval | items |", "| --- | ---: | ---: | ---: |"]
    for e in tests:
        role = "in-domain" if e.role == "in_domain" else "out of domain"
        span = scale.span(estimates[e.dataset]) if e.dataset in estimates else "none computed"
        value = scale.score(_value(r, e, estimates))
        lines.append(f"| {escape(e.dataset)} ({role}) | {value} | {span} | {count(e.items)} |")
    shown = [estimates[e.dataset] for e in tests if e.dataset in estimates]
    said = (
        f"\n\n{behind(shown)[:1].upper()}{behind(shown)[1:]}; one training, so no spread over seeds." if shown else ""
    )
    return "\n".join(lines) + said


def _data(r: CellResult, about: About) -> str:
    source = f" from {escape(about.data_upstream)}" if about.data_upstream else ""
    first = f"Task {escape(about.task)}{source}, licence of the data: {escape(about.data_licence)}."
    return "\n".join([first, "", *(f"- {escape(line)}" for line in about.data_report)]).rstrip()


def _training(r: CellResult, about: About) -> str:
    recipe = ", ".join(f"{escape(k.replace('_', ' '))} {v:g}" for k, v in sorted(r.start_line.recipe.items()))
    how = f"Recipe: {recipe}; batches of {r.start_line.global_batch}"
    if METHODS[r.start_line.method].solved:
        how = "Solved to the optimum of a convex problem, its L2 penalty chosen on validation"
    cost = r.cost
    return "\n".join(
        [
            f"- Trained: {METHODS[r.start_line.method].trained_part}, {short_count(cost.trained_parameters)} of "
            f"{short_count(cost.parameters)} parameters.",
            f"- {how}; precision {escape(r.start_line.precision)}.",
            f"- {count(cost.steps)} steps over {count(cost.examples)} examples, {flops(cost.flops)}; the weights "
            f"are those of step {count(r.best_step)}, the best on validation.",
            f"- {byte_size(cost.stored_bytes)} to store.",
            f"- Machine: {escape(about.machine)}.",
        ]
    )


def _limits(r: CellResult, about: About) -> str:
    seen = about.base.test_text_seen.replace("_", " ")
    note = f" {escape(about.base.test_text_note)}" if about.base.test_text_note else ""
    cut = sum(e.truncated for e in r.evaluations)
    lines = [
        "- The scores hold for texts like those of its evaluation sets; look at the out-of-domain scores for others.",
        "- It is one training of one study: another seed gives other weights and a somewhat different score.",
        "- It was not examined for bias here. It is no basis for decisions about people.",
    ]
    if not _without_base(r):  # which knows no pretraining, and reads whole texts
        lines.insert(2, f"- Could pretraining have included the test text: {escape(seen)}.{note}")
        lines += [f"- {plural(cut, 'evaluation text')} were longer than the model reads and were cut."] if cut else []
    return "\n".join(lines)


def _licence(r: CellResult, about: About) -> str:
    if _without_base(r):
        return f"No base was used. The data: {escape(about.data_licence)}. Check it before you pass this model on."
    base = f"The base {escape(about.base.name)}: {escape(about.base.licence)}. The data: {escape(about.data_licence)}."
    return f"{base} Check both before you pass this model on."
