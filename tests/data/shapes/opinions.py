"""Tables of opinions: reviews with stars, a survey, German and Portuguese headings, ratings in nested JSON lines."""

import random

from tests.data.shapes.shape import Row, Shape, delimited, json_lines, phrase, stamp

THINGS = ("The kettle", "This blender", "The strap", "The battery", "My new lamp", "The zip", "The whole set")
PRAISE = ("works better than I hoped", "still looks new", "was worth every cent", "arrived early and well packed")
MIDDLING = ("does its job", "is fine for the price", "is smaller than in the picture", "took a while to get used to")
BLAME = ("broke after two weeks", "smells of plastic", "never worked at all", "is a waste of money")
TAILS = (
    "and I would buy it again.",
    "so I told my sister about it.",
    "although the manual is of little help.",
    "even after daily use.",
    "which I did not expect.",
    "at least so far.",
    "and the colour is different from the photo.",
)


def opinion(rng: random.Random, stars: int) -> str:
    """Returns one or two sentences that fit one to five stars."""
    verdict = BLAME if stars < 3 else MIDDLING if stars == 3 else PRAISE
    sentences = [phrase(rng, THINGS, verdict, TAILS) for _ in range(rng.randint(1, 2))]
    return " ".join(sentences)


def reviews(rng: random.Random) -> bytes:
    rows: list[Row] = []
    for i in range(240):
        stars = rng.choice((1, 2, 3, 4, 5, 5))
        title = phrase(rng, ("Great", "Okay", "Poor", "Lovely", "Not again"), ("buy", "value", "product", "gift"))
        who, what = f"A{rng.randint(1, 70):04}XQ", f"B00{rng.randint(1, 18):03}"
        votes = rng.choice((0, 0, 0, 1, 2, 7, 31))
        rows.append(
            (
                f"R{100000 + 37 * i}",
                what,
                who,
                stamp(rng),
                stars,
                title,
                opinion(rng, stars),
                votes,
                "Y" if i % 5 else "N",
            )
        )
    header = ("review_id", "product_id", "reviewer_id", "review_date", "star_rating", "headline", "review_body")
    return delimited((*header, "helpful_votes", "verified_purchase"), rows)


def survey(rng: random.Random) -> bytes:
    """A survey tool's export: constant columns, Likert items, and one open question that not all have answered."""
    question = "In your own words: what is the main reason for your score?"
    items = [f"Q{k}_{j}" for k in (2, 3) for j in range(1, 6)]
    header = (
        "Response ID",
        "Start Date",
        "End Date",
        "Status",
        "Progress",
        "Duration (in seconds)",
        "Finished",
        *items,
    )
    rows: list[Row] = []
    for _ in range(220):
        group, stars = rng.choice((("Detractor", 1), ("Passive", 3), ("Promoter", 5)))
        answer = rng.choice(("", "n/a", "nothing", "-")) if rng.random() < 0.2 else opinion(rng, stars)
        likert = [min(5, max(1, stars + rng.choice((-1, 0, 0, 1)))) for _ in items]
        day = stamp(rng, "{m}/{d}/{y} {h}:{min:02}")
        rows.append((f"R_{rng.getrandbits(60):015x}", day, day, "IP Address", 100, rng.randint(40, 900), "True",
                     *likert, answer, group))  # fmt: skip
    return delimited((*header, question, "NPS group"), rows)


def german(rng: random.Random) -> bytes:
    things = ("Der Wasserkocher", "Die Lampe", "Das Kabel", "Der Rucksack", "Die Hülle")
    verdicts = (
        ("ist nach zwei Wochen kaputt gegangen", "riecht stark nach Kunststoff"),
        ("erfüllt ihren Zweck", "ist für den Preis in Ordnung"),
        ("funktioniert hervorragend", "sieht noch aus wie neu"),
    )
    tails = (
        "und die Lieferung war pünktlich.",
        "aber die Anleitung ist unverständlich.",
        "wer hätte ich nicht gedacht?",
    )
    rows: list[Row] = []
    for i in range(180):
        level = rng.randrange(3)
        mark = (rng.choice((1, 2)), 3, rng.choice((4, 5)))[level]
        price = f"{rng.randint(5, 120)},{rng.choice((49, 90, 95, 99))}"
        rows.append((i + 1, stamp(rng, "{d:02}.{m:02}.{y}"), f"ART-{rng.randint(1, 9):02}", price,
                     phrase(rng, things, verdicts[level], tails), mark))  # fmt: skip
    return delimited(
        ("Nr.", "Datum", "Artikel", "Preis", "Kommentar", "Bewertung"), rows, delimiter=";", encoding="utf-8-sig"
    )


def portuguese(rng: random.Random) -> bytes:
    """Saved by a Brazilian spreadsheet: semicolons and Latin-1. The heading "avaliacao" is the text, not the grade."""
    things = ("A bateria", "O atendimento", "A embalagem", "O produto", "A entrega")
    verdicts = (
        ("é péssima", "não funcionou", "decepcionou"),
        ("é razoável", "cumpre a função"),
        ("é ótima", "superou a expectativa"),
    )
    tails = ("e não recomendo a ninguém.", "mas o preço ajuda.", "já na primeira semana.", "desde a promoção de março.")
    rows: list[Row] = []
    for i in range(160):
        grade = rng.randint(1, 5)
        said = phrase(rng, things, verdicts[0 if grade < 3 else 1 if grade == 3 else 2], tails)
        rows.append((5000 + i, stamp(rng, "{d:02}/{m:02}/{y}"), f"{said} {phrase(rng, things, tails)}", grade))
    return delimited(("código", "data", "avaliacao", "nota"), rows, delimiter=";", encoding="latin-1")


def nested(rng: random.Random) -> bytes:
    """What a web shop's interface answers: objects in objects."""
    rows = []
    for i in range(200):
        stars = rng.randint(1, 5)
        rows.append({
            "id": f"{rng.getrandbits(96):024x}",
            "review": {"title": rng.choice(("So good", "Very odd", "Quite bad", "Fine")), "text": opinion(rng, stars)},
            "meta": {"stars": stars, "user": f"user{rng.randint(1, 50)}", "lang": "en" if i % 9 else "en-GB",
                     "created_at": stamp(rng, "{y}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}Z"), "verified": bool(i % 3)},
        })  # fmt: skip
    return json_lines(rows)


SHAPES = (
    Shape(
        file="reviews.csv", write=reviews, text="review_body", label="star_rating", groups=("reviewer_id", "product_id")
    ),
    Shape(
        file="survey.csv",
        write=survey,
        text="In your own words: what is the main reason for your score?",
        label="NPS group",
    ),
    Shape(file="kommentare.csv", write=german, text="Kommentar", label="Bewertung", groups=("Artikel", None)),
    Shape(file="avaliacoes.csv", write=portuguese, text="avaliacao", label="nota"),
    Shape(
        file="shop.jsonl",
        write=nested,
        text="review.text",
        label="meta.stars",
        groups=("meta.user",),
        language="meta.lang",
    ),
)
