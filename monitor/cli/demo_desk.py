"""The desk of the demo: people who can sign in, and a curator who judges what came, week by week."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from monitor.build import House
from monitor.core.highlights import LAYERS
from monitor.core.lanes import Lane
from monitor.core.people import COMMAND_LINE, Actor
from monitor.core.proposal import Proposed
from monitor.core.screening import LEVELS
from monitor.services.lanes import QueueRow

MEMBER, CURATOR, COLLEAGUE, ADMIN = (
    "member@lab.example",
    "curator@lab.example",
    "colleague@lab.example",
    "admin@lab.example",
)
FORMER = "former@lab.example"
PASSWORD: Final = "invented papers only"  # noqa: S105
"""Of everybody in the demo, which is served on this machine alone."""
DOUBLY_SCREENED: Final = "cik"
_NOT_PRIMARY: Final = frozenset({"review", "opinion", "notice", "retraction-notice"})
_MAYBE_EVERY: Final = 9


def people(house: House) -> None:
    """Add a person of each role, and a second curator for double screening; all may sign in."""
    for address, name, role in (
        (MEMBER, "Lab member", "member"),
        (CURATOR, "Curator", "curator"),
        (COLLEAGUE, "Second curator", "curator"),
        (ADMIN, "Admin", "admin"),
    ):
        added = house.subscribing.add(address, name, role)
        link = house.one_time.make(added.id, COMMAND_LINE).url
        house.one_time.use(link.rpartition("/")[2], PASSWORD, PASSWORD)
    house.subscribing.add(FORMER, "Former member")
    curator = house.people.by_address(CURATOR)
    marked = replace(curator.preferences, highlights=LAYERS)
    house.personal.prefer(curator.id, marked, curator.version, COMMAND_LINE)


def sit_down(house: House, day: date, note: str | None = None, *, new: int = 1, older: int = 6) -> None:
    """Judge so many papers as proposed: keep with tags and level, dismiss what is off topic, put some aside.

    `note` is what the curator writes of the best paper kept.
    """
    house.vocabularies.refresh()
    actor = house.screening.curator(CURATOR)
    waiting = ((Lane.NEW, new), (Lane.BACKLOG, older))
    rows = [row for lane, most in waiting if most for row in house.queue.rows(actor, lane, limit=most).rows]
    proposed = house.vocabularies.of(None, [row.line.pmid for row in rows])
    noted = note
    for number, row in enumerate(rows, start=1):
        found = proposed[row.line.pmid]
        if found.off_topic:
            house.screening.decide([row.line.pmid], "dismiss", reason=found.off_topic[0].id, actor=actor)
        elif found.grade.design in _NOT_PRIMARY:
            house.screening.decide([row.line.pmid], "dismiss", reason="not-primary", actor=actor)
        elif number % _MAYBE_EVERY == 0:
            house.screening.decide([row.line.pmid], "maybe", until=day + timedelta(days=30), actor=actor)
        else:
            _keep(house, row, found, noted, actor)
            noted = None


def vote(house: House) -> None:
    """Let the two curators screen some papers of one topic without seeing each other's verdict; on one they differ."""
    admin = Actor(ADMIN, "admin", next(each.id for each in house.subscribing.everyone() if each.address == ADMIN))
    house.votes.switch(DOUBLY_SCREENED, True, admin)
    first, second = (house.screening.curator(address) for address in (CURATOR, COLLEAGUE))
    rows = house.queue.rows(first, Lane.SECOND, limit=6).rows
    for number, row in enumerate(rows):
        if number == 0:
            house.votes.vote(row.line.pmid, "keep", topics=[DOUBLY_SCREENED], actor=first)
            house.votes.vote(row.line.pmid, "dismiss", reason="wrong-intervention", actor=second)
        else:
            house.votes.vote(row.line.pmid, "keep", topics=[DOUBLY_SCREENED], actor=second)
            if number == 1:
                house.votes.vote(row.line.pmid, "keep", topics=[DOUBLY_SCREENED], actor=first)


def _keep(house: House, row: QueueRow, found: Proposed, note: str | None, actor: Actor) -> None:
    level = found.grade.level if found.grade.level in LEVELS and found.grade.level not in ("none", "X") else None
    house.screening.decide(
        [row.line.pmid],
        "keep",
        topics=row.topics,
        tags=[each.tag for each in found.tags if each.preselected],
        level=level,
        note=note,
        actor=actor,
    )
