"""The working directory's conf/ and experiments/ come before the package's own."""

from pathlib import Path

import pytest

from pipeline.config.compose import compose
from pipeline.config.preset_files import about_own_files
from pipeline.errors import ConfigError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str) -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_packages_own_presets_are_found_from_anywhere() -> None:
    assert compose(["experiments=quickstart"]).study.name == "quickstart"


def test_an_own_preset_can_be_chosen_beside_the_packages() -> None:
    write("conf/task/mine.yaml", "name: mine\nkind: classification\ndata: {path: mine.csv}\n")
    assert compose(["task=mine"]).task.data.path == "mine.csv"
    assert compose(["task=topic"]).task.name == "topic"


def test_an_own_preset_of_the_same_name_wins() -> None:
    write("conf/arm/scratch.yaml", "name: scratch\nstart: scratch\nrecipe: {lr: 0.5}\n")
    assert compose(["arm=scratch"]).arm.recipe.lr == 0.5


def test_an_own_preset_can_build_on_one_of_the_packages() -> None:
    write("conf/base/mine.yaml", "defaults: [minilm, _self_]\nname: mine\n")
    base = compose(["base=mine"]).base
    assert (base.name, base.source) == ("mine", "package")


def test_an_own_study_can_be_chosen() -> None:
    write(
        "experiments/mine.yaml",
        "# @package _global_\nstudy: {name: mine, arms: [pretrained, scratch], sizes: [10], seeds: [0],\n"
        "  claims: {a: {size: 10}}}\ntrain: {batch: 8}\n",
    )
    config = compose(["experiments=mine"])
    assert (config.study.name, config.train.batch, config.study.claims["a"].delta) == ("mine", 8, 0.02)


@pytest.mark.parametrize(
    "text",
    [
        "study: {name: mine}\n",
        "# mine\ndefaults:\n  - override /task: topic\nstudy: {name: mine}\n# @package _global_\n",
    ],
)
def test_a_study_without_its_first_line_is_told_which_one_is_missing(text: str) -> None:
    write("experiments/mine.yaml", text)
    with pytest.raises(ConfigError, match=r"must open with the line '# @package _global_', but .*mine\.yaml does not"):
        compose(["experiments=mine"])


def test_a_preset_in_a_sub_folder_is_called_by_its_path() -> None:
    write("conf/arm/ours/fast.yaml", "# @package arm\nname: fast\nrecipe: {epochs: 1}\n")
    assert compose(["arm=ours/fast"]).arm.name == "fast"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: mine\nkindd: classification\n", "task.kindd: there is no such setting. Did you mean 'task.kind'?"),
        ("name: mine\nmax_length: long\n", "task.max_length: Value 'long'"),
        ("name: [1\n", "mine.yaml"),
        ("name: a: b\n", "mine.yaml"),
        ("just text\n", "task.just: there is no such setting."),
        ("defaults: [nothing]\n", "nothing"),
        ("data: {_target_: os.system}\n", "task.data._target_: there is no such setting."),
    ],
)
def test_a_wrong_own_file_is_an_error_that_says_where(text: str, said: str) -> None:
    write("conf/task/mine.yaml", text)
    with pytest.raises(ConfigError) as caught:
        compose(["task=mine"])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "path",
    ["conf/config.yaml", "conf/train/default.yaml", "config.yaml", "train/default.yaml", "conf/schema.yaml",
     "conf/hydra/output/default.yaml", "conf/hydra/job_logging/default.yaml"],
)  # fmt: skip
def test_files_of_another_program_do_not_take_over(path: str) -> None:
    write("experiments/mine.yaml", "# @package _global_\nstudy: {name: ''}\n")
    write(path, "lr: 3.0\nbatch: 7\ntrain: {lr: 3.0}\ndefaults: [{db: mysql}]\n")
    config = compose(["experiments=mine"])
    assert (config.train.lr, config.train.batch) == (None, 32)


def test_a_whole_configuration_of_another_program_changes_nothing() -> None:
    before = compose(["experiments=quickstart"])
    write("conf/config.yaml", "defaults:\n  - db: mysql\n  - _self_\nlearning_rate: 0.1\n")
    write("conf/db/mysql.yaml", "driver: mysql\nuser: someone\n")
    write("conf/tracking/local.yaml", "logger: mlflow\nuri: sqlite:///x.db\n")
    assert compose(["experiments=quickstart"]) == before
    assert [sentence.partition(" ")[0] for sentence in about_own_files()] == ["conf/tracking/local.yaml"]


def test_a_default_is_the_packages_own_and_an_own_file_of_its_name_is_used_where_it_is_chosen() -> None:
    write("conf/train/default.yaml", "lr: 3.0\n")
    write("conf/arm/scratch.yaml", "name: scratch\nstart: scratch\nrecipe: {lr: 0.5}\n")
    assert compose().train.lr is None
    assert about_own_files() == (
        "conf/train/default.yaml of the working folder is not used: the default is the preset of this name. "
        "To use the file: train=default.",
    )
    config = compose(["train=default", "arm=scratch"])
    assert (config.train.lr, config.arm.recipe.lr) == (3.0, 0.5)
    used = "of the working folder was used instead of the preset of this name."
    assert set(about_own_files()) == {f"conf/train/default.yaml {used}", f"conf/arm/scratch.yaml {used}"}


def test_an_error_names_the_own_file_that_took_the_place_of_a_preset() -> None:
    write("conf/tracking/local.yaml", "logger: mlflow\n")
    with pytest.raises(
        ConfigError, match=r"tracking\.logger: there is no such .*conf/tracking/local\.yaml of the work"
    ):
        compose(["tracking=local"])


def test_a_preset_that_builds_on_another_keeps_the_packages_where_that_is_a_default() -> None:
    write("conf/base/minilm.yaml", "name: other\nsource: local\npath: x\n")
    write("conf/base/mine.yaml", "defaults: [minilm, _self_]\nname: mine\n")
    assert compose(["base=mine"]).base.source == "package"
