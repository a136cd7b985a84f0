"""Secrets are masked wherever settings are shown or stored."""

import dataclasses

import pytest

from pipeline.config.cell import Cell
from pipeline.config.compose import shown
from pipeline.config.redaction import public, secret_settings, without_credentials, without_secrets
from pipeline.config.schema import Arm, Base, Data, Task, Train
from pipeline.records import to_json

TOKEN = "hf_VerySecret123"


def test_the_settings_typed_as_secret_are_known_by_name() -> None:
    assert set(secret_settings()) == {
        "base.token",
        "task.data.token",
        "task.out_of_domain.*.token",
        "sweep.storage",
        "tracking.uri",
    }


@pytest.mark.parametrize(
    "override",
    [
        f"base.token={TOKEN}", f"+base.token={TOKEN}", f"++base.token='{TOKEN}'", f"task.data.token={TOKEN}",
        f"+task.out_of_domain.mine.token={TOKEN}", f"+task.out_of_domain.mine={{path: a, token: {TOKEN}}}",
        f"+task.out_of_domain.mine={{token:{TOKEN},path:a}}", f"task.data={{token: '{TOKEN}'}}",
        f"base.token ={TOKEN}", f"base.token:={TOKEN}", f"+task.out_of_domain.ré.token:='{TOKEN}'",
        f"tracking.uri=https://me:{TOKEN}@host/x", f"tracking.uri={TOKEN}",
        f"base.upstream=https://me:{TOKEN}@host/x", f"study.question='see http://{TOKEN}@host'",
    ],
)  # fmt: skip
def test_a_secret_in_an_override_is_masked(override: str) -> None:
    (masked,) = without_secrets([override])
    assert TOKEN not in masked
    assert "***" in masked
    assert masked.partition("=")[0].strip() == override.partition("=")[0].strip()


@pytest.mark.parametrize(
    "override",
    ["train.lr=1e-4", "experiments=quickstart", "task.data.path=a@b.csv", "tracking.uri=https://mlflow.example.org/x",
     "base.name=sentence-transformers/all-MiniLM-L6-v2", "task.data.text=token", "--info"],
)  # fmt: skip
def test_what_is_no_secret_is_shown_as_it_is(override: str) -> None:
    assert without_secrets([override]) == [override]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://me:pw@host/a", "https://***@host/a"),
        ("see http://pw@host and ftp://u:p@h", "see http://***@host and ftp://***@h"),
        ("postgresql://u:p@h:5/db", "postgresql://***@h:5/db"),
        ("postgresql://me:hun/ter2@db/s", "postgresql://***@db/s"),
        ("postgresql://db/s?user=me&password=hunter2", "postgresql://db/s?user=me&password=***"),
        ("https://host/a?access_token=abc&page=2 and more", "https://host/a?access_token=***&page=2 and more"),
        ("me@host", "me@host"),
        ("https://host/a@b", "https://host/a@b"),
    ],
)
def test_names_and_passwords_are_taken_out_of_addresses(text: str, expected: str) -> None:
    assert without_credentials(text) == expected


def test_the_whole_configuration_is_shown_without_secrets() -> None:
    text = shown(
        [f"base.token={TOKEN}", f"task.data.token={TOKEN}", "tracking=server", f"tracking.uri=https://me:{TOKEN}@host"]
    )
    assert TOKEN not in text
    assert text.count("***") == 3
    assert "name: minilm" in text
    assert TOKEN not in shown([f"base.token={TOKEN}"], "base.token")


def test_a_stored_cell_has_no_secrets_and_all_else() -> None:
    data = Data(path="a.csv", token=TOKEN)
    cell = Cell(
        base=Base(name="b", token=TOKEN),
        task=Task(name="t", data=data, out_of_domain={"mine": data}),
        arm=Arm(name="a"),
        train=Train(),
    )
    stored = public(cell)
    assert TOKEN not in to_json(stored)
    assert TOKEN in to_json(cell)
    clean = dataclasses.replace(data, token=None)
    assert stored.task == dataclasses.replace(cell.task, data=clean, out_of_domain={"mine": clean})
    assert stored.arm == cell.arm


@pytest.mark.parametrize(
    "value", ["https://host/?token=abc", "https://host/a?b=c", "postgresql://u:p/q@host/db", "abc"]
)
def test_a_secret_setting_is_masked_unless_it_is_an_address_without_anything_to_hide(value: str) -> None:
    assert without_secrets([f"tracking.uri={value}"]) == ["tracking.uri=***"]
