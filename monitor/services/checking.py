"""What stands against saving a strategy: the linter's errors, sentinels that it loses, phrases that PubMed does not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from monitor.core.draft import Draft
from monitor.core.lint import Finding, lint, phrases_of
from monitor.core.phrases import Phrase, answers
from monitor.core.polling import of_pmids
from monitor.core.query import MeshTree, document, matches, parse
from monitor.core.strategy import LANES, Lane, Strategy
from monitor.errors import QuerySyntaxError, UsageError
from monitor.services.asking import Asking
from monitor.services.drafting import moved
from monitor.services.evaluating import evaluate
from monitor.services.ports import Clock, PubmedSource
from monitor.storage import citations, phrases
from monitor.storage.engine import Database

UNKNOWN_PHRASE = "phrase-unknown"
"""The linter's finding that is told with the phrases, after the sentinels."""


@dataclass(frozen=True, slots=True)
class SentinelCheck:
    """Which sentinels the core search finds. `unchecked` could not be looked at; `absent` are not in PubMed at all."""

    found: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    absent: tuple[int, ...] = ()
    unchecked: tuple[int, ...] = ()
    by_pubmed: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at before saving. `blocking` are the sentences that stand against it, in the order checked.

    `phrases` has PubMed's last word on each, None where it was never asked. `counts` are PubMed's, by lane.
    `asked_pubmed` says that PubMed answered every question of this check; else `why_not` says why not.
    """

    topic_id: str
    findings: tuple[Finding, ...] = ()
    sentinels: SentinelCheck = field(default_factory=SentinelCheck)
    phrases: Mapping[Phrase, bool | None] = field(default_factory=dict)
    counts: Mapping[Lane, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()
    asked_pubmed: bool = False
    why_not: str | None = None

    @property
    def unknown(self) -> tuple[Phrase, ...]:
        return tuple(key for key, known in self.phrases.items() if known is False)

    @property
    def unchecked(self) -> tuple[Phrase, ...]:
        return tuple(key for key, known in self.phrases.items() if known is None)

    @property
    def whole(self) -> bool:
        """Whether every sentinel and every phrase could be looked at, by PubMed now or by what it said before."""
        return not self.sentinels.unchecked and not self.unchecked


class Checking:
    """Looks at drafts; stores nothing but what PubMed says of phrases."""

    def __init__(self, database: Database, source: PubmedSource | None, clock: Clock, tree: MeshTree) -> None:
        self._database = database
        self._source = source
        self._clock = clock
        self._tree = tree

    def lint(self, strategy: Strategy, *, library: bool = True) -> tuple[Finding, ...]:
        """Return what the linter says, with what is known of the phrases and what each line finds in the library."""
        with self._database.read() as session:
            return self._lint(session, strategy, library=library)

    def phrases(self, strategy: Strategy) -> dict[Phrase, bool | None]:
        """Return every phrase with PubMed's last word on it, None where it was never asked."""
        with self._database.read() as session:
            return self._known(session, strategy)

    def check(self, draft: Draft) -> Check:
        """Look at everything; the draft's lanes can be rendered and parsed."""
        asking = Asking(self._source)
        heard, counts, warnings, refusals = self._ask_lanes(asking, draft.strategy)
        sentinels = self._sentinels(asking, draft)
        with self._database.read() as session:
            known = self._known(session, draft.strategy) | heard
            findings = self._lint(session, draft.strategy)
        errors = [each for each in findings if each.weight == "error"]
        blocking = [_sentence(each) for each in errors if each.code != UNKNOWN_PHRASE] + refusals
        blocking += _about_sentinels(sentinels)
        blocking += _about_phrases(
            (key[0] for key, answer in known.items() if answer is False),
            [_sentence(each) for each in errors if each.code == UNKNOWN_PHRASE],
        )
        return Check(
            draft.topic_id,
            findings,
            sentinels,
            known,
            counts,
            warnings,
            tuple(dict.fromkeys(blocking)),
            asking.why_not is None and not refusals,
            asking.why_not,
        )

    def check_sentinels(self, draft: Draft) -> Check:
        """Look at the sentinels alone: what a topic needs whose search stays as it is."""
        asking = Asking(self._source)
        found = self._sentinels(asking, draft)
        blocking = (*asking.refusals, *_about_sentinels(found))
        asked = asking.why_not is None and not asking.refusals
        return Check(draft.topic_id, sentinels=found, blocking=blocking, asked_pubmed=asked, why_not=asking.why_not)

    def _ask_lanes(
        self, asking: Asking, strategy: Strategy
    ) -> tuple[dict[Phrase, bool], dict[Lane, int], tuple[str, ...], list[str]]:
        counts: dict[Lane, int] = {}
        warnings: list[str] = []
        refusals: list[str] = []
        heard: dict[Phrase, bool] = {}
        for lane, query in strategy.queries().items():
            before = len(asking.refusals)
            result = asking.search(query)
            refusals += [f"{lane}: {each}" for each in asking.refusals[before:]]
            if result is None:
                continue
            counts[lane] = result.count
            warnings += [f"{lane}: {each}" for each in result.warnings]
            for key, known in answers(query, result.unknown_phrases).items():
                heard[key] = known and heard.get(key, True)
        if heard:
            with self._database.write() as session:
                phrases.note(session, heard, self._clock.now())
        return heard, counts, tuple(warnings), refusals

    def _sentinels(self, asking: Asking, draft: Draft) -> SentinelCheck:
        core = draft.strategy.query("core")
        if core is None or not draft.sentinels:
            return SentinelCheck(by_pubmed=asking.why_not is None)
        wanted = draft.sentinels
        result = asking.search(f"({core}) AND ({of_pmids(wanted)})", limit=len(wanted))
        if result is None:
            return self._by_library(core, wanted)
        lost = tuple(pmid for pmid in wanted if pmid not in result.pmids)
        there = asking.search(of_pmids(lost), limit=len(lost)) if lost else None
        absent = tuple(pmid for pmid in lost if there is not None and pmid not in there.pmids)
        return SentinelCheck(
            tuple(pmid for pmid in wanted if pmid in result.pmids),
            tuple(pmid for pmid in lost if pmid not in absent),
            absent,
            by_pubmed=True,
        )

    def _by_library(self, core: str, wanted: tuple[int, ...]) -> SentinelCheck:
        query, today = parse(core), self._clock.now().date()
        with self._database.read() as session:
            held = citations.load(session, wanted)
        found = tuple(pmid for pmid in held if matches(query, document(held[pmid]), self._tree, today))
        return SentinelCheck(
            found,
            tuple(pmid for pmid in held if pmid not in found),
            unchecked=tuple(pmid for pmid in wanted if pmid not in held),
        )

    def _known(self, session: Session, strategy: Strategy) -> dict[Phrase, bool | None]:
        wanted: dict[Phrase, None] = {}
        for text in _lines(strategy).values():
            try:
                wanted |= dict.fromkeys(phrases_of(parse(text)))
            except QuerySyntaxError:  # the linter says so
                continue
        told = phrases.known(session, wanted)
        return {key: told.get(key) for key in wanted}

    def _lint(self, session: Session, strategy: Strategy, *, library: bool = True) -> tuple[Finding, ...]:
        known = {key: told for key, told in self._known(session, strategy).items() if told is not None}
        found = None
        if library and citations.totals(session).citations:
            found = evaluate(session, _lines(strategy), self._tree, self._clock.now().date()).found
        return lint(strategy, self._tree, phrases=known, found=found, moved=moved(session, strategy))


def _lines(strategy: Strategy) -> dict[tuple[str, int], str]:
    """Return the lines of both lanes that are on and can be rendered."""
    found: dict[tuple[str, int], str] = {}
    for lane in LANES:
        for position, line in enumerate(strategy.lines(lane), 1):
            if line.enabled:
                with suppress(UsageError):  # a block that is missing or in a circle: the linter says so
                    found[lane, position] = strategy.line_query(line)
    return found


def _about_sentinels(check: SentinelCheck) -> list[str]:
    where = "" if check.by_pubmed else " in the library"
    said = [f"sentinel {pmid} is lost: the core search does not find it{where}" for pmid in check.lost]
    return said + [f"sentinel {pmid} is not in PubMed" for pmid in check.absent]


def _about_phrases(unknown: Iterable[str], told: list[str]) -> list[str]:
    """Say which phrases PubMed does not know: as the linter does with their lines, and those it has no line for."""
    return told + [
        f'PubMed does not know "{phrase}" and searches without it'
        for phrase in dict.fromkeys(unknown)
        if not any(f'"{phrase}"' in each for each in told)
    ]


def _sentence(finding: Finding) -> str:
    return f"{finding.place}: {finding.message}"
