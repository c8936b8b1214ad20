"""Stores what came from PubMed: citations, hits and the progress of the poll in one short transaction a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.recheck import UNREADABLE
from monitor.services.retrieving import Retrieved
from monitor.storage import checks, citations, hits, polls
from monitor.storage.engine import Database
from monitor.storage.hits import FoundHit
from monitor.storage.polls import Counts, Running

MakeHit = Callable[[Citation], FoundHit]


def store(database: Database, running: Running, part: Retrieved, now: datetime, make_hit: MakeHit) -> Counts:
    """Store what one answer brought. All of it or nothing: a poll that is killed goes on after whole batches.

    A missing record is counted and no more: whether it is withdrawn, the rolling check decides (`store_check`).
    """
    newest = {each.pmid: each for each in sorted(part.citations, key=lambda each: each.version)}
    # Held against the search lines before the transaction, which others wait for.
    found = [make_hit(each) for each in newest.values()]
    refused = [str(error) for error in part.refused]
    with database.write() as session:
        counts = _keep(session, running, part, now)
        hits.add(session, running, found, now)
        polls.note_batch(session, running, part.settled, counts, refused, now)
    return counts


def store_check(database: Database, running: Running, part: Retrieved, now: datetime) -> Counts:
    """Store what the rolling check fetched: here, and only here, a record that PubMed leaves out is a miss."""
    refused = [str(error) for error in part.refused]
    with database.write() as session:
        counts = _keep(session, running, part, now)
        checks.miss(session, part.missing, now)
        checks.postpone(session, [each.pmid for each in part.refused if each.pmid is not None], now + UNREADABLE)
        polls.note_batch(session, running, part.pmids, counts, refused, now)
    return counts


def witnesses(database: Database) -> Callable[[int], list[int]]:
    """Return what names up to so many PMIDs that PubMed gave before, for `retrieve`."""

    def known(number: int) -> list[int]:
        with database.read() as session:
            return checks.surely_there(session, number)

    return known


def store_hits(database: Database, running: Running, pmids: Sequence[int], now: datetime, make_hit: MakeHit) -> None:
    """Store hits of citations that are held already and were not fetched for this."""
    with database.read() as session:
        found = [make_hit(each) for each in citations.load_each(session, pmids)]
    with database.write() as session:
        hits.add(session, running, found, now)
        polls.note_batch(session, running, pmids, Counts(), (), now)


def _keep(session: Session, running: Running, part: Retrieved, now: datetime) -> Counts:
    kept = citations.keep(session, part.citations, now, running.id)
    new, revised = set(kept.new), set(kept.revised) - set(kept.new)
    unchanged = (set(kept.unchanged) | set(kept.older)) - new - revised
    return Counts(len(new), len(revised), len(unchanged), len(part.missing))
