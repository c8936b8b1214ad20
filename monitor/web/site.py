"""What the pages are given: plain services and values, put together by `build`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from monitor.core.health import Finding
from monitor.mail.links import Links
from monitor.services.accounts import Accounts
from monitor.services.bulk import Bulk
from monitor.services.corrections import Corrections
from monitor.services.feeds import Feeds
from monitor.services.firstrun import FirstRun
from monitor.services.installing import Installing
from monitor.services.library import Library
from monitor.services.notes import Notes
from monitor.services.onetime import OneTimeLinks
from monitor.services.papers import Papers
from monitor.services.people import People
from monitor.services.personal import Personal
from monitor.services.ports import Clock
from monitor.services.queue import Queue
from monitor.services.rulebooks import Rulebooks
from monitor.services.runs import Runs
from monitor.services.saved import SavedSearches
from monitor.services.screening import Screening
from monitor.services.searches import Searches
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
from monitor.storage.engine import Database
from monitor.storage.issues import IssuePage
from monitor.web.entering import Proxy


@dataclass(frozen=True, slots=True)
class Site:
    """One installation as its pages see it; `zone` is the time zone of whoever has not chosen one."""

    database: Database
    clock: Clock
    accounts: Accounts
    signing_in: SigningIn
    one_time: OneTimeLinks
    people: People
    first_run: FirstRun
    installing: Installing
    proxy: Proxy
    library: Library
    saved: SavedSearches
    papers: Papers
    corrections: Corrections
    weeks: Weeks
    screening: Screening
    queue: Queue
    steps: Steps
    votes: Votes
    notes: Notes
    bulk: Bulk
    strategies: Strategies
    topics: Topics
    trials: Trials
    searches: Searches
    runs: Runs
    vocabularies: Vocabularies
    rulebooks: Rulebooks
    subscribing: Subscribing
    personal: Personal
    studio: Studio
    findings: Callable[[], Sequence[Finding]]
    write_issue: Callable[[IssuePage], str]
    feeds: Feeds
    links: Links
    public_url: str
    name: str
    zone: str
    language: str

    def today(self) -> date:
        """Return the day it is in the site's own zone, as the queue counts days."""
        return self.clock.now().astimezone(ZoneInfo(self.zone)).date()
