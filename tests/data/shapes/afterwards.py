"""Ten tables more, written after the recogniser had been mended on the others: a hold-out.

Of those in `OPEN` a person would ask, too, which column is meant.
"""

import random

from tests.data.shapes.opinions import opinion
from tests.data.shapes.service import DETAILS, ISSUES, message
from tests.data.shapes.shape import Row, Shape, delimited, phrase, stamp

STARS = {"negative": 1, "neutral": 3, "positive": 5}


def store(rng: random.Random) -> bytes:
    """An app store's export: titles and the developer's replies stand in few rows."""
    rows: list[Row] = []
    for _ in range(200):
        stars = rng.randint(1, 5)
        title = rng.choice(("", "", "", "Great app", "Crashes on start"))
        reply = phrase(rng, ("Hi,", "Hello,"), ("sorry to hear that.", "thank you!")) if rng.random() < 0.3 else ""
        locale, device = rng.choice(("en", "de", "pt_BR")), rng.choice(("a52q", "oriole", "beyond1"))
        day = stamp(rng, "{y}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}Z")
        rows.append(
            ("org.example.app", rng.randint(301, 305), locale, device, day, stars, title, opinion(rng, stars), reply)
        )
    header = ("Package Name", "App Version Code", "Reviewer Language", "Device", "Review Submit Date and Time")
    return delimited((*header, "Star Rating", "Review Title", "Review Text", "Developer Reply Text"), rows)


def french(rng: random.Random) -> bytes:
    reasons = {
        "Facturation": ("La facture est fausse", "J'ai payé deux fois"),
        "Livraison": ("Le colis est perdu", "Rien n'est arrivé"),
        "Résiliation": ("Je veux partir", "Fermez mon compte"),
        "Technique": ("La box ne démarre plus", "Pas de réseau"),
    }
    tails = (
        "depuis lundi.",
        "et personne ne répond.",
        "malgré trois appels.",
        "depuis la mise à jour.",
        "encore une fois.",
    )
    rows: list[Row] = []
    for i in range(190):
        reason, town = rng.choice(tuple(reasons)), rng.choice(("Lyon", "Lille", "Nantes", "Nice"))
        said = f"{phrase(rng, reasons[reason], tails)} {phrase(rng, reasons[reason], tails)}"
        rows.append((f"T-{i:05}", stamp(rng, "{d:02}/{m:02}/{y}"), town, f"C{rng.randint(1, 25):02}", said, reason))
    return delimited(("N° dossier", "Date", "Agence", "Conseiller", "Verbatim", "Motif"), rows, delimiter=";")


def fakes(rng: random.Random) -> bytes:
    """Written by pandas with its index, so that the first heading is empty."""
    true = ("Parliament votes on the budget", "Central bank keeps its rate", "Court hears the appeal")
    false = ("You won't BELIEVE this cure", "SHOCKING: moon is hollow", "What THEY hide from you")
    places = ("in London", "on Tuesday", "says a report", "after weeks of talks", "sources claim")
    rows: list[Row] = []
    for i in range(180):
        name = rng.choice(("FAKE", "REAL"))
        told = true if name == "REAL" else false
        text = ". ".join(phrase(rng, told, places, places) for _ in range(5)) + "."
        rows.append((i, phrase(rng, told, places), text, name))
    return delimited(("", "title", "text", "label"), rows, newline="\n")


def airlines(rng: random.Random) -> bytes:
    """Tweets with confidences, reasons that only complaints have, and columns that are nearly empty."""
    rows: list[Row] = []
    for _ in range(300):
        mood = rng.choices(("negative", "neutral", "positive"), (6, 2, 2))[0]
        reason = rng.choice(("Late Flight", "Lost Luggage", "Bad Service")) if mood == "negative" else ""
        sure = rng.choice(("1.0", "0.6745", "0.3491"))
        text = f"@{rng.choice(('united', 'delta'))} {opinion(rng, STARS[mood])}"
        zone = rng.choice(("Eastern Time (US & Canada)", "Quito", ""))
        judged = (rng.getrandbits(58), mood, sure, reason, sure if reason else "", rng.choice(("United", "Delta")), "")
        rows.append((*judged, f"user_{rng.randint(1, 900)}", rng.choice((0, 0, 0, 1)), text, stamp(rng), zone))
    header = (
        "tweet_id",
        "airline_sentiment",
        "airline_sentiment_confidence",
        "negativereason",
        "negativereason_confidence",
    )
    more = ("airline", "airline_sentiment_gold", "name", "retweet_count", "text", "tweet_created", "user_timezone")
    return delimited((*header, *more), rows)


def toxic(rng: random.Random) -> bytes:
    """Six columns of 0 and 1, of which most are 0 in most rows."""
    rude = ("You are an idiot", "I will find you", "Your kind disgusts me", "Damn this page")
    rows: list[Row] = []
    for _ in range(300):
        marks = [int(rng.random() < share) for share in (0.4, 0.1, 0.2, 0.1, 0.2, 0.1)]
        said = phrase(rng, rude if marks[0] else ("See the talk page", "I have added a source"), DETAILS, DETAILS)
        rows.append((f"{rng.getrandbits(64):016x}", said, *marks))
    names = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
    return delimited(("id", "comment_text", *names), rows)


def transcripts(rng: random.Random) -> bytes:
    """Long dictations beside a list of keywords, which may be what is asked for as well as the specialty."""
    fields = {
        "Cardiology": ("chest pain", "murmur", "stent placement"),
        "Orthopedic": ("knee pain", "fracture", "arthroscopy"),
        "Neurology": ("headache", "seizure", "lumbar puncture"),
    }
    rows: list[Row] = []
    for i in range(160):
        field = rng.choice(tuple(fields))
        about = rng.sample(fields[field], 2)
        text = " ".join(
            phrase(rng, ("PATIENT REPORTS", "EXAM SHOWS", "PLAN FOR"), about, DETAILS) + "." for _ in range(8)
        )
        short = phrase(rng, ("Visit for", "Consult on"), about, ("in an adult.", "follow-up.", "with history."))
        rows.append((i, short, field, f"{about[0]} - {rng.randint(1, 9)}", text, ", ".join([field.lower(), *about])))
    return delimited(("", "description", "medical_specialty", "sample_name", "transcription", "keywords"), rows)


def duplicates(rng: random.Random) -> bytes:
    asked = ("Wie kündige ich", "Wo finde ich", "Warum sehe ich nicht", "Wann bekomme ich")
    things = ("meinen Vertrag?", "die Rechnung?", "das neue Gerät?", "den Rabatt?", "meine Nummer?")
    more = ("Danke!", "Bitte um Antwort.", "Es eilt.", "Ich bin Neukunde.", "Grüße aus Köln")
    rows: list[Row] = [
        (i, phrase(rng, asked, things, more), phrase(rng, asked, things, more), rng.choice(("ja", "nein")))
        for i in range(150)
    ]
    return delimited(("lfd. Nr.", "Frage 1", "Frage 2", "Duplikat"), rows, delimiter=";", encoding="utf-8-sig")


def stars_and_topics(rng: random.Random) -> bytes:
    """Two columns, each of which could be asked for."""
    rows: list[Row] = []
    for _ in range(150):
        issue, stars = rng.choice(tuple(ISSUES)), rng.randint(1, 5)
        rows.append((f"{message(rng, issue)} {opinion(rng, stars)}", issue, stars))
    return delimited(("text", "topic", "rating"), rows)


def pros_and_cons(rng: random.Random) -> bytes:
    """Two texts of which either may be missing, and neither is more of a text than the other."""
    rows: list[Row] = []
    for _ in range(150):
        liked, disliked = opinion(rng, 5), opinion(rng, 1)
        kept = rng.choice(((liked, disliked), (liked, ""), ("", disliked)))
        rows.append((*kept, rng.randint(1, 5)))
    return delimited(("What did you like?", "What did you dislike?", "Rating"), rows)


def numbers(rng: random.Random) -> bytes:
    rows: list[Row] = [(i, round(rng.gauss(0, 1), 4), rng.randint(1, 5)) for i in range(120)]
    return delimited(("id", "measure", "rating"), rows)


SHAPES = (
    Shape(
        file="store.csv",
        write=store,
        text="Review Text",
        label="Star Rating",
        groups=("Device", None),
        language="Reviewer Language",
    ),
    Shape(file="verbatims.csv", write=french, text="Verbatim", label="Motif", groups=("Conseiller", None)),
    Shape(file="fakes.csv", write=fakes, text="text", label="label"),
    Shape(file="airlines.csv", write=airlines, text="text", label="airline_sentiment", groups=("name", None)),
    Shape(
        file="toxic.csv",
        write=toxic,
        text="comment_text",
        label="toxic;severe_toxic;obscene;threat;insult;identity_hate",
        kind="multi_label_classification",
    ),
    Shape(
        file="duplicates.csv",
        write=duplicates,
        text="Frage 1",
        second="Frage 2",
        label="Duplikat",
        kind="pair_classification",
    ),
)
OPEN = (
    Shape(file="transcripts.csv", write=transcripts, text="transcription", label="medical_specialty"),
    Shape(file="stars_and_topics.csv", write=stars_and_topics, text="text", label="topic"),
    Shape(file="pros_and_cons.csv", write=pros_and_cons, text="What did you like?", label="Rating"),
    Shape(file="numbers.csv", write=numbers, text="", label="rating"),
)
