"""Invented letters and templates for tests of mail."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.mail.message import TOKEN_MARK, Sender, build_template

SITE = "https://monitor.lab.example"
UNSUBSCRIBE = f"{SITE}/u/{TOKEN_MARK}"
TOKEN = "t0ken_Invented-t0ken_Invented-32"
SENDER = Sender(
    address="digest@lab.example",
    name="Evidence Monitor",
    list_id="weekly.monitor.lab.example",
    list_name="Weekly digest",
    reply_to="ada@lab.example",
)


@dataclass(frozen=True)
class InventedLetter:
    subject: str
    text: str
    html: str


def letter(
    subject: str = "Invented digest 2026-W48: 3 new", body: str = "Invented cells killed invented targets."
) -> InventedLetter:
    return InventedLetter(
        subject,
        f"{body}\n\nUnsubscribe: {UNSUBSCRIBE}\n",
        f'<!doctype html><html lang="en"><body><p>{body}</p><a href="{UNSUBSCRIBE}">Unsubscribe</a></body></html>\n',
    )


def template(
    subject: str = "Invented digest 2026-W48: 3 new", body: str = "Invented cells killed invented targets."
) -> bytes:
    return build_template(letter(subject, body), SENDER, UNSUBSCRIBE)
