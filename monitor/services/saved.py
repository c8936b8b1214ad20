"""Saved searches: kept under a name, run again by it, and followed through a feed."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from sqlalchemy.orm import Session

from monitor.core.people import COMMAND_LINE, Actor, may
from monitor.errors import NotFound, UsageError
from monitor.services.ports import Clock
from monitor.storage import events, saved
from monitor.storage.engine import Database
from monitor.storage.saved import SavedSearch

MARK = "@"
"""What stands before the name of a saved search where a search is asked for."""
NAME_MAX = 80


def may_change(held: SavedSearch, actor: Actor) -> bool:
    """Say whether somebody may rename, replace and forget a search: whoever keeps it, curators and admins."""
    return may(actor.role, "curator") or (actor.person_id is not None and actor.person_id == held.created_by)


class SavedSearches:
    """Keeps searches. Every change is one transaction with its event in it.

    `check` runs a search and raises what is wrong with it, so that nothing is kept that cannot be asked again.
    """

    def __init__(self, database: Database, clock: Clock, check: Callable[[str], object]) -> None:
        self._database = database
        self._clock = clock
        self._check = check

    def all(self) -> list[SavedSearch]:
        """Return the searches that are kept, by name."""
        with self._database.read() as session:
            return sorted(_living(session), key=lambda each: each.name.casefold())

    def one(self, name: str) -> SavedSearch:
        """Return a search by its name, however its letters are cased; raises NotFound naming the nearest."""
        with self._database.read() as session:
            return _named(session, name)

    def save(self, name: str, query: str, *, replace: bool = False, actor: Actor = COMMAND_LINE) -> SavedSearch:
        """Keep a search under a name; with `replace` also where the name stands for another one, whose feed goes on.

        A name that was forgotten may be used again and gets a feed of its own.
        """
        name, query = _read_name(name), query.strip()
        self._check(query)
        now = self._clock.now()
        with self._database.write() as session:
            saved.lock(session)
            taken = _same_name(session, name)
            if taken is None:
                saved_id = saved.add(session, name, query, _new_key(), actor.person_id, now)
                events.record(session, actor, "search.save", f"search:{saved_id}", now, after=_told(name, query))
            elif taken.retired_at is not None:
                saved_id = taken.id
                saved.change(
                    session,
                    saved_id,
                    now,
                    name=name,
                    query=query,
                    key=_new_key(),
                    retired_at=None,
                    created_by=actor.person_id,
                )
                events.record(session, actor, "search.save", f"search:{saved_id}", now, after=_told(name, query))
            else:
                saved_id = taken.id
                if taken.query != query:
                    if not replace:
                        raise UsageError(
                            f"{taken.name!r} is kept already, for {taken.query}; "
                            "replace it (its feed stays), or choose another name"
                        )
                    _check_whose(taken, actor)
                    saved.change(session, saved_id, now, query=query)
                    before = _told(taken.name, taken.query)
                    events.record(
                        session, actor, "search.replace", f"search:{saved_id}", now, before, _told(name, query)
                    )
            return _by_id(session, saved_id)

    def rename(self, name: str, new: str, *, actor: Actor = COMMAND_LINE) -> SavedSearch:
        """Give a search another name; its feed stays. The name must be free."""
        new = _read_name(new)
        now = self._clock.now()
        with self._database.write() as session:
            saved.lock(session)
            held = _named(session, name)
            _check_whose(held, actor)
            taken = _same_name(session, new)
            if taken is not None and taken.id != held.id:
                which = "another" if taken.retired_at is None else "a forgotten"
                raise UsageError(f"{taken.name!r} is already the name of {which} search; choose another one")
            if held.name != new:
                saved.change(session, held.id, now, name=new)
                before, after = {"name": held.name}, {"name": new}
                events.record(session, actor, "search.rename", f"search:{held.id}", now, before, after)
            return _by_id(session, held.id)

    def forget(self, name: str, *, actor: Actor = COMMAND_LINE) -> SavedSearch:
        """Retire a search: it is no longer listed and its feed ends."""
        now = self._clock.now()
        with self._database.write() as session:
            saved.lock(session)
            held = _named(session, name)
            _check_whose(held, actor)
            saved.change(session, held.id, now, retired_at=now)
            events.record(
                session, actor, "search.forget", f"search:{held.id}", now, before=_told(held.name, held.query)
            )
            return _by_id(session, held.id)

    def query(self, text: str) -> str:
        """Return the search that `@NAME` stands for, and any other text as it is."""
        return self.one(text[len(MARK) :]).query if text.startswith(MARK) else text


def _check_whose(held: SavedSearch, actor: Actor) -> None:
    if not may_change(held, actor):
        raise UsageError(
            f"{held.name!r} is kept by {held.owner or 'the command line'}; they, curators and admins can change it. "
            "Nothing was changed"
        )


def _living(session: Session) -> list[SavedSearch]:
    return [each for each in saved.everything(session) if each.retired_at is None]


def _same_name(session: Session, name: str) -> SavedSearch | None:
    key = name.casefold()
    return next((each for each in saved.everything(session) if each.name.casefold() == key), None)


def _named(session: Session, name: str) -> SavedSearch:
    wanted = _tidy(name).lstrip(MARK).strip()
    living = _living(session)
    for each in living:
        if each.name.casefold() == wanted.casefold():
            return each
    near = get_close_matches(wanted.casefold(), [each.name.casefold() for each in living], 1)
    known = [each.name for each in living if each.name.casefold() in near] or [each.name for each in living]
    raise NotFound(
        f"no saved search is called {wanted!r}; "
        + (f"there is {', '.join(known[:5])}" if known else "none is saved yet: monitor search QUERY --save NAME")
    )


def _by_id(session: Session, saved_id: int) -> SavedSearch:
    return next(each for each in saved.everything(session) if each.id == saved_id)


def _read_name(text: str) -> str:
    name = _tidy(text).lstrip(MARK).strip()
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise UsageError(f"the name of a search is 1 to {NAME_MAX} printable characters")
    return name


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _new_key() -> str:
    return secrets.token_urlsafe(18)


def _told(name: str, query: str) -> dict[str, Any]:
    return {"name": name, "query": query}
