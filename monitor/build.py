"""The composition root: the one place that makes the database, the PubMed client, the mailer and the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parseaddr
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor.errors import DatabaseBehind, UsageError
from monitor.settings import KEPT, LOOPBACK, Settings, Sources, with_secret_key

if TYPE_CHECKING:
    from monitor.mail.links import Links
    from monitor.mail.message import Sender
    from monitor.pubmed.opener import Pacer
    from monitor.scheduler import Ticker
    from monitor.services.accounts import Accounts
    from monitor.services.backfilling import Backfilling
    from monitor.services.bouncing import Bouncing
    from monitor.services.bulk import Bulk
    from monitor.services.corrections import Corrections
    from monitor.services.delivering import Delivering
    from monitor.services.feeds import Feeds
    from monitor.services.firstrun import FirstRun
    from monitor.services.health import HealthCheck
    from monitor.services.importing import Importing
    from monitor.services.installing import Installing
    from monitor.services.library import Library
    from monitor.services.notes import Notes
    from monitor.services.onetime import OneTimeLinks
    from monitor.services.papers import Papers
    from monitor.services.passwords import Passwords
    from monitor.services.people import People
    from monitor.services.personal import Personal
    from monitor.services.polling import Polling
    from monitor.services.ports import Clock, MailTransport, PubmedSource
    from monitor.services.publishing import Publishing
    from monitor.services.queue import Queue
    from monitor.services.recall import Recall
    from monitor.services.rechecking import Rechecking
    from monitor.services.rulebooks import Rulebooks
    from monitor.services.runs import Runs
    from monitor.services.saved import SavedSearches
    from monitor.services.screening import Screening
    from monitor.services.searches import Searches
    from monitor.services.setup import Setup
    from monitor.services.signing_in import SigningIn
    from monitor.services.steps import Steps
    from monitor.services.strategies import Strategies
    from monitor.services.studio import Studio
    from monitor.services.subscribing import Subscribing
    from monitor.services.topics import Topics
    from monitor.services.trials import Trials
    from monitor.services.vocabulary import Vocabularies
    from monitor.services.votes import Votes
    from monitor.services.week import Weeks
    from monitor.services.working import Working
    from monitor.services.writing import Writing
    from monitor.storage.engine import Database
    from monitor.web.site import Site

PATIENCE = 300.0
"""Seconds that one question to PubMed may take, all waits and tries included."""
WAITING = 20.0
"""The same while somebody waits for the answer."""
RATE, RATE_WITH_KEY = 3.0, 10.0
"""Requests a second that NCBI allows without and with an API key (NBK25497)."""
PROPOSED_AT_ONCE = 10_000
"""Papers that one turn of the worker reads by vocabulary and levels: about half a minute's work."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class House:
    """Every service of one installation, each made when it is first asked for, so that small commands stay quick."""

    def __init__(self, settings: Settings, database: Database, clock: Clock | None = None) -> None:
        self.settings = settings
        self.database = database
        self.clock: Clock = clock or SystemClock()
        self.stopping: Callable[[], bool] = lambda: False
        self.patience = PATIENCE
        self.expect_worker = True
        self.sources: Sources | None = None
        self.on_kept: Callable[[], object] = lambda: None

    def renewed(self) -> House:
        """Return the same installation by what the pages keep by now; all else stays as it was at the start.

        Raises SettingsError where the settings have become wrong.
        """
        if self.sources is None:
            return self
        told = self.sources.load()
        kept = {name: getattr(told, name) for name in KEPT}
        house = House(self.settings.model_copy(update=kept), self.database, self.clock)
        house.sources, house.on_kept = self.sources, self.on_kept
        house.patience, house.expect_worker = self.patience, self.expect_worker
        return house

    @cached_property
    def setup(self) -> Setup:
        from monitor.services.setup import Setup

        return Setup(self.database, self.clock)

    @cached_property
    def library(self) -> Library:
        from monitor.resources import load_mesh_tree
        from monitor.services.library import Library

        return Library(self.database, self.clock, load_mesh_tree, self._called)

    def _called(self, words: str) -> tuple[str, ...]:
        return tuple(term.id.casefold() for term in self.vocabularies.current().named(words))

    @cached_property
    def saved(self) -> SavedSearches:
        from monitor.services.saved import SavedSearches

        return SavedSearches(self.database, self.clock, self.library.count)

    @cached_property
    def feeds(self) -> Feeds:
        from monitor.resources import load_mesh_tree
        from monitor.services.feeds import Feeds

        return Feeds(self.database, self.clock, load_mesh_tree, self.links)

    @cached_property
    def papers(self) -> Papers:
        from monitor.resources import load_mesh_tree
        from monitor.services.papers import Papers

        return Papers(self.database, self.clock, load_mesh_tree, lambda: self.importing)

    @cached_property
    def corrections(self) -> Corrections:
        from monitor.resources import load_mesh_tree
        from monitor.services.corrections import Corrections

        return Corrections(self.database, self.clock, load_mesh_tree)

    @cached_property
    def weeks(self) -> Weeks:
        from monitor.services.week import Weeks

        return Weeks(self.database, self.clock, self.corrections)

    @cached_property
    def topics(self) -> Topics:
        from monitor.services.topics import Topics

        return Topics(self.database)

    @cached_property
    def accounts(self) -> Accounts:
        from monitor.services.accounts import Accounts

        return Accounts(self.database, self.clock)

    @cached_property
    def passwords(self) -> Passwords:
        from monitor.services.passwords import Passwords

        return Passwords()

    @cached_property
    def signing_in(self) -> SigningIn:
        from monitor.core.passwords import words_of
        from monitor.services.signing_in import SigningIn

        words = words_of("Evidence Monitor", self.settings.digest_name, urlsplit(self.settings.public_url).hostname)
        return SigningIn(self.database, self.clock, self.passwords, words)

    @cached_property
    def writing(self) -> Writing | None:
        """The way out for single letters; None where mail only goes into a folder, where others may read it."""
        from monitor.services.writing import Writing

        return Writing(self.transport, self.sender, self.clock, self._secret) if self.mail_leaves else None

    @property
    def mail_leaves(self) -> bool:
        return not self.settings.mail_url.get_secret_value().startswith("file:")

    @cached_property
    def one_time(self) -> OneTimeLinks:
        from monitor.services.onetime import OneTimeLinks

        return OneTimeLinks(
            self.database,
            self.clock,
            self.passwords,
            self.signing_in,
            self.links,
            self.writing,
            name=self.settings.digest_name,
            zone=self.settings.timezone,
        )

    @cached_property
    def installing(self) -> Installing:
        from monitor.kept import Kept
        from monitor.services.installing import Installing

        kept = Kept(self.settings, self.sources, lambda: self.on_kept())
        return Installing(self.database, self.clock, kept, asks=self.may_ask_pubmed)

    @cached_property
    def first_run(self) -> FirstRun:
        from monitor.core.passwords import words_of
        from monitor.services.firstrun import FirstRun

        return FirstRun(
            self.database,
            self.clock,
            self.passwords,
            lambda: self.strategies,
            lambda: self.pubmed_while_waiting,
            key=self.links.setup_key(),
            language=self.settings.language,
            site_words=words_of(
                "Evidence Monitor", self.settings.digest_name, urlsplit(self.settings.public_url).hostname
            ),
            vouched=self.settings.proxy_header is not None,
        )

    @cached_property
    def people(self) -> People:
        from monitor.services.people import People

        return People(self.database, self.clock)

    @cached_property
    def screening(self) -> Screening:
        from monitor.services.screening import Screening

        return Screening(self.database, self.clock, self.settings.timezone, self.vocabularies.received)

    @cached_property
    def queue(self) -> Queue:
        from monitor.services.queue import Queue

        return Queue(self.database, self.clock, self.settings.timezone)

    @cached_property
    def steps(self) -> Steps:
        from monitor.services.steps import Steps

        return Steps(self.database, self.clock)

    @cached_property
    def votes(self) -> Votes:
        from monitor.services.votes import Votes

        return Votes(self.database, self.clock, self.vocabularies.received)

    @cached_property
    def notes(self) -> Notes:
        from monitor.services.notes import Notes

        return Notes(self.database, self.clock)

    @cached_property
    def bulk(self) -> Bulk:
        from monitor.services.bulk import Bulk

        return Bulk(self.database, self.screening)

    @cached_property
    def vocabularies(self) -> Vocabularies:
        from monitor.resources import load_mesh_tree
        from monitor.services.vocabulary import Vocabularies

        return Vocabularies(self.database, self.clock, load_mesh_tree)

    @cached_property
    def rulebooks(self) -> Rulebooks:
        from monitor.resources import load_mesh_tree
        from monitor.services.rulebooks import Rulebooks

        return Rulebooks(self.database, self.clock, load_mesh_tree, self.vocabularies)

    @cached_property
    def strategies(self) -> Strategies:
        from monitor.resources import load_mesh_tree
        from monitor.services.strategies import Strategies

        return Strategies(self.database, self.pubmed_while_waiting, self.clock, load_mesh_tree())

    @cached_property
    def searches(self) -> Searches:
        from monitor.resources import load_mesh_tree
        from monitor.services.searches import Searches

        source = self.pubmed_while_waiting
        return Searches(self.database, source, self.clock, load_mesh_tree(), (self.topics, self.strategies))

    @cached_property
    def runs(self) -> Runs:
        from monitor.services.runs import Runs

        return Runs(self.database, self.clock, lambda: self.polling, may_ask=self.may_ask_pubmed)

    @cached_property
    def subscribing(self) -> Subscribing:
        from monitor.services.subscribing import Subscribing

        return Subscribing(self.database, self.clock, self.settings.timezone, self.settings.language)

    @property
    def may_ask_pubmed(self) -> bool:
        """NCBI is asked only with a contact address; a sandbox needs none."""
        return self.settings.ncbi_email is not None or urlsplit(self.settings.eutils_url).hostname in LOOPBACK

    @cached_property
    def pacer(self) -> Pacer:
        """The pace that all processes on this database share."""
        from monitor.storage.pace import DatabasePacer

        return DatabasePacer(self.database, RATE_WITH_KEY if self.settings.ncbi_api_key else RATE)

    @cached_property
    def pubmed(self) -> PubmedSource:
        """The PubMed client; raises UsageError where no contact address is set."""
        return self._client(self.patience)

    @cached_property
    def pubmed_while_waiting(self) -> PubmedSource | None:
        """The same for questions that somebody waits for at a page or terminal; None where PubMed may not be asked."""
        return self._client(min(self.patience, WAITING), WAITING) if self.may_ask_pubmed else None

    def _client(self, patience: float, answer_seconds: float = 120.0) -> PubmedSource:
        from monitor.pubmed.client import PubmedClient

        if not self.may_ask_pubmed:
            raise UsageError("PubMed is not asked without a contact address: set MONITOR_NCBI_EMAIL")
        return PubmedClient(
            self.settings.eutils_url + "/",
            self.settings.ncbi_email or "sandbox@localhost",
            self.pacer,
            api_key=self.settings.ncbi_api_key.get_secret_value() if self.settings.ncbi_api_key else None,
            patience=patience,
            answer_seconds=answer_seconds,
        )

    @cached_property
    def polling(self) -> Polling:
        from monitor.services.polling import Polling

        return Polling(
            self.database,
            self.pubmed,
            self.clock,
            first_days=self.settings.first_poll_days,
            reconcile_days=self.settings.reconcile_days,
            stopping=lambda: self.stopping(),
        )

    @cached_property
    def rechecking(self) -> Rechecking:
        from monitor.services.rechecking import Rechecking

        return Rechecking(self.database, self.pubmed, self.clock, stopping=lambda: self.stopping())

    @cached_property
    def trials(self) -> Trials:
        from monitor.resources import load_mesh_tree
        from monitor.services.trials import Trials

        return Trials(self.database, self.pubmed_while_waiting, self.clock, load_mesh_tree())

    @cached_property
    def recall(self) -> Recall:
        from monitor.resources import load_mesh_tree
        from monitor.services.recall import Recall

        return Recall(self.database, self.pubmed if self.may_ask_pubmed else None, self.clock, load_mesh_tree())

    @cached_property
    def backfilling(self) -> Backfilling:
        from monitor.services.backfilling import Backfilling

        rate = RATE_WITH_KEY if self.settings.ncbi_api_key else RATE
        return Backfilling(self.database, self.pubmed, self.clock, lambda: self.polling, rate)

    @cached_property
    def importing(self) -> Importing:
        from monitor.services.importing import Importing

        return Importing(self.database, self.pubmed if self.may_ask_pubmed else None, self.clock)

    @cached_property
    def links(self) -> Links:
        from monitor.mail.links import Links

        return Links(self.settings.public_url, self._secret)

    @cached_property
    def sender(self) -> Sender:
        from monitor.mail.message import Sender

        name, address = parseaddr(self.settings.mail_from)
        site = urlsplit(self.settings.public_url).hostname or "localhost"
        return Sender(
            address=address,
            name=name,
            list_id=f"weekly.{site}",
            list_name=self.settings.digest_name,
            reply_to=self.settings.mail_reply_to,
        )

    @cached_property
    def publishing(self) -> Publishing:
        from monitor.resources import load_mesh_tree
        from monitor.services.publishing import Publishing

        return Publishing(
            self.database,
            self.clock,
            self.links,
            self.sender,
            load_mesh_tree(),
            name=self.settings.digest_name,
            zone=self.settings.timezone,
            language=self.settings.language,
            vocabulary=self.vocabularies.current,
        )

    @cached_property
    def personal(self) -> Personal:
        from monitor.services.personal import Personal

        return Personal(self.database, self.clock)

    @cached_property
    def studio(self) -> Studio:
        from monitor.services.studio import Studio

        return Studio(
            self.database, self.clock, self.publishing, self.transport, self.sender.address, self.settings.zone
        )

    def transport(self) -> MailTransport:
        """Open a way out for mail; raises SettingsError for a mail URL that cannot work. Nothing is connected yet."""
        from monitor.mail.smtp import ehlo_name
        from monitor.mail.transport import open_transport, parse_mail_url

        route = parse_mail_url(self.settings.mail_url.get_secret_value(), plain_relays=self.settings.mail_plain_relays)
        return open_transport(
            route, local_hostname=ehlo_name(urlsplit(self.settings.public_url).hostname or "localhost")
        )

    @cached_property
    def delivering(self) -> Delivering:
        from monitor.services.delivering import Delivering
        from monitor.services.working import new_owner

        return Delivering(
            self.database,
            self.transport(),
            self.clock,
            secret=self._secret,
            domain=self.sender.address.rpartition("@")[2],
            owner=new_owner(),
        )

    @cached_property
    def bouncing(self) -> Bouncing:
        from monitor.services.bouncing import Bouncing

        return Bouncing(self.database, self.clock, secret=self._secret)

    @cached_property
    def health(self) -> HealthCheck:
        from monitor.core.health import Installation
        from monitor.services.health import HealthCheck
        from monitor.storage.engine import sqlite_advice

        installation = Installation(
            contact_known=self.may_ask_pubmed,
            mail_leaves=self.mail_leaves,
            public_url=self.settings.public_url,
            storage_advice=sqlite_advice(self.database),
        )
        return HealthCheck(self.database, self.clock, installation, self.publishing.overdue)

    @cached_property
    def working(self) -> Working:
        from monitor.services import retrieving
        from monitor.services.runs import CHECK_MINUTES, POLL_MINUTES
        from monitor.services.working import Job, Stopped, Turn, Working, daily, every

        def poll(turn: Turn) -> None:
            self.stopping = turn.stopping
            if self.first_run.is_choosing():
                raise Stopped("topics are being chosen")
            self.polling.poll_due(self.settings.poll_hour, self.settings.zone)
            if turn.stopping():
                raise Stopped("polls may be left to do")

        def run_asked(turn: Turn) -> None:
            self.stopping = turn.stopping
            self.runs.answer()

        def recheck(turn: Turn) -> None:
            self.stopping = turn.stopping
            try:
                self.rechecking.run()
            except retrieving.Stopped as error:
                raise Stopped(str(error)) from error

        def propose(turn: Turn) -> None:
            self.vocabularies.refresh(PROPOSED_AT_ONCE, turn.stopping)

        jobs = [
            Job("publish", "mail", lambda _turn: self._publish(), every(10)),
            Job("deliver", "mail", lambda turn: self._deliver(turn.stopping)),
        ]
        jobs.append(Job("propose", "desk", propose, every(5)))
        if self.may_ask_pubmed:
            jobs += [
                Job("poll", "pubmed", poll, every(POLL_MINUTES)),
                Job("runs asked for", "pubmed", run_asked),
                Job("recheck", "pubmed", recheck, every(CHECK_MINUTES)),
            ]
        jobs.append(
            Job("housekeeping", "mail", lambda turn: self.working.housekeeping(turn), daily(3, self.settings.zone))
        )
        return Working(self.database, self.clock, jobs)

    def ticker(self) -> Ticker:
        from monitor.scheduler import Ticker

        return Ticker(self.working)

    @cached_property
    def site(self) -> Site:
        from monitor.mail.render import render_page
        from monitor.web.entering import Proxy
        from monitor.web.site import Site

        return Site(
            database=self.database,
            clock=self.clock,
            accounts=self.accounts,
            signing_in=self.signing_in,
            one_time=self.one_time,
            people=self.people,
            first_run=self.first_run,
            installing=self.installing,
            proxy=Proxy(self.settings.proxy_header, self.settings.proxy_addresses, self.settings.public_url),
            library=self.library,
            saved=self.saved,
            papers=self.papers,
            corrections=self.corrections,
            weeks=self.weeks,
            screening=self.screening,
            queue=self.queue,
            steps=self.steps,
            votes=self.votes,
            notes=self.notes,
            bulk=self.bulk,
            strategies=self.strategies,
            topics=self.topics,
            trials=self.trials,
            searches=self.searches,
            runs=self.runs,
            vocabularies=self.vocabularies,
            rulebooks=self.rulebooks,
            subscribing=self.subscribing,
            personal=self.personal,
            studio=self.studio,
            findings=lambda: self.health.findings(expect_worker=self.expect_worker),
            write_issue=lambda page: render_page(page.content, self.links, page.key),
            feeds=self.feeds,
            links=self.links,
            public_url=self.settings.public_url,
            name=self.settings.digest_name,
            zone=self.settings.timezone,
            language=self.settings.language,
        )

    @cached_property
    def _secret(self) -> bytes:
        """The key that signs links; made on first need, so that a command that only reads leaves nothing behind."""
        return with_secret_key(self.settings).secret_key.get_secret_value().encode()

    def _publish(self) -> None:
        self.publishing.publish()

    def _deliver(self, stopping: Callable[[], bool]) -> None:
        self.delivering.run(stop=stopping)


@contextmanager
def build(
    settings: Settings, *, clock: Clock | None = None, create: bool = False, sources: Sources | None = None
) -> Iterator[House]:
    """Open an installation. Raises DatabaseBehind or DatabaseDamaged before anything else is touched.

    `create` makes a database that does not exist yet, with the starter topics; one that is behind is never changed.
    With `sources`, the pages may keep settings of their own.
    """
    from monitor.storage import migrations
    from monitor.storage.engine import connect

    database = connect(settings.database_url.get_secret_value())
    try:
        house = House(settings, database, clock)
        house.sources = sources
        try:
            migrations.check(database)
        except DatabaseBehind:
            if not create or migrations.current(database) is not None:
                raise
            house.setup.run()
        yield house
    finally:
        database.dispose()
