"""Write a table with few rows of some classes: BBC News, of which topics keep 507, 505, 150, 80 and 50 articles.

    python experiments/skewed_topics.py skewed.csv
    headstart compare skewed.csv 'study.sizes=[60,240]' 'study.seeds=[0,1,2]' task.max_length=64 study.budget=null
    python experiments/probe_against_sklearn.py classification=60,240 task.data.path=skewed.csv \
      task.data.label=topic task.max_length=64

Public data of that form (Reuters) are where fine-tuning with a fixed number of steps used to lose to scikit-learn.
BBC News may not be used commercially.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

from pipeline.config.compose import compose
from pipeline.data.examples import examples
from pipeline.errors import UserError

MOST = {"sports": 511, "business": 510, "politics": 150, "tech": 80, "entertainment": 50}


def rows() -> list[tuple[str, str]]:
    """(text, topic), the first of each topic up to its number."""
    cleaned = examples(compose(["task=topic"]).task)
    counts, kept = Counter[str](), list[tuple[str, str]]()
    for part in ("train", "validation", "test"):
        numbered = cleaned.sets[part]
        for example, number in zip(numbered.examples, numbered.labels, strict=True):
            topic = cleaned.labels[int(number)]
            counts[topic] += 1
            if counts[topic] <= MOST[topic]:
                kept.append((example.text, topic))
    return kept


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("The form is: python experiments/skewed_topics.py FILE.csv")
    try:
        table = rows()
    except UserError as error:
        raise SystemExit(str(error)) from error
    with Path(sys.argv[1]).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "topic"), *table])
    print(f"{len(table)} rows in {sys.argv[1]}: {dict(Counter(topic for _, topic in table))}")
