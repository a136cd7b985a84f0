"""Tables of researchers: moderation, splits, several labels, two texts, scores of similarity, many languages."""

import random

from tests.data.shapes.shape import Row, Shape, delimited, json_lines, phrase, stamp

WHO = ("A man", "Two children", "An old woman", "The cyclist", "A dog", "Three workers")
DOES = ("is crossing the street", "plays a guitar", "is reading a newspaper", "waits for the bus", "sleeps on a bench")
PLACE = ("in the rain.", "near the station.", "in front of a red house.", "at night.", "while others watch.")
SETTINGS = ("under distribution shift.", "with few labels.", "at scale.")
SYSTEMS = ("Our method", "The baseline", "A simple model")
OUTCOMES = ("improves on prior work", "fails in surprising ways", "is competitive")
MARGINS = ("by a margin.", "on four data sets.", "and is faster.")


def moderation(rng: random.Random) -> bytes:
    """One platform in every row, and an answer that is true or false."""
    rude = ("You are an idiot", "Nobody wants you here", "What a pathetic take", "Go away, clown")
    kind = ("Thanks for sharing this", "I see it differently", "Does anyone have the source", "Nice write-up")
    rows: list[Row] = []
    for _ in range(300):
        toxic = rng.random() < 0.3
        said = phrase(
            rng,
            rude if toxic else kind,
            ("@mod_team", "folks", "Anna", "everyone"),
            ("!!!", "...", "?", "."),
            ("lol", "👍", "", "imho"),
        )
        rows.append((f"t1_{rng.getrandbits(30):06x}", "forum", 1, said.strip(), rng.choice((0, 1, 2, 5)), toxic))
    return delimited(("comment_id", "platform", "schema_version", "comment_text", "replies", "is_toxic"), rows)


def split(rng: random.Random) -> bytes:
    """Train, validation and test stand in one file."""
    intents = {
        "card_lost": ("I lost my card", "my card is gone", "somebody stole my card"),
        "exchange_rate": ("what is the rate for euros", "how much is a pound today"),
        "top_up_failed": ("my top-up did not work", "the money was not added"),
        "close_account": ("please close my account", "I want to leave your bank"),
    }
    rows: list[Row] = []
    for _ in range(280):
        intent = rng.choice(tuple(intents))
        text = phrase(
            rng,
            ("hey", "hello there", "ok", "um", "sorry"),
            intents[intent],
            ("today", "please", "in Spain", "since Friday"),
        )
        rows.append(
            (
                f"{text} {rng.choice(('thanks', 'asap', 'now', 'bye'))}",
                intent,
                rng.choices(("train", "validation", "test"), (7, 1, 2))[0],
            )
        )
    return delimited(("text", "category", "split"), rows, newline="\n")


def subjects(rng: random.Random) -> bytes:
    """Titles and abstracts with one to three subjects, joined by a bar."""
    words = {
        "cs.CL": ("parsing", "translation", "dialogue"),
        "cs.CV": ("segmentation", "optical flow", "image retrieval"),
        "stat.ML": ("kernel methods", "variational inference", "causal estimates"),
        "cs.RO": ("grasping", "path planning", "legged locomotion"),
        "q-bio.NC": ("spiking neurons", "cortical maps", "fMRI decoding"),
    }
    rows: list[Row] = []
    for _ in range(180):
        chosen = rng.sample(tuple(words), rng.choice((1, 1, 2, 3)))
        about = [rng.choice(words[one]) for one in chosen]
        title = phrase(rng, ("Towards", "Rethinking", "A note on", "Scaling"), (" and ".join(about),))
        opening = phrase(rng, ("We study", "This paper revisits", "We propose a benchmark for"), (", ".join(about),))
        abstract = f"{opening} {phrase(rng, SETTINGS, SYSTEMS, OUTCOMES, MARGINS)}"
        rows.append(
            (f"{rng.randint(2101, 2512)}.{rng.randint(1000, 99999):05}", title, abstract, "|".join(chosen), stamp(rng))
        )
    return delimited(("arxiv_id", "title", "abstract", "subjects", "published"), rows)


def inference(rng: random.Random) -> bytes:
    """Premise and hypothesis as in MultiNLI, with the genre beside them."""
    rows: list[Row] = []
    for i in range(200):
        premise, other = (
            phrase(rng, WHO, DOES, PLACE),
            phrase(rng, WHO, DOES, ("outside.", "alone.", "happily.", "again.")),
        )
        label = rng.choice(("entailment", "neutral", "contradiction"))
        rows.append((f"{31000 + i}{label[0]}", rng.choice(("fiction", "travel", "telephone")), premise, other, label))
    return delimited(("pairID", "genre", "premise", "hypothesis", "gold_label"), rows, delimiter="\t", newline="\n")


def similar(rng: random.Random) -> bytes:
    """Two sentences and the mean score of their annotators between 0 and 5, as in the STS benchmark."""
    rows: list[Row] = []
    for i in range(220):
        one, other = phrase(rng, WHO, DOES, PLACE), phrase(rng, WHO, DOES, PLACE)
        score = round(min(5.0, max(0.0, rng.gauss(2.6, 1.4))) * 5) / 5
        rows.append(
            (
                rng.choice(("main-captions", "main-news", "main-forums")),
                rng.randint(2012, 2017),
                f"{i:04}",
                score,
                one,
                other,
            )
        )
    return delimited(("genre", "year", "sid", "score", "sentence1", "sentence2"), rows)


def assistants(rng: random.Random) -> bytes:
    """What is said to an assistant in three languages, by forty speakers."""
    said = {
        "alarm_set": {"en": "wake me up at {n}", "de": "weck mich um {n} Uhr", "pt": "me acorde às {n} horas"},
        "lights_off": {"en": "turn off lamp {n}", "de": "mach Lampe {n} aus", "pt": "apague a luz {n}"},
        "play_music": {
            "en": "play track {n} again",
            "de": "spiel Lied {n} noch einmal",
            "pt": "toque a faixa {n} de novo",
        },
        "weather": {"en": "will it rain in {n} days", "de": "regnet es in {n} Tagen", "pt": "vai chover em {n} dias"},
    }
    rows = []
    for i in range(300):
        intent, locale = rng.choice(tuple(said)), rng.choice(("en", "de", "pt"))
        utterance = said[intent][locale].format(n=rng.randint(1, 60))
        rows.append(
            {
                "id": i,
                "locale": locale,
                "worker_id": rng.randint(1, 40),
                "partition": "train",
                "utt": utterance,
                "intent": intent,
            }
        )
    return json_lines(rows)


SHAPES = (
    Shape(file="moderation.csv", write=moderation, text="comment_text", label="is_toxic"),
    Shape(file="banking.csv", write=split, text="text", label="category"),
    Shape(file="papers.csv", write=subjects, text="abstract", label="subjects", kind="multi_label_classification"),
    Shape(
        file="inference.tsv",
        write=inference,
        text="premise",
        second="hypothesis",
        label="gold_label",
        kind="pair_classification",
    ),
    Shape(file="similar.csv", write=similar, text="sentence1", second="sentence2", label="score", kind="similarity"),
    Shape(
        file="assistants.jsonl", write=assistants, text="utt", label="intent", groups=("worker_id",), language="locale"
    ),
)
