"""The opacity audit: attributions that find the words which decide, and how faithful they are."""

from itertools import permutations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients

from pipeline.audits import AUDITS
from pipeline.audits.opacity import CHUNKS, COLUMNS, TEXTS, bounded, chunks_of, sample, subsets
from pipeline.data.store import examples_of
from pipeline.errors import DataError
from pipeline.models.attribution import STEPS
from pipeline.tasks import Example
from pipeline.training.loop.fitted import Fitted
from tests import tiny
from tests.audits.planted import Planted, encoded
from tests.training.cell_kit import small, trained

OPACITY = AUDITS["opacity"]
DECISIVE = {"bad": "hollow", "good": "lively"}


def planted_rows(count: int = 240) -> list[tuple[str, str]]:
    """Texts of words that say nothing, and one of two that decides."""
    rng = np.random.default_rng(3)
    rows = []
    for number in range(count):
        label = tiny.LABELS[number % 2]
        words = [DECISIVE[label], *rng.choice(tiny.PLAIN, int(rng.integers(4, 12)))]
        rows.append((" ".join(rng.permutation(words)), label))
    return rows


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fitted]:
    """A bag of words and a network that learned which words decide."""
    root = tmp_path_factory.mktemp("opacity")
    base, data = tiny.write_base(root / "base"), tiny.write_csv(root / "rows.csv", planted_rows())
    more = ["train.size=128", "train.epochs=12", "train.lr=1e-2"]
    return {
        arm: trained([*small(base, data, root / "out"), f"arm={arm}", *more]) for arm in ("bag_of_words", "pretrained")
    }


@pytest.mark.parametrize("arm", ["bag_of_words", "pretrained"])
def test_the_word_that_decides_has_the_highest_attribution(cells: dict[str, Fitted], arm: str) -> None:
    cell = cells[arm]
    report, test = OPACITY.examine(cell), examples_of(cell.sets["test"])
    hits = []
    for item in report.items:
        named = dict(zip(COLUMNS, item.tolist(), strict=True))
        text, chunks = test[int(named["row"])].text, [named[f"chunk_{i}"] for i in range(1, CHUNKS + 1)]
        start, end = chunks_of(text)[int(np.argmax(chunks[: int(named["chunks"])]))]
        hits.append(DECISIVE[tiny.LABELS[int(named["answer"])]] in text[start:end].split())
    assert np.mean(hits) >= 0.9
    assert report.numbers["faithfulness"] > 0.9
    assert len(report.items) == min(TEXTS, len(test))


def test_attributions_to_words_sum_to_the_logit_less_its_bias(cells: dict[str, Fitted]) -> None:
    cell = cells["bag_of_words"]
    text = "Lively films, hollow casting a plots plots"
    found = cell.outputs(cell.probe("one", [Example(text=text)]))
    nothing = cell.outputs(cell.probe("none", [Example(text="?")]))
    apart = [float(np.log(each.probabilities[0, 1] / each.probabilities[0, 0])) for each in (found, nothing)]
    assert 2 * cell.attributions(text, 1).sum() == pytest.approx(apart[0] - apart[1], rel=1e-4)
    assert cell.attributions(text, 1) == pytest.approx(-cell.attributions(text, 0))


def test_integrated_gradients_are_those_of_captum_on_embeddings(cells: dict[str, Fitted]) -> None:
    cell, text = cells["pretrained"], "lively films hollow casting"
    assert cell.network is not None
    model = cell.network.model.eval()
    read = cell.tokenizer(text, return_offsets_mapping=True)
    ids = torch.tensor([read["input_ids"]])
    baseline = ids.clone()
    baseline[:, 1:-1] = cell.tokenizer.pad_token_id
    embed = model.get_input_embeddings()

    def apart(embeddings: torch.Tensor) -> torch.Tensor:
        logits = model(inputs_embeds=embeddings).logits
        return (logits[:, 1] - logits[:, 0]) / 2

    method = IntegratedGradients(apart)
    found = method.attribute(embed(ids), embed(baseline), n_steps=STEPS).sum(dim=-1)[0].detach().numpy()
    characters = cell.attributions(text, 1)
    own = [characters[start:end].sum() for start, end in read["offset_mapping"]]
    assert own == pytest.approx(found, rel=1e-3, abs=1e-6)
    with torch.no_grad():
        ends = apart(torch.cat([embed(ids), embed(baseline)]))
    assert characters.sum() == pytest.approx(float(ends[0] - ends[1]), rel=0.02)


@pytest.mark.parametrize("arm", ["bag_of_words", "pretrained"])
def test_its_numbers_are_found_again_from_every_order(cells: dict[str, Fitted], arm: str) -> None:
    cell = cells[arm]
    report, test = OPACITY.examine(cell), examples_of(cell.sets["test"])
    changed = report.items[report.items[:, 3] - report.items[:, 2] > 0.01][:3]
    assert len(changed) == 3
    for item in changed:
        named = dict(zip(COLUMNS, item.tolist(), strict=True))
        text, label = test[int(named["row"])].text, int(named["answer"])
        chunks = chunks_of(text)
        values = [named[f"chunk_{i + 1}"] for i in range(len(chunks))]
        aopc = {order: _aopc(cell, text, chunks, order, label) for order in permutations(range(len(chunks)))}
        own = aopc[tuple(np.argsort(-np.array(values), kind="stable").tolist())]
        least, most = min(aopc.values()), max(aopc.values())
        assert [named["aopc"], named["least_aopc"], named["most_aopc"]] == pytest.approx([own, least, most], abs=1e-5)
        assert named["faithfulness"] == pytest.approx((own - least) / (most - least), abs=1e-4)


_KNOWN: dict[tuple[int, str], np.ndarray] = {}


def _aopc(cell: Fitted, text: str, chunks: list[tuple[int, int]], order: tuple[int, ...], label: int) -> float:
    """The mean fall of the probability while chunks are removed in an order."""
    texts = [text]
    for step in range(1, len(order) + 1):
        kept = [text[start:end] for i, (start, end) in enumerate(chunks) if i not in order[:step]]
        texts.append(" ".join(kept) or ".")
    new = [one for one in dict.fromkeys(texts) if (id(cell), one) not in _KNOWN]
    if new:
        read = cell.outputs(cell.probe("again", [Example(text=one) for one in new]), np.arange(len(new)))
        _KNOWN.update({(id(cell), one): p for one, p in zip(new, read.probabilities, strict=True)})
    known = [float(_KNOWN[id(cell), one][label]) for one in texts]
    return float(np.mean([known[0] - later for later in known[1:]]))


def test_the_least_and_the_most_faithful_order_are_the_bounds() -> None:
    rng = np.random.default_rng(2)
    probabilities = rng.random(2**4)
    found = [bounded(probabilities, np.array(order)) for order in permutations(range(4))]
    assert min(own for own, _, _ in found) == pytest.approx(found[0][1])
    assert max(own for own, _, _ in found) == pytest.approx(found[0][2])


def test_an_answer_that_no_word_changes_is_as_faithful_as_can_be() -> None:
    report = OPACITY.examine(Planted(lambda text: 0.7, ["one two three", "four five"]))
    assert report.numbers["faithfulness"] == 1.0
    assert report.numbers["most_aopc"] == 0.0


def test_a_text_is_cut_into_even_runs_of_words_and_kept_whole_as_it_is_written() -> None:
    text = " a  bc, d e f g h."
    chunks = chunks_of(text)
    assert [text[start:end] for start, end in chunks] == ["a  bc,", "d", "e", "f", "g", "h."]
    parts = subsets(text, chunks)
    assert (parts[0], parts[1], parts[0b100010], parts[-1]) == (".", "a  bc,", "d h.", text)
    assert len(parts) == 2**CHUNKS


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_attribution_on_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="must have a word in it, but got"):
        chunks_of(text)


def test_the_sample_is_short_texts_of_two_words_or_more_one_of_a_group() -> None:
    texts = [*(f"word number {i} " + "more " * i for i in range(100)), "single", *("the same group",) * 3]
    rows = sample(encoded("test", texts, groups=[*range(101), 101, 101, 101]))
    assert len(rows) == TEXTS
    assert list(rows) == [*range(TEXTS - 1), 101]


def test_a_test_set_without_texts_of_two_words_is_refused() -> None:
    reader = Planted(lambda text: 0.5, ["one", "two words"])
    reader.tokenizer = type("Fast", (), {"is_fast": True})()
    assert OPACITY.unfit(reader) == "the test set needs two texts of two words or more, but has 1."
    reader.tokenizer = object()
    assert "does not tell where tokens stand" in (OPACITY.unfit(reader) or "")


def test_a_network_is_left_in_the_mode_that_it_was_in(cells: dict[str, Fitted]) -> None:
    cell = cells["pretrained"]
    assert cell.network is not None
    cell.network.model.train()
    cell.attributions("lively films", 1)
    assert cell.network.model.training
    assert all(p.grad is None or not p.grad.any() for p in cell.network.model.parameters())
