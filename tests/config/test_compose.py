"""Overrides become a checked configuration, or a list of all that is wrong with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config.choices import groups, options
from pipeline.config.compose import compose
from pipeline.config.schema import Config
from pipeline.errors import ConfigError

NEEDED = {
    ("base", "hub"): ["base.name=someone/model"],
    ("base", "local"): ["base.path=somewhere"],
    ("task", "classification"): ["task.data.path=mine.csv"],
    ("task", "pair_classification"): ["task.data.path=mine.csv"],
    ("task", "prompted_classification"): ["task.data.path=mine.csv"],
    ("task", "multi_label_classification"): ["task.data.path=mine.csv"],
    ("task", "similarity"): ["task.data.path=mine.csv"],
    ("task", "token_classification"): ["task.data.path=mine.jsonl"],
    ("task", "translation"): ["task.data.path=mine.csv"],
    ("task", "masked_language_modelling"): ["task.data.path=mine.csv"],
    ("task", "causal_language_modelling"): ["task.data.path=mine.csv"],
    ("tracking", "server"): ["tracking.uri=https://mlflow.example.org"],
}
CHOICES = [(group, name) for group in groups() for name in options(group)]


def wrong(*overrides: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        compose(overrides)
    assert caught.value.exit_code == 2
    return caught.value.violations


@pytest.mark.parametrize(("group", "name"), CHOICES, ids=["=".join(c) for c in CHOICES])
def test_every_preset_composes(group: str, name: str) -> None:
    config = compose([f"{group}={name}", *NEEDED.get((group, name), [])])
    assert isinstance(config, Config)
    if group in ("arm", "hardware", "task", "tracking", "executor"):
        assert getattr(config, group).name == name
    if group == "experiments":
        assert config.study.name == name
        assert config.study.claims


def test_the_usual_bases_and_hardware_are_there() -> None:
    bases = {
        "minilm",
        "hub",
        "local",
        "bert",
        "distilbert",
        "roberta",
        "xlm_roberta",
        "mdeberta",
        "multilingual_e5",
        "bertimbau",
        "modernbert",
    }
    assert bases <= set(options("base"))
    alone, spread = {"auto", "cpu", "gpu"}, {"ddp_cpu", "ddp", "fsdp", "deepspeed", "multinode_torchrun", "slurm"}
    assert alone | spread == set(options("hardware"))
    assert {"sentiment", "topic", "classification"} <= set(options("task"))


def test_one_word_sends_cells_to_a_slurm_cluster_and_another_keeps_them_here() -> None:
    config = compose(["hardware=slurm", "executor.partition=gpu"])
    assert (config.hardware.accelerator, config.executor.name) == ("gpu", "slurm")
    assert config.executor.partition == "gpu"
    assert compose(["hardware=slurm", "executor=local"]).executor.name == "local"


def test_what_is_left_out_of_a_preset_takes_the_default_of_its_field() -> None:
    config = compose(["task=classification", "task.data.path=a.csv"])
    assert config.task.data.text == "text"
    assert config.task.out_of_domain == {}


def test_an_override_wins_over_a_study_and_a_study_over_a_preset() -> None:
    assert compose(["experiments=quickstart"]).task.out_of_domain_size == 200
    assert compose(["experiments=quickstart", "task.out_of_domain_size=7"]).task.out_of_domain_size == 7


@pytest.mark.parametrize(("text", "value"), [("all", "all"), ("100", 100), ("'100'", "100")])
def test_a_size_is_a_number_or_all(text: str, value: object) -> None:
    if value == "100":
        assert "train.size must be a number of labels" in wrong(f"train.size={text}")[0]
    else:
        assert compose([f"train.size={text}"]).train.size == value


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("base=minilmm", "base=minilmm: there is no such base. Did you mean 'minilm'?"),
        ("task=sentimant", "task=sentimant: there is no such task. Did you mean 'sentiment'?"),
        ("arm=scrtach", "arm=scrtach: there is no such arm. Did you mean 'scratch'?"),
        ("hardware=cpuu", "hardware=cpuu: there is no such hardware. Did you mean 'cpu'?"),
        ("experiments=quikstart", "experiments=quikstart: there is no such study. Did you mean 'quickstart'?"),
        ("base=", "base=: there is no such base. Valid: bert,"),
        ("base={a: 1}", "there is no such base. Valid: bert,"),
        ("train=5", "train=5: there is no such train. Valid: default."),
        ("train.lrr=1", "train.lrr: there is no such setting. Did you mean 'train.lr'? Valid here: train.batch,"),
        ("+train.lrr=1", "train.lrr: there is no such setting. Did you mean 'train.lr'?"),
        ("trian=default", "trian: there is no such setting. Did you mean 'train'?"),
        ("studdy.name=x", "studdy.name: there is no such setting. Did you mean 'study.name'?"),
        ("+studdy=x", "studdy: there is no such setting. Did you mean 'study'?"),
        ("study.claims.a.metric=x", "To add a new entry: +study.claims.a.metric=VALUE."),
        (
            "+study.claims.a.metrik=x",
            "study.claims.a.metrik: there is no such setting. Did you mean 'study.claims.a.metric'?",
        ),
        ("+task.out_of_domain.b={pathh: x}", "Did you mean 'task.out_of_domain.b.path'?"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest_valid_one(override: str, said: str) -> None:
    (violation,) = wrong(override)
    assert said in violation


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "~study.claims",
            "~study.claims: its entries are left out one by one: ~study.claims.accurate ~study.claims.best",
        ),
        ("~train.lr", "~train.lr: a setting cannot be left out. Give it another value: train.lr=VALUE."),
        ("~study.claims.early=1", "~study.claims.early leaves out what is there, whatever its value: give it none."),
    ],
)
def test_what_cannot_be_left_out_is_said_with_what_can(override: str, said: str) -> None:
    (violation,) = wrong("experiments=quickstart", override)
    assert violation.startswith(said)


@pytest.mark.parametrize(
    ("override", "near", "new"),
    [
        ("study.claims.acurate.delta=0.05", "study.claims.accurate", " A new one: +study.claims.acurate.delta=VALUE."),
        ("~study.claims.erly", "study.claims.early", ""),
        ("task.out_of_domain.imbd.path=x", "task.out_of_domain.imdb", " A new one: +task.out_of_domain.imbd.path="),
        ("study.claims.accurate.detla=0.05", "study.claims.accurate.delta", ""),
        ("+study.claims.mine.detla=0.05", "study.claims.mine.delta", ""),
    ],
)
def test_an_unknown_claim_or_evaluation_set_comes_with_the_nearest_of_those_that_there_are(
    override: str, near: str, new: str
) -> None:
    (violation,) = wrong("experiments=quickstart", override)
    assert f"there is no such setting. Did you mean '{near}'?" in violation
    assert new in violation if new else "A new one" not in violation


@pytest.mark.parametrize(
    ("override", "name"),
    [
        ("train.lr=abc", "train.lr"),
        ("train.batch=3.5", "train.batch"),
        ("train.batch=many", "train.batch"),
        ("task.deduplicate=perhaps", "task.deduplicate"),
        ("train.size=1.5", "train.size"),
        ("train.size=true", "train.size"),
        ("study.sizes=[1.5]", "study.sizes[0]"),
        ("study.seeds=[a]", "study.seeds"),
        ("train.seed=null", "train.seed"),
        ("task.data.validation_size=all", "task.data.validation_size"),
    ],
)
def test_a_wrong_type_names_the_setting_and_the_value(override: str, name: str) -> None:
    (violation,) = wrong(override)
    assert violation.startswith(name.partition("[")[0])
    value = override.partition("=")[2].strip("[]{}")
    assert value.partition(":")[0].lower() in violation.lower()


@pytest.mark.parametrize(
    "override", ["train.lr", "=3", "train.lr==", "a b c", "", "train.lr=[1", "train.lr=1,2", "${x}=1"]
)
def test_a_line_that_is_no_override_is_refused(override: str) -> None:
    assert len(wrong(override)) == 1


@pytest.mark.parametrize("value", ["avaliação", "it's", "a:b", "a (b)", "a[b]", "x=1", "{a}", "[a]", "'x", "a, b"])
def test_free_text_needs_no_quotes(value: str) -> None:
    assert compose([f"task.data.text={value}"]).task.data.text == value


@pytest.mark.parametrize("override", ["task.data", "study.sizes=[25,100", "task.data={text: a", "train.lr='x"])
def test_an_override_that_cannot_be_read_is_named_with_the_form_it_should_have(override: str) -> None:
    (violation,) = wrong(override)
    assert violation.startswith(f"The override {override!r} is not valid: ")
    assert violation.endswith("The form is name=value.")


@pytest.mark.parametrize("value", ["${nothing}", "${oc.env:NO_SUCH_VARIABLE}", "${train.lr}"])
def test_an_interpolation_that_leads_nowhere_is_refused(value: str) -> None:
    assert wrong(f"train.lr={value}")


BROKEN = [
    ("train.batch=0", "train.batch must be at least 1, but got 0."),
    ("train.max_steps=5", "train.max_steps must be at least min_steps (100) or 0 for no limit, but got 5."),
    ("hardware.devices=0", "hardware.devices must be at least 1, but got 0."),
    ("train.lr=0", "train.lr must be above 0, but got 0.0."),
    ("train.lr=nan", "train.lr must be above 0, but got nan."),
    ("train.lr=inf", "train.lr must be above 0, but got inf."),
    ("train.seed=-1", "train.seed must be 0 or more, but got -1."),
    ("train.dropout=1", "train.dropout must be from 0 to below 1, but got 1.0."),
    ("arm.lora.dropout=-0.1", "arm.lora.dropout must be from 0 to below 1, but got -0.1."),
    ("arm.lora.alpha=0", "arm.lora.alpha must be above 0, but got 0.0."),
    ("train.weight_decay=inf", "train.weight_decay must be 0 or more, but got inf."),
    ("task.max_length=4", "task.max_length must be at least 8 tokens, but got 4."),
    ("task.split_seed=-1", "task.split_seed must be 0 or more, but got -1."),
    ("train.precision=fp16", "train.precision must be one of its choices, but got 'fp16'."),
    *(
        (
            f"train.checkpoint_every={bad}",
            f"train.checkpoint_every must be like 5min, 200steps or never, but got '{bad}'.",
        )
        for bad in ("often", "0min", "1.5steps", "5")
    ),
    ("train.best_by=los", "Did you mean 'loss'? Valid: loss, metric."),
    ("task.data.separator=''", "task.data.separator must be what stands between labels, such as ;, but it is empty."),
    (
        "task.data.label_pattern='#('",
        "task.data.label_pattern must be a regular expression of one label, such as #(\\w+), but '#(' is none: ",
    ),
    ("task.data.label_pattern='x*'", "but 'x*' fits where nothing stands."),
    ("task.data.label_pattern='(a)(b)'", "but '(a)(b)' has 2 pairs of parentheses, where one is allowed."),
    ("train.keep=bestt", "Did you mean 'best'? Valid: all, best, none, seeds."),
    ("arm.recipe.decay=linar", "Did you mean 'linear'?"),
    ("train.size=0", "train.size must be a number of labels or 'all', but got 0."),
    ("arm.shrink=0.5", "arm.shrink=0.5 needs arm.start=scratch: the base's weights fit its own size alone."),
    ("arm.shrink=0", "arm.shrink must be above 0 and at most 1, but got 0.0."),
    ("arm.head=means", "arm.head must be one of its choices, but got 'means'."),
    ("arm.pretraining.objective=masked", "arm.pretraining.objective must be one of its choices, but got 'masked'."),
    ("arm.pretraining.batch=0", "arm.pretraining.batch must be at least 1, but got 0."),
    ("arm.pretraining.recipe.lr=0", "arm.pretraining.recipe.lr must be above 0, but got 0.0."),
    ("train.size=most", "train.size must be a number of labels or 'all', but got 'most'."),
    ("tracking.port=70000", "tracking.port must be from 1 to 65535, but got 70000."),
    ("tracking=server", "tracking=server needs the server's address"),
    ("base=hub", "base=hub needs the hub's name of the base"),
    ("base=local", "base=local needs a directory: base.path=DIRECTORY."),
    (
        "task=classification",
        "task.data.path is missing. For your own file: task=classification task.data.path=FILE.",
    ),
    ("task.data.text=label", "task.data.text and task.data.label must be two columns"),
    ("hardware.devices=2", "hardware.devices=2 needs hardware.strategy=ddp"),
    ("executor.workers=0", "executor.workers must be at least 1, but got 0."),
]


def rounds(pairs: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """The overrides in as few rounds as there are of the setting given most often: a composition takes a while."""
    left = list(pairs)
    while left:
        once = {override.partition("=")[0]: (override, said) for override, said in reversed(left)}
        yield list(once.values())
        left = [pair for pair in left if pair not in once.values()]


@pytest.mark.parametrize("pairs", [*rounds(BROKEN)])
def test_every_broken_rule_is_said_with_its_value(pairs: list[tuple[str, str]]) -> None:
    found = wrong(*(override for override, _ in pairs))
    for override, said in pairs:
        assert any(said in violation for violation in found), (override, found)


@pytest.mark.parametrize("devices", [2, 3, 8])
@pytest.mark.parametrize("batch", [1, 7, 31])
def test_a_batch_that_devices_cannot_share_is_refused_with_the_nearest_that_they_can(devices: int, batch: int) -> None:
    given = ["hardware=ddp_cpu", f"hardware.devices={devices}"]
    if batch % devices == 0:
        compose([*given, f"train.batch={batch}"])
        return
    (violation,) = wrong(*given, f"train.batch={batch}")
    for near in violation.partition("The nearest: ")[2].rstrip(".").split(" or "):
        assert compose([*given, f"train.batch={near}"]).train.batch == int(near)


@pytest.mark.parametrize("other", ["hardware.deterministic=true", "hardware.strategy=deepspeed"])
def test_compiled_layers_do_not_go_with_what_they_cannot_keep(other: str) -> None:
    (violation,) = wrong("hardware.compile=true", other)
    assert violation.startswith("hardware.compile=true")


def test_a_random_network_that_stays_fixed_is_refused() -> None:
    assert any("no baseline" in v for v in wrong("arm=frozen", "arm.start=scratch"))


@pytest.mark.parametrize("path", ["model.bin", "../model.gguf"])
def test_a_file_of_a_hubs_base_must_be_gguf(path: str) -> None:
    assert any("must be a GGUF file in it" in v for v in wrong("base=hub", "base.name=a/b", f"base.path={path}"))


def test_all_violations_are_told_at_once() -> None:
    found = wrong(
        "train.lr=-1", "train.batch=0", "train.precision=fp8", "task.name=../x", "tracking.port=0", "base=hub"
    )
    assert len(found) == 6
    with pytest.raises(ConfigError, match=r"breaks 6 rules:\n  1. .*\n  2. "):
        compose(
            ["train.lr=-1", "train.batch=0", "train.precision=fp8", "task.name=../x", "tracking.port=0", "base=hub"]
        )


def test_all_wrong_choices_are_told_at_once() -> None:
    assert [v.partition("=")[0] for v in wrong("arm=a", "base=b", "task=c")] == ["arm", "base", "task"]


STUDY = ["study.name=s", "study.arms=[pretrained,scratch]", "study.sizes=[10,all]", "study.seeds=[0]"]


UNJUDGED = [
    ("study.sizes=[]", "study.sizes must name at least one, but got none."),
    ("study.seeds=[1,1]", "study.seeds must not repeat itself, but got [1, 1]."),
    ("study.seeds=[-1]", "study.seeds must be 0 or more, but got -1."),
    ("study.sizes=[0]", "study.sizes must be numbers of labels or 'all', but got 0."),
    ("study.confidence=1", "study.confidence must be above 0.5 and below 1, but got 1.0."),
    (
        "+study.claims.a.metric=scroe",
        "study.claims.a.metric must be one of its choices, but got 'scroe'. Did you mean 'score'?",
    ),
    ("+study.claims.a.direction=up", "study.claims.a.direction must be one of its choices, but got 'up'."),
    ("+study.claims.a.delta=0", "study.claims.a: delta, the smallest effect that matters, must be above 0"),
    ("+study.claims.a.arm=frozzen", "study.claims.a: arm 'frozzen' is not in study.arms."),
    (
        "+study.claims.a.against=best_from_scrach",
        "is not in study.arms. Did you mean 'best_from_scratch'? Valid: best_",
    ),
    ("+study.claims.a.arm=best_from_scratch", "study.claims.a: arm must be one of study.arms, but got 'best_from_"),
    ("+study.claims.a.size=11", "study.claims.a: size 11 is not in study.sizes"),
    ("+study.claims.a.dataset=imbd", "dataset 'imbd' is not an evaluation set of the task. Did you mean 'imdb'"),
    ("+study.claims.a.metric=flops_to_target", "but got 'flops_to_target'. Costs to study.target are in the report's"),
    ("+study.claims.r.metric=effective_robustness", "compares the test set with another one: name it in dataset. Va"),
    ("+study.claims.s.metric=generalisation_gap", "name it in dataset. Valid: imdb, train."),
    ("+study.claims.t.metric=audit", "metric audit compares what an audit finds in two arms: name it in audit, for ex"),
    ("+study.claims.u.audit=calibration", "audit is read by metric audit, but got metric score. Leave audit out, or"),
    ("+study.claims.m.test=not_inferior", "test not_inferior needs margin, the largest loss that does not matter, for"),
    ("+study.claims.n.test=equivalent", "test equivalent needs margin, the largest difference that does not matter"),
    ("+study.claims.o.margin=0.01", "test superior reads no margin, but got 0.01: its threshold is delta. Leave"),
    ("+study.claims.b={test:not_inferior,margin:0.0}", "margin must be above 0, but got 0.0."),
    ("+study.claims.c={test:not_inferior,margin:0.01,delta:0.03}", "test not_inferior reads margin and no delta, but"),
    ("+study.claims.d={test:equivalent,margin:0.01,direction:lower}", "test equivalent looks both ways, but got"),
    ("+study.claims.f={metric:label_multiplier}", "delta of metric label_multiplier is a factor and must be above 1"),
    ("+study.claims.g={metric:compute_multiplier,delta:2,direction:lower}", "metric compute_multiplier has no other,"),
    ("+study.claims.p.test=non_inferior", "must be one of its choices, but got 'non_inferior'. Did you mean 'not_infe"),
    ("+study.claims.q.metric=label_multiplyer", "but got 'label_multiplyer'. Did you mean 'label_multiplier'?"),
]


@pytest.mark.parametrize("pairs", [*rounds(UNJUDGED)])
def test_a_study_that_cannot_be_judged_is_refused_with_every_reason(pairs: list[tuple[str, str]]) -> None:
    found = wrong(*STUDY, *(override for override, _ in pairs))
    for override, said in pairs:
        assert any(said in violation for violation in found), (override, found)


def test_an_arm_that_several_claims_miss_is_one_error_with_all_that_drops_them() -> None:
    (found,) = wrong("experiments=quickstart", "study.arms=[pretrained,bag_of_words,scratch_small]")
    assert found == (
        "study.claims.accurate, out_of_domain, less_data, less_compute, early: arm 'scratch' is not in study.arms. Add "
        "it to study.arms. To drop the 5 claims: ~study.claims.accurate ~study.claims.out_of_domain "
        "~study.claims.less_data ~study.claims.less_compute ~study.claims.early."
    )


def test_claims_and_out_of_domain_sets_can_be_added_and_changed_on_the_command_line() -> None:
    config = compose([*STUDY, "+study.claims.a.size=10", "+task.out_of_domain.mine={path: m.csv, text: review}"])
    assert config.study.claims["a"].size == 10
    assert config.study.claims["a"].against == "scratch"
    assert (config.task.out_of_domain["mine"].path, config.task.out_of_domain["mine"].label) == ("m.csv", "label")
    assert set(config.task.out_of_domain) == {"imdb", "mine"}
    changed = compose(["experiments=quickstart", "study.claims.accurate.delta=0.5"])
    assert changed.study.claims["accurate"].delta == 0.5
    assert changed.study.claims["accurate"].statement == "A pretrained start is more accurate"


def test_rows_to_keep_and_names_of_labels_can_be_added() -> None:
    data = compose(["task=classification", "task.data.path=a.csv", "+task.data.where.language=en"]).task.data
    assert data.where == {"language": "en"}
    named = compose(["task=classification", "task.data.path=a.csv", "task.data.label_names={0: bad, 1: good}"])
    assert named.task.data.label_names == {"0": "bad", "1": "good"}
    one = compose(["task=classification", "task.data.path=a.csv", "task.data.label_names.3=bad"])
    assert one.task.data.label_names == {"3": "bad"}


@pytest.mark.parametrize(
    "override",
    [
        "task=../../outside", "base=../task/sentiment", "arm=/etc/passwd", "experiments=../conf/task/sentiment",
        "task=./sentiment", "experiments=[../outside]", "task='../../outside'", "study.name=../x", "study.name=a/b",
        "study.name=.hidden", "task.name=../x", "arm.name=../x", "+task.out_of_domain.x/y={path: a}",
        "+task.out_of_domain={'../x': {path: a}}", "base.name=../x",
    ],
)  # fmt: skip
def test_a_name_that_leads_out_of_its_folder_is_refused(
    override: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = "name: evil\nkind: classification\ndata: {path: x.csv}\n"
    (tmp_path / "here" / "conf" / "task").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "here", tmp_path / "here" / "conf"):
        (folder / "outside.yaml").write_text(outside)
    monkeypatch.chdir(tmp_path / "here")
    assert wrong(override)


@pytest.mark.parametrize("metric", ["label_multiplier", "compute_multiplier", "early_area"])
def test_a_claim_about_a_set_that_its_metric_never_looks_at_is_refused(metric: str) -> None:
    claim = [f"+study.claims.far.metric={metric}", "+study.claims.far.dataset=imdb", "study.target=0.6"]
    claim.append("+study.claims.far.delta=2.0")
    (said,) = wrong(*STUDY, *claim)
    assert f"metric {metric} is about the task's own sets, but got dataset 'imdb'" in said


@pytest.mark.parametrize("metric", ["early_area", "initial_score", "gain_over_start"])
def test_the_best_from_scratch_has_no_cost_and_no_course_of_its_own(metric: str) -> None:
    claim = ["+study.claims.rival.against=best_from_scratch", f"+study.claims.rival.metric={metric}"]
    (said,) = wrong(*STUDY, *claim, "study.target=0.6")
    assert said.startswith(f"study.claims.rival: metric {metric} reads how one training went or what it cost, but")
    assert (
        "Use metric score, label_multiplier, generalisation_gap, effective_robustness, audit, or name one arm in "
        "against." in said
    )


@pytest.mark.parametrize("named", ["best_from_scratch", "best_from_scratch@minilm"])
def test_the_name_of_the_best_from_scratch_is_reserved(named: str) -> None:
    (said,) = wrong(*STUDY, f"study.arms=[pretrained,scratch,{named}]")
    assert said.startswith(f"study.arms names '{named}': that name is reserved for the best of the arms from scratch")
    assert "name it in a claim: against: best_from_scratch." in said


def test_a_gap_between_training_and_test_can_be_claimed_and_no_score_in_training() -> None:
    claim = ["+study.claims.gap.dataset=train", "+study.claims.gap.metric=generalisation_gap"]
    assert compose([*STUDY, *claim]).study.claims["gap"].dataset == "train"
    (said,) = wrong(*STUDY, "+study.claims.gap.dataset=train")
    assert "dataset 'train' is not an evaluation set of the task" in said


def test_an_arm_that_is_not_there_is_named_and_claims_are_not_blamed() -> None:
    (said,) = wrong(*STUDY, "study.arms=[pretrained,scrath]", "+study.claims.a.against=scratch")
    assert said.startswith("study.arms names 'scrath': there is no such arm. Did you mean 'scratch'?")


@pytest.mark.parametrize("target", ["60", "-0.1", "1"])
def test_a_target_that_no_score_can_have_is_refused(target: str) -> None:
    (said,) = wrong(*STUDY, f"study.target={target}")
    assert f"study.target must be above 0 and below 1 for accuracy, but got {float(target)}. 60% is 0.6." in said


@pytest.mark.parametrize("name", ["12345e6789012345", "007", "1_000", "1e3"])
def test_a_name_that_looks_like_a_number_is_taken_as_it_stands(name: str) -> None:
    assert compose([f"cell={name}"], trained=True).cell == name


def test_an_old_setting_is_answered_with_what_took_its_place() -> None:
    with pytest.raises(ConfigError, match=r"arm\.trained: there is no such setting\. It is arm\.method now: full"):
        compose(["arm.trained=head"])
    with pytest.raises(ConfigError, match=r"It is hardware\.gradient_checkpointing now\."):
        compose(["hardware.recompute=true"])
