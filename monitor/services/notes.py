"""What people write on papers while they read: saved as they type, one note a person and paper."""

from __future__ import annotations

from monitor.core.people import Actor
from monitor.core.screening import read_note
from monitor.errors import MonitorError, NotFound, UsageError
from monitor.services.ports import Clock
from monitor.storage import citations, notes
from monitor.storage.engine import Database
from monitor.storage.notes import Note


class NoteChanged(MonitorError):
    """The note was changed in another window since; nothing was saved, and both texts are here."""

    def __init__(self, pmid: int, yours: str, theirs: Note) -> None:
        super().__init__(
            f"Your note on PMID {pmid} was changed in another window since; both texts are kept, choose which stands"
        )
        self.pmid = pmid
        self.yours = yours
        self.theirs = theirs


class Notes:
    """Each person's own notes. Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of(self, pmid: int, actor: Actor) -> Note:
        """Return this person's note on a paper; an empty one of version 0 where none was written."""
        with self._database.read() as session:
            return notes.of(session, _person(actor), [pmid]).get(pmid, Note())

    def write(self, pmid: int, text: str, version: int, actor: Actor) -> Note:
        """Save a note over the version that was read; returns it as it stands now. The same text again changes nothing.

        Raises NoteChanged when another window came first, UsageError for a text that is no note.
        """
        who = _person(actor)
        text = read_note(text) or ""
        now = self._clock.now()
        with self._database.write() as session:
            if not citations.known(session, [pmid], fetched=False):
                raise NotFound(f"PMID {pmid} is not in the library; the note was not saved")
            held = notes.of(session, who, [pmid]).get(pmid, Note())
            if held.text == text:
                return held
            if held.version != version or not notes.write(session, who, pmid, text, version, now):
                held = notes.of(session, who, [pmid]).get(pmid, held)
                raise NoteChanged(pmid, text, held)
            return notes.of(session, who, [pmid])[pmid]


def _person(actor: Actor) -> int:
    if actor.person_id is None:
        raise UsageError("notes are kept for people who are signed in")
    return actor.person_id
