"""The same rows, written as each source keeps them. Every writer takes a folder and rows and returns a `Data`."""

import csv
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pipeline.config.schema import Data, Task

Row = tuple[str, int]
Writer = Callable[[Path, Sequence[Row]], Data]

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def rows(count: int = 60, classes: int = 2, seed: int = 0) -> list[Row]:
    """`count` different sentences of 3 to 12 words, classes in turn."""
    generator = np.random.default_rng(seed)
    words = [f"w{seed}x{i}" for i in range(400)]
    return [
        (" ".join(generator.choice(words, size=int(generator.integers(3, 13)))) + f", row{i}", i % classes)
        for i in range(count)
    ]


def task(data: Data, **settings: object) -> Task:
    """A small classification task on `data`."""
    return Task(name="reviews", data=data, max_length=16, **settings)  # type: ignore[arg-type]


def write_csv(folder: Path, table: Sequence[Row], name: str = "reviews.csv", delimiter: str = ",") -> Data:
    """source=file, a CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([("text", "label"), *table])
    return Data(source="file", path=str(folder / name))


def write_tsv(folder: Path, table: Sequence[Row]) -> Data:
    """source=file, tabs."""
    return write_csv(folder, table, "reviews.tsv", "\t")


def write_semicolons(folder: Path, table: Sequence[Row]) -> Data:
    """source=file, a CSV as spreadsheets with decimal commas write it."""
    return write_csv(folder, table, "reviews.csv", ";")


def write_json_lines(folder: Path, table: Sequence[Row]) -> Data:
    """source=file, JSON lines."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"text": text, "label": label}) for text, label in table]
    (folder / "reviews.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Data(source="file", path=str(folder / "reviews.jsonl"))


def write_json_object(folder: Path, table: Sequence[Row]) -> Data:
    """source=file, a JSON object that holds the rows among other things."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {"version": 1, "pages": [{"id": 1}], "reviews": [{"text": text, "label": label} for text, label in table]}
    (folder / "reviews.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return Data(source="file", path=str(folder / "reviews.json"))


def write_parquet(folder: Path, table: Sequence[Row]) -> Data:
    """source=file, Parquet, uncompressed so that tests can edit it in place."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    columns = {"text": [text for text, _ in table], "label": [float(label) for _, label in table]}
    pq.write_table(pa.table(columns), folder / "reviews.parquet", compression="none", use_dictionary=False)
    return Data(source="file", path=str(folder / "reviews.parquet"))


def write_package(folder: Path, table: Sequence[Row]) -> Data:
    """source=package: a CSV in an installed package; its code would fail if it were imported."""
    site, name = folder / "site", f"sample_{abs(hash(str(folder)))}"
    write_csv(site / name / "data", table)
    (site / name / "__init__.py").write_text("raise RuntimeError('imported')\n", encoding="utf-8")
    install(site, name, [f"{name}/__init__.py", f"{name}/data/reviews.csv"])
    return Data(source="package", package=f"{name}==1.0", path=f"{name}/data/reviews.csv")


def write_package_folder(folder: Path, table: Sequence[Row]) -> Data:
    """source=package: one folder a class, one text file a row."""
    site, name = folder / "site", f"corpus_{abs(hash(str(folder)))}"
    for i, (text, label) in enumerate(table):
        path = site / name / "data" / str(label) / f"{i:03d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    install(site, name, [f"{name}/data/0/000.txt"])
    return Data(source="package", package=f"{name}==1.0", path=f"{name}/data")


def install(site: Path, name: str, files: Sequence[str]) -> None:
    """Make `site` a place of installed packages that holds `name` 1.0; the caller restores sys.path."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files), encoding="utf-8")
    if str(site) not in sys.path:
        sys.path.insert(0, str(site))


def write_local(folder: Path, table: Sequence[Row]) -> Data:
    """source=local: a DatasetDict as `datasets` saves it, labels as ClassLabel."""
    import datasets

    names = sorted({str(label) for _, label in table})
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
    columns = {"text": [text for text, _ in table], "label": [label for _, label in table]}
    found = datasets.Dataset.from_dict(columns, features=features)
    datasets.DatasetDict({"train": found}).save_to_disk(str(folder / "saved"))
    return Data(source="local", path=str(folder / "saved"))


def write_hub_cache(folder: Path, table: Sequence[Row], commit: str = COMMIT) -> Data:
    """source=hub: what `datasets` left in its cache for owner/name at `commit`; HF_DATASETS_CACHE must be `folder`."""
    saved = Path(write_local(folder / f"made-{commit}", table).path or "") / "train"
    cached = folder / "owner___name" / "default" / "0.0.0" / commit
    cached.mkdir(parents=True)
    info = json.loads((saved / "dataset_info.json").read_text(encoding="utf-8"))
    info |= {"config_name": "default", "dataset_name": "name", "version": {"version_str": "0.0.0"}}
    info["splits"] = {"train": {"name": "train", "num_examples": len(table)}}
    (cached / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    shutil.copy(saved / "data-00000-of-00001.arrow", cached / "name-train.arrow")
    return Data(source="hub", path="owner/name", revision=commit)


WRITERS: dict[str, Writer] = {
    "csv": write_csv,
    "csv with semicolons": write_semicolons,
    "tsv": write_tsv,
    "json lines": write_json_lines,
    "json object": write_json_object,
    "parquet": write_parquet,
    "package file": write_package,
    "local directory": write_local,
    "hub cache": write_hub_cache,
}


def word_tokenizer() -> object:
    """A real tokenizer that needs no files: one token a word, [CLS] and [SEP] around."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = [text for seed in range(3) for text, _ in rows(seed=seed)]
    core.train_from_iterator(words, trainers.WordLevelTrainer(special_tokens=special))
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]")
