"""Links that work once: invitations and resets. Only their hashes are kept, and opening one changes nothing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from monitor.core.accounts import ACCOUNT, LETTERS, NETWORK, LinkState, Purpose, link_state, network_of
from monitor.core.address import address_key
from monitor.core.passwords import Refusal
from monitor.core.people import Actor, Person
from monitor.errors import MailUnavailable, MessageRefused, NotFound, UsageError
from monitor.mail.links import Links
from monitor.mail.render import LANGUAGES, render_letter
from monitor.services.accounts import hashed
from monitor.services.passwords import Passwords
from monitor.services.ports import Clock
from monitor.services.signing_in import DIFFERENT, Entered, SigningIn, enter, replace_password
from monitor.services.suppressing import MAILER
from monitor.services.throttling import Tries, spend
from monitor.services.writing import Writing
from monitor.storage import accounts, events, people
from monitor.storage.engine import Database

FORGOTTEN = Actor("forgotten password", "system")
"""Whoever asked on the page for it: somebody who is not signed in, so nobody knows who."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """A new link, to be shown once. `mailed` says whether it was mailed too, `why_not` why it could not be."""

    person: Person
    purpose: Purpose
    url: str
    expires_at: datetime
    mailed: bool = False
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What stands behind a link, for the page that asks; nothing was changed by looking."""

    person: Person
    purpose: Purpose
    state: LinkState


class OneTimeLinks:
    """Makes and honours links. `writing` is None where mail does not leave this machine: then links are only shown."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        signing_in: SigningIn,
        links: Links,
        writing: Writing | None,
        *,
        name: str,
        zone: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._signing_in = signing_in
        self._links = links
        self._writing = writing
        self._name = name
        self._zone = zone

    @property
    def can_mail(self) -> bool:
        return self._writing is not None

    def make(self, person_id: int, actor: Actor, *, mail: bool = False) -> Made:
        """Make a link: an invitation for who has no password yet, a reset for the others. It replaces older ones.

        With `mail` it is sent too; that it could not be is told and no error, for the link is there to be copied.
        Raises UsageError for who is disabled.
        """
        now = self._clock.now()
        token = secrets.token_urlsafe(32)
        with self._database.write() as session:
            person = people.find_by_id(session, person_id)
            if person is None:
                raise NotFound("nobody here has that number")
            if person.disabled_at is not None:
                raise UsageError(f"{person.address} is disabled; enable the person first")
            purpose = Purpose.RESET if person.has_password else Purpose.INVITATION
            accounts.end_links(session, person.id, now, purpose.value)
            expires_at = now + purpose.life
            accounts.add_link(session, hashed(token), person.id, purpose.value, actor.person_id, now, expires_at)
            told = {"purpose": purpose.value, "expires_at": expires_at.isoformat()}
            events.record(session, actor, "account.link", f"person:{person.id}", now, after=told)
        made = Made(person, purpose, self._links.one_time(token), expires_at)
        if not mail:
            return made
        why_not = self._mail(made)
        return Made(person, purpose, made.url, expires_at, why_not is None, why_not)

    def open(self, token: str) -> Opened | None:
        """Say what a link is for and whether it still works; None for one that never was, or whose owner is disabled."""
        with self._database.read() as session:
            found = accounts.find_link(session, hashed(token))
            person = people.find_by_id(session, found.person_id) if found is not None else None
        if found is None or person is None:
            return None
        return Opened(person, Purpose(found.purpose), link_state(found.expires_at, found.used_at, self._clock.now()))

    def use(self, token: str, password: str, again: str, agent: str | None = None) -> Entered | Refusal:
        """Set the password and sign in; every other session and link of the person ends.

        A Refusal says why the password is not taken, and the link still works. Raises UsageError where the two
        differ, NotFound where the link works no more.
        """
        opened = self.open(token)
        if opened is None or opened.state is not LinkState.GOOD:
            raise NotFound("this link works no more; nothing was changed")
        refused = self._signing_in.refusal(opened.person, password)
        if refused is not None:
            return refused
        if password != again:
            raise UsageError(DIFFERENT)
        fresh = self._passwords.hash(password)
        now = self._clock.now()
        with self._database.write() as session:
            found = accounts.find_link(session, hashed(token))
            if (
                found is None
                or link_state(found.expires_at, found.used_at, now) is not LinkState.GOOD
                or not accounts.use_link(session, found.id, now)
            ):
                raise NotFound("this link works no more; nothing was changed")
            replace_password(session, found.person_id, fresh, now)
            accounts.forget_tries(session, Tries(ACCOUNT, "account", address_key(opened.person.address)).key)
            return Entered(enter(session, found.person_id, agent, now, f"account.{found.purpose}"), found.person_id)

    def may_ask(self, address: str, network: str | None) -> timedelta:
        """Count a wish for a mail, or say how long to wait first; the same for addresses that are not known."""
        place = network_of(network) if network is not None else None
        nearby = [Tries(NETWORK, "letter network", place)] if place is not None else []
        with self._database.write() as session:
            return spend(session, [Tries(LETTERS, "letter", address_key(address)), *nearby], self._clock.now())

    def forgotten(self, address: str) -> None:
        """Mail a reset to the person with that address, if there is one. Tells nothing: run it after the answer is out."""
        with self._database.read() as session:
            person = people.find(session, address_key(address))
        if person is None or person.disabled_at is not None or self._writing is None:
            return
        made = self.make(person.id, FORGOTTEN, mail=True)
        if made.why_not is not None:
            log.error("a reset could not be mailed", person=person.id, reason=made.why_not)

    def _mail(self, made: Made) -> str | None:
        """Mail a link; returns why that could not be done, which the log of events keeps too."""
        if self._writing is None:
            return "this monitor sends no mail: its mail goes into a folder"
        letter = render_letter(
            "link",
            made.person.language if made.person.language in LANGUAGES else "en",
            {
                "name": self._name,
                "address": made.person.address,
                "purpose": made.purpose.value,
                "url": made.url,
                "until": made.expires_at.isoformat(),
                "zone": self._zone,
            },
        )
        try:
            self._writing.send(made.person.address, letter)
        except (MailUnavailable, MessageRefused) as error:
            with self._database.write() as session:
                events.record(
                    session,
                    MAILER,
                    "account.link_not_mailed",
                    f"person:{made.person.id}",
                    self._clock.now(),
                    after={"reason": str(error)},
                )
            return str(error)
        return None
