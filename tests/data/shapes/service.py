"""Tables of service desks: tickets, a wide table of readings, codes that look like classes, complaints in HTML."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq

from tests.data.shapes.shape import Row, Shape, delimited, phrase, stamp

ISSUES = {
    "Billing": ("I was charged twice", "The invoice shows the wrong address", "My refund has not arrived"),
    "Login": ("I cannot sign in", "The reset mail never comes", "My account is locked"),
    "Shipping": ("The parcel is lost", "The tracking has not moved", "It was left with a stranger"),
    "Returns": ("I want to send it back", "The label does not print", "You closed my return"),
}
OPENINGS = ("Hello,", "Hi team,", "Good morning.", "To whom it may concern:", "")
DETAILS = ("since last Monday", "after the update", "for my order of May", "although I have called twice", "again")
CLOSINGS = (
    "Please help.",
    "What can I do?",
    "Kind regards, Maria",
    "I am waiting for an answer.",
    "Thanks in advance!",
)


def message(rng: random.Random, issue: str, gap: str = " ") -> str:
    """Returns a customer's message on one kind of issue."""
    said = f"{phrase(rng, ISSUES[issue], DETAILS)}. {phrase(rng, ISSUES[issue], DETAILS)}."
    return gap.join(part for part in (rng.choice(OPENINGS), said, rng.choice(CLOSINGS)) if part)


def tickets(rng: random.Random) -> bytes:
    """Subject and body, with line breaks in the body; channel and status have few values too."""
    rows: list[Row] = []
    for i in range(260):
        issue = rng.choice(tuple(ISSUES))
        opened = stamp(rng, "{y}-{m:02}-{d:02} {h:02}:{min:02}:{s:02}")
        customer, channel = f"c-{rng.randint(1, 80):05}", rng.choice(("email", "chat", "web form"))
        subject, body, status = rng.choice(ISSUES[issue]), message(rng, issue, "\n\n"), "closed" if i % 7 else "open"
        rows.append((480211 + i, opened, customer, channel, subject, body, status, issue))
    header = ("ticket_id", "created_at", "customer_id", "channel", "subject", "body", "status", "category")
    return delimited(header, rows)


def wide(rng: random.Random) -> bytes:
    """Thirty readings of a machine beside one note of its operator, as Parquet."""
    faults = {
        "bearing": ("grinding noise at the spindle", "bearing runs hot"),
        "leak": ("oil under the pump", "pressure falls while idle"),
        "electrical": ("drive trips at start", "display flickers"),
    }
    columns: dict[str, list[object]] = {"machine": [], "logged": []}
    columns |= {f"sensor_{k:02}": [] for k in range(1, 31)}
    columns |= {"operator_note": [], "fault": []}
    for _ in range(150):
        fault = rng.choice(tuple(faults))
        columns["machine"].append(f"M{rng.randint(1, 12):02}")
        columns["logged"].append(stamp(rng, "{y}-{m:02}-{d:02}T{h:02}:{min:02}"))
        for k in range(1, 31):  # every third reading is a level of 0 to 3, not a measurement
            columns[f"sensor_{k:02}"].append(float(rng.randrange(4)) if k % 3 == 0 else round(rng.gauss(20 + k, 3), 3))
        note = phrase(
            rng,
            faults[fault],
            ("since the night shift,", "after the belt change,", "on restart,"),
            ("stopped.", "slowed down."),
        )
        columns["operator_note"].append(note)
        columns["fault"].append(fault)
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def codes(rng: random.Random) -> bytes:
    """Branch and till are numbers with few values, as classes are; clerks have many notes each."""
    kinds = tuple(ISSUES)
    rows: list[Row] = []
    for i in range(210):
        issue = rng.choice(kinds)
        rows.append(
            (
                f"{i:06}",
                rng.randint(101, 106),
                rng.randint(1, 4),
                f"E{rng.randint(1, 30):03}",
                message(rng, issue),
                issue.lower(),
            )
        )
    return delimited(("case", "branch_id", "till", "clerk_id", "note", "complaint_type"), rows, delimiter="\t")


def html(rng: random.Random) -> bytes:
    """Texts are HTML, and the names of classes are as long as a short text."""
    desks = {
        "Billing": "Customer Relations: Invoices, Refunds and Payment by Instalments (Level 2)",
        "Login": "Identity and Access Management, including Two-Factor Authentication",
        "Shipping": "Logistics and Carriers (Parcels, Freight and Cross-Border Deliveries)",
        "Returns": "After-Sales Support, Warranty and Returns of Goods by Private Customers",
    }
    rows: list[Row] = []
    for i in range(120):
        issue = rng.choice(tuple(desks))
        body = message(rng, issue, "</p><p>")
        link = f"https://help.example.com/t/{9000 + i}"
        rows.append(
            (
                9000 + i,
                link,
                f'<div class="msg"><p>{body}</p><br/>&nbsp;<b>{rng.choice(DETAILS)}</b></div>',
                desks[issue],
            )
        )
    return delimited(("id", "url", "html", "Responsible department"), rows)


SHAPES = (
    Shape(file="tickets.csv", write=tickets, text="body", label="category", groups=("customer_id",)),
    Shape(file="readings.parquet", write=wide, text="operator_note", label="fault", groups=("machine",)),
    Shape(file="cases.tsv", write=codes, text="note", label="complaint_type", groups=("clerk_id", "branch_id")),
    Shape(file="inbox.csv", write=html, text="html", label="Responsible department"),
)
