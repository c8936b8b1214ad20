"""Proves a topic's recall: PubMed against the library, what came late, what each line brings; and the search appendix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from monitor.core.appendix import Appendix, AppendixSearch, AppendixVersion, LaneTotal
from monitor.core.polling import FINISHED, phrases_in_words
from monitor.core.query import MeshTree
from monitor.core.recall import (
    LATE_DAYS,
    Arrival,
    Compared,
    LaneRecall,
    PollTrouble,
    RecallReport,
    Sentinel,
    Span,
    Year,
    day_of,
    late_arrivals,
    line_recalls,
    route_counts,
)
from monitor.core.recheck import created_on
from monitor.core.strategy import LANES, Lane, Strategy
from monitor.core.trials import bars, year_label
from monitor.errors import UsageError
from monitor.formats import nlm
from monitor.services.asking import Asking
from monitor.services.evaluating import evaluate
from monitor.services.ports import Clock, PubmedSource
from monitor.services.searching import WholeSet
from monitor.services.suggesting import Suggesting
from monitor.storage import citations, recall, screening, strategies
from monitor.storage.engine import Database
from monitor.storage.polls import Poll
from monitor.storage.recall import HitFacts
from monitor.storage.strategies import StoredTopic, StoredVersion

LATE_SHOWN = 50
EVER = Span()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What PubMed says of a lane now: the whole set, and how many of it were created in each year."""

    whole: WholeSet | None
    years: dict[str, int]


class Recall:
    """Writes recall reports and search appendices; PubMed is asked where it can be, and nothing is stored."""

    def __init__(self, database: Database, source: PubmedSource | None, clock: Clock, tree: MeshTree) -> None:
        self._database = database
        self._source = source
        self._clock = clock
        self._tree = tree
        self._suggesting = Suggesting(database, clock, tree)

    def report(
        self,
        topic_id: str,
        span: Span = EVER,
        *,
        late_days: int = LATE_DAYS,
        ask: bool = True,
        tell: Callable[[int], object] = lambda _: None,
    ) -> RecallReport:
        """Report on a topic. The range is of polls and of what they first found; counts are compared as of now.

        Raises NotFound for an unknown topic, UsageError for one that was never polled and for a range without sense.
        """
        today = self._clock.now().date()
        with self._database.read() as session:
            stored = strategies.topics_named(session, [topic_id])[0]
            polls = recall.polls_of(session, topic_id)
        self._check(topic_id, span, polls)
        asking = Asking(self._source if ask else None, tell)
        asked = {lane: self._ask(asking, query, today) for lane, query in stored.topic.strategy.queries().items()}
        with self._database.read() as session:
            numbers = {each.strategy_id: each.version for each in strategies.history(session, topic_id)}
            hits = {lane: recall.all_hits(session, topic_id, lane) for lane in LANES}
            lanes = tuple(
                self._lane(session, stored, lane, hits[lane], polls, each, span, late_days, today)
                for lane, each in asked.items()
            )
            kept, unread = self._suggesting.kept_of(session, stored)
            sentinels = self._sentinels(session, stored, hits["core"], polls, asked["core"].whole, today)
        within = [each for each in polls if span.holds(each.started_at)]
        searched = Counter(None if each.strategy_id is None else numbers.get(each.strategy_id) for each in within)
        polls_of = tuple(sorted(searched.items(), key=lambda each: -(each[0] or 0)))
        return RecallReport(
            topic_id,
            stored.topic.title,
            stored.version,
            span,
            late_days,
            today,
            sentinels,
            lanes,
            kept,
            unread,
            len(within),
            polls_of,
            tuple(_trouble(each) for each in within if each.state != "done"),
            (asking.why_not or next(iter(asking.refusals), None)) if ask else None,
        )

    def appendix(self, topic_id: str, span: Span = EVER) -> Appendix:
        """Return what a systematic review prints of the search, retired topics too; raises as `report` does.

        It is of the store alone, so that it can be made again.
        """
        with self._database.read() as session:
            stored = strategies.one(session, topic_id)
            polls = recall.polls_of(session, topic_id)
            self._check(topic_id, span, polls)
            within = [each for each in polls if span.holds(each.started_at)]
            history = strategies.history(session, topic_id)
            searched = {each.strategy_id for each in within}
            made = tuple(
                _version(each, strategies.version(session, topic_id, each.version))
                for each in history
                if each.strategy_id in searched
            )
            hits = {lane: recall.all_hits(session, topic_id, lane) for lane in LANES}
            sentinels = self._sentinels(session, stored, hits["core"], polls, None, None)
        numbers = {each.strategy_id: each.version for each in history}
        first = {lane: {e.pmid for e in each if span.holds(e.found_at)} for lane, each in hits.items()}
        by_end = {
            lane: {e.pmid for e in each if Span(None, span.until).holds(e.found_at)} for lane, each in hits.items()
        }
        totals = []
        for lane in LANES:
            searches = [each for each in within if each.lane == lane and each.state in FINISHED]
            if searches or by_end[lane]:
                named = sum(each.found or 0 for each in searches)
                totals.append(LaneTotal(lane, len(searches), named, len(first[lane]), len(by_end[lane])))
        return Appendix(
            topic_id,
            stored.topic.title,
            span,
            day_of(min(each.started_at for each in within)),
            day_of(max(each.started_at for each in within)),
            made,
            tuple(_search(each, numbers) for each in within),
            tuple(totals),
            len(first["core"] | first["wide"]),
            len(by_end["core"] | by_end["wide"]),
            sentinels,
        )

    def _check(self, topic_id: str, span: Span, polls: list[Poll]) -> None:
        today = self._clock.now().date()
        if span.since and span.until and span.until < span.since:
            raise UsageError(f"the last day, {span.until}, is before the first, {span.since}")
        if span.since and span.since > today:
            raise UsageError(f"{span.since} is yet to come; today is {today}")
        if not polls:
            raise UsageError(f"{topic_id} was never polled, so there is nothing to prove yet: monitor poll {topic_id}")
        first = day_of(min(each.started_at for each in polls))
        if span.until and span.until < first:
            raise UsageError(f"{topic_id} was first polled on {first}; there is nothing to report until {span.until}")
        if not any(span.holds(each.started_at) for each in polls):
            last = day_of(max(each.started_at for each in polls))
            raise UsageError(f"{topic_id} was not polled in {span}; its polls are from {first} to {last}")

    def _ask(self, asking: Asking, query: str, today: date) -> _Asked:
        whole = asking.whole(query, today)
        if whole is None:
            return _Asked(None, {})
        with self._database.read() as session:
            held = citations.known(session, whole.pmids)
            if len(held) == len(whole.pmids) == whole.result.count:
                # We know when each was created: nobody needs to be asked.
                created = [year_label(created_on(each), today) for each in citations.load_each(session, whole.pmids)]
                return _Asked(whole, {bar.label: created.count(bar.label) for bar in bars(today)})
        parts = {bar.label: asking.search(bar.part.applied(query)) for bar in bars(today)}
        return _Asked(whole, {label: part.count for label, part in parts.items() if part is not None})

    def _lane(
        self,
        session: Session,
        stored: StoredTopic,
        lane: Lane,
        hits: list[HitFacts],
        polls: list[Poll],
        asked: _Asked,
        span: Span,
        late_days: int,
        today: date,
    ) -> LaneRecall:
        strategy = stored.topic.strategy
        standing = frozenset(each.pmid for each in hits if each.ended_at is None)
        created = {each.pmid: created_on(each) for each in citations.load_each(session, [e.pmid for e in hits])}
        begun = min((day_of(each.started_at) for each in polls), default=today)
        arrivals = [
            Arrival(
                each.pmid,
                each.route,
                day := created[each.pmid],
                day_of(each.found_at),
                each.news and day is not None and day >= begun,
            )
            for each in hits
            if span.holds(each.found_at)
        ]
        late = late_arrivals(arrivals, late_days)
        titles = citations.load(session, [each.pmid for each in late[:LATE_SHOWN]])
        local = evaluate(session, strategy.searched(lane), self._tree, today)
        in_span = standing & {each.pmid for each in arrivals}
        given = {
            pmid: (str(each.judgement.verdict), each.judgement.reason)
            for pmid, each in screening.standing(session, in_span).items()
        }
        lines, lineless = line_recalls(strategy.lines(lane), local.found, in_span, given, local.unreadable)
        ours = [year_label(created[pmid], today) for pmid in standing]
        years = tuple(Year(bar.label, asked.years.get(bar.label), ours.count(bar.label)) for bar in bars(today)) + (
            (Year("without a date", None, ours.count(None)),) if None in ours else ()
        )
        return LaneRecall(
            lane,
            strategy.query(lane) or "",
            _compared(session, asked.whole, polls, lane, standing, today),
            len(standing),
            years,
            route_counts(arrivals, late_days),
            tuple((each, nlm.full_title(titles[each.pmid])) for each in late[:LATE_SHOWN]),
            lines,
            lineless,
        )

    def _sentinels(
        self,
        session: Session,
        stored: StoredTopic,
        hits: list[HitFacts],
        polls: list[Poll],
        whole: WholeSet | None,
        today: date | None,
    ) -> tuple[Sentinel, ...]:
        held = citations.known(session, stored.topic.sentinels, fetched=False)
        by_pmid = {each.pmid: each for each in hits}
        full = [each for each in polls if each.lane == "core" and each.kind == "full" and each.state == "done"]
        out = []
        for pmid in stored.topic.sentinels:
            hit = by_pmid.get(pmid)
            named_now = whole is not None and pmid in whole.pmids
            seen = [today] if named_now else []
            if hit is not None:
                # A comparison of the whole set names every hit that stands after it.
                seen += [day_of(hit.found_at)]
                seen += [
                    day_of(each.started_at)
                    for each in full
                    if each.started_at >= hit.found_at and (hit.ended_at is None or each.started_at < hit.ended_at)
                ]
            if pmid not in held:
                state = "not held"
            elif hit is not None and hit.ended_at is None and (whole is None or named_now):
                state = "found"
            else:
                state = "lost" if hit is not None else "not found"
            out.append(Sentinel(pmid, state, max((each for each in seen if each is not None), default=None)))
        return tuple(out)


def _compared(
    session: Session, whole: WholeSet | None, polls: list[Poll], lane: Lane, standing: frozenset[int], today: date
) -> Compared:
    """Hold PubMed's set against ours; without PubMed, say what the last comparison of the whole set said."""
    if whole is None:
        full = [each for each in polls if each.lane == lane and each.kind == "full" and each.state in FINISHED]
        if not full:
            return Compared()
        last = full[-1]
        day = day_of(last.started_at)
        return Compared(last.count, day, notes=(*last.warnings, *last.refused))
    named = frozenset(whole.pmids)
    held = citations.known(session, named, fetched=False)
    extra = sorted(standing - named, reverse=True)
    facts = citations.held(session, extra)
    short = f"PubMed counted {whole.result.count:,} and named {len(whole.pmids):,}"
    return Compared(
        whole.result.count,
        today,
        asked=True,
        missing=tuple(sorted(named - held, reverse=True)),
        unfiled=tuple(sorted(named & held - standing, reverse=True)),
        extra=tuple(extra),
        withdrawn=tuple(pmid for pmid in extra if facts[pmid].withdrawn_at is not None),
        notes=(*(() if whole.complete else (short,)), *whole.result.warnings),
    )


def _trouble(poll: Poll) -> PollTrouble:
    phrases = [f"PubMed did not know the phrase “{each}”" for each in phrases_in_words(poll.unknown_phrases)]
    what = (*([poll.error] if poll.error else []), *phrases, *poll.warnings, *poll.refused)
    return PollTrouble(poll.started_at, poll.lane or "", poll.kind, poll.state, tuple(what))


def _version(facts: StoredVersion, strategy: Strategy) -> AppendixVersion:
    return AppendixVersion(
        facts.version,
        facts.at,
        facts.by,
        facts.origin,
        facts.reason,
        facts.accepted,
        facts.core,
        facts.wide,
        strategy.core,
        strategy.wide,
    )


def _search(poll: Poll, numbers: dict[int, int]) -> AppendixSearch:
    return AppendixSearch(
        poll.started_at,
        poll.lane or "",
        numbers.get(poll.strategy_id) if poll.strategy_id is not None else None,
        poll.kind,
        f"{poll.since} to {poll.until or 'open'}" if poll.since is not None else None,
        poll.count,
        poll.found,
        poll.new,
        poll.revised,
        poll.state,
        poll.query,
        poll.translation,
        poll.warnings,
    )
