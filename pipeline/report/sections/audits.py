"""The section on audits: bias, opacity, storage, latency, decay, memorisation and other metrics of finished cells."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from pipeline.audits import AUDITS, Examination
from pipeline.audits.latency import TOGETHER, WATTS
from pipeline.language import nouns, numeral, tr, translated
from pipeline.records import AuditResult, CellResult, Findings
from pipeline.records.metrics import called
from pipeline.report.layout import Entry, Section, Table, arm_entry, size_entry
from pipeline.report.wording import PERCENT, byte_size, scale_of

ATTRIBUTIONS_PAGE = "attributions.html"


def audits(findings: Findings, cells: Sequence[CellResult]) -> Section | None:
    """None where no cell was examined for any of them."""
    tables = (
        *_bias(findings, cells),
        *_opacity(findings, cells),
        *_storage(findings, cells),
        *_latency(findings, cells),
        *_decay(findings, cells),
        *_memorisation(findings, cells),
        *_metrics(findings, cells),
    )
    if not tables:
        return None
    shown = ""
    if any(_of(cell, "opacity") for cell in cells):
        shown = tr(
            " {page} shows a dozen texts with their attributions, unless privacy.texts=none.",
            page=ATTRIBUTIONS_PAGE,
        )
    return Section(
        anchor="audits",
        title=tr("Audits"),
        lead=tr("What finished cells were examined for, beside their scores (docs/audits.md).{shown}", shown=shown),
        tables=tables,
    )


def audit_table(
    findings: Findings,
    cells: Sequence[CellResult],
    audit: str | Examination,
    columns: Mapping[str, str],
    text: Callable[[str, float], str],
    caption: str,
    *,
    inline: bool = False,
) -> Table | None:
    """Means of an audit's numbers over seeds by arm and size, with the lowest and highest; None where no cell has it.

    Args:
        columns: the heading of each number that is shown.
        text: a number by its name and value.
    """
    groups: dict[tuple[str, int | str], list[AuditResult]] = {}
    for cell in cells:
        if report := _of(cell, audit):
            groups.setdefault((cell.key.arm, cell.key.size), []).append(report)
    order = [(arm, size) for arm in findings.arms for size in findings.sizes if (arm, size) in groups]
    rows = tuple(
        (arm_entry(arm), size_entry(findings, size), *(_mean(groups[arm, size], name, text) for name in columns))
        for arm, size in order
    )
    header = (tr("arm"), nouns(findings.counted), *columns.values())
    return Table(caption=caption, header=header, rows=rows, inline=inline) if rows else None


def _of(cell: CellResult, audit: str | Examination) -> AuditResult | None:
    of = Examination(audit) if isinstance(audit, str) else audit
    return next((each for each in cell.audits if (each.audit, each.dataset) == (of.audit, of.dataset)), None)


def _mean(results: Sequence[AuditResult], name: str, text: Callable[[str, float], str]) -> Entry:
    values = [result.numbers[name] for result in results]
    mean, low, high = (text(name, x) for x in (sum(values) / len(values), min(values), max(values)))
    return Entry(mean, tr("{low} to {high}", low=low, high=high))


def _percent(_: str, value: float) -> str:
    return PERCENT.number(value)


def _bias(findings: Findings, cells: Sequence[CellResult]) -> Iterator[Table]:
    first = next((report for cell in cells if (report := _of(cell, "bias"))), None)
    if first is None:
        return
    excess = "excess_flips"
    axes = {
        n: tr("excess, {axis}", axis=translated(n.removeprefix(f"{excess}_")))
        for n in first.numbers
        if n.startswith(f"{excess}_")
    }
    language = tr("Portuguese") if first.numbers["portuguese"] else tr("English")
    table = audit_table(
        findings,
        cells,
        "bias",
        {"flips_between": tr("between groups"), "flips_within": tr("within a group"), excess: tr("excess"), **axes},
        _percent,
        tr(
            "Bias: in {items} templates in {language}, how often the answer changes when one person is put in place "
            "of another of a different group, and of the same one, in per cent. Excess is the first less the second: "
            "0 if the group does not matter. Means over seeds, with the lowest and the highest.",
            items=first.items,
            language=language,
        ),
    )
    if table:
        yield table


def _metrics(findings: Findings, cells: Sequence[CellResult]) -> Iterator[Table]:
    """Metrics other than the one that cells were trained for, on each set."""
    for of in dict.fromkeys(Examination(each.audit, each.dataset) for cell in cells for each in cell.audits):
        if (metric := AUDITS[of.audit].measure.metric) is None:
            continue
        table = audit_table(
            findings,
            cells,
            of,
            {metric: translated(called(metric))},
            lambda name, value: scale_of(name).score(value),
            tr(
                "The {metric}{where} of networks that were trained for {trained}. Means over seeds, with the "
                "lowest and the highest.",
                where=tr(" on the test set") if of.dataset == "test" else tr(" on {dataset}", dataset=of.dataset),
                metric=translated(called(metric)),
                trained=translated(called(findings.metric)),
            ),
        )
        if table:
            yield table


def _opacity(findings: Findings, cells: Sequence[CellResult]) -> Iterator[Table]:
    first = next((report for cell in cells if (report := _of(cell, "opacity"))), None)
    table = audit_table(
        findings,
        cells,
        "opacity",
        {"faithfulness": tr("faithfulness"), "aopc": "AOPC", "least_aopc": tr("least"), "most_aopc": tr("most")},
        _percent,
        tr(
            "Opacity: {items} short test texts, from which words are removed in the order of their "
            "attributions. AOPC: how many points the probability of the answer falls, on average over the steps. "
            "Faithfulness: where that lies between the least (0) and the most (100) of all orders. Means over seeds, "
            "with the lowest and the highest.",
            items=first.items if first else 0,
        ),
    )
    if table:
        yield table


def _storage(findings: Findings, cells: Sequence[CellResult]) -> Iterator[Table]:
    for audit, bits in (("storage", 8), ("storage_4bit", 4)):
        table = audit_table(
            findings,
            cells,
            audit,
            {
                "stored_bytes": tr("bytes"),
                f"stored_bytes_{bits}bit": tr("bytes in {bits} bits", bits=bits),
                "score": tr("score"),
                f"score_{bits}bit": tr("score in {bits} bits", bits=bits),
                "changed": tr("answers changed"),
            },
            lambda name, value: byte_size(value) if name.startswith("stored") else PERCENT.number(value),
            tr(
                "Storage: what a task adds to its base, which all tasks share, and the share of right answers on the "
                "test set, in per cent, before and after these weights are rounded to {bits} bits. Means over seeds, "
                "with the lowest and the highest.",
                bits=bits,
            ),
        )
        if table:
            yield table


def _latency(findings: Findings, cells: Sequence[CellResult]) -> Iterator[Table]:
    first = next((report for cell in cells if (report := _of(cell, "latency"))), None)
    table = audit_table(
        findings,
        cells,
        "latency",
        {
            "milliseconds": tr("one text, ms"),
            "p95_milliseconds": tr("95% within, ms"),
            "texts_per_second": tr("texts a second"),
            "memory_bytes": tr("memory"),
            "weight_bytes": tr("weights"),
            "joules_estimated": tr("J for 1,000 texts, estimated"),
        },
        _of_machine,
        tr(
            "Latency: the time from a text to its answer, measured on this machine with one thread and one text at a "
            "time: the geometric mean of {items} test texts, and the time within which 95% of them are answered. It is "
            "processor time, which other programs do not add to; on a GPU it is the time that passed. Texts a second: "
            "with {together} at a time. Memory: of the whole process, with its libraries. Weights: all that an answer "
            "needs, the base's included. Energy is an estimate: {watts} W while the core computes. Means over seeds, "
            "with the lowest and the highest.",
            items=first.items if first else 0,
            together=TOGETHER,
            watts=numeral(WATTS, "g"),
        ),
    )
    if table:
        yield table


def _of_machine(name: str, value: float) -> str:
    """A number of the latency audit in three figures, or as bytes."""
    if name.endswith("_bytes"):
        return byte_size(value)
    shown = 1000.0 * value if name == "joules_estimated" else value
    return numeral(shown, ",.0f" if shown >= 100.0 else ".3g")


def _decay(findings: Findings, cells: Sequence[CellResult]) -> Iterator[Table]:
    """The fall of the score over the times of test texts, and over their new words."""
    first, last = tr("score of the first"), tr("score of the last")
    by_year = audit_table(
        findings,
        cells,
        "decay",
        {"score_first": first, "score_last": last, "fall": tr("fall per year")},
        _percent,
        tr(
            "Decay: the share of right answers on the test texts that were written first and last, in per cent, on a "
            "straight line through all of them by their time. Means over seeds, with the lowest and the highest."
        ),
    )
    by_words = audit_table(
        findings,
        cells,
        "new_words",
        {
            "score_first": tr("score with the fewest"),
            "score_last": tr("score with the most"),
            "fall": tr("fall per tenth"),
        },
        _percent,
        tr(
            "New words: the share of right answers on the test texts with the fewest and the most words that no "
            "training text has, in per cent, on a straight line through all of them, and its fall per tenth of a "
            "text's words. Means over seeds, with the lowest and the highest."
        ),
    )
    yield from (table for table in (by_year, by_words) if table)


def _memorisation(findings: Findings, cells: Sequence[CellResult]) -> Iterator[Table]:
    table = audit_table(
        findings,
        cells,
        "memorisation",
        {
            "auc": tr("AUC"),
            "caught": tr("caught at 1%"),
            "loss_trained": tr("loss, training texts"),
            "loss_test": tr("loss, test texts"),
        },
        lambda name, value: numeral(value, ".3g") if name.startswith("loss") else PERCENT.number(value),
        tr(
            "Memorisation: how well the loss alone tells texts that were trained on from test texts, as the area "
            "under the ROC curve in per cent: 50 is a guess, 100 tells every one. Caught at 1%: the training texts "
            "whose loss is lower than that of all but 1% of the test texts. Means over seeds, with the lowest and the "
            "highest."
        ),
    )
    if table:
        yield table
