"""Polls end to end: a real client, real HTTP on loopback, both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from monitor.errors import NotFound, UsageError
from monitor.pubmed.sandbox import Fault
from monitor.services.lanepoll import Progress
from monitor.services.polling import Polling
from monitor.services.ports import PubmedSource
from monitor.storage import citations, polls
from monitor.storage.engine import Database
from monitor.storage.facts import facts
from monitor.storage.tables import HitRow, PollBatchRow, PollRow, TopicRow
from tests.acceptance.polling import FIRST, NOW, Lab, client, record, records, sandbox, topic


def hit_rows(lab: Lab) -> list[HitRow]:
    with lab.database.read() as session:
        return list(session.scalars(select(HitRow).order_by(HitRow.topic_id, HitRow.lane, HitRow.pmid)))


def test_the_first_poll_takes_a_month_and_says_so(database: Database) -> None:
    old = record(FIRST + 50, created=date(2026, 10, 1))
    with sandbox(*records(5), old, record(FIRST + 60, title="Invented cars")) as server:
        lab = Lab(database, server)
        report = lab.polling.poll()
        (outcome,) = report.outcomes
        assert (outcome.state, outcome.reached, report.exit_code) == ("done", True, 0)
        assert lab.pmids() == lab.hits() == list(range(FIRST, FIRST + 5))
        poll = outcome.poll
        assert poll is not None
        assert (poll.kind, poll.since, poll.until) == ("window", date(2026, 10, 23), None)
        assert (poll.count, poll.found, poll.new, poll.revised, poll.unchanged, poll.missing) == (5, 5, 5, 0, 0, 0)
        assert poll.query.startswith('("CAR-NK"[tiab]) AND (2026/10/23:3000[crdt] OR')
        assert poll.translation
        assert all(each.news and each.lines == [1] for each in hit_rows(lab))
        with database.read() as session:
            assert session.get_one(TopicRow, "car-nk").watched_from == date(2026, 10, 23)
        assert all(each.method == "POST" and not each.key_in_url for each in server.log)


def test_a_second_poll_finds_what_is_new_and_what_was_revised(database: Database) -> None:
    with sandbox(*records(3)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        server.corpus.add(record(FIRST + 1, abstract="Rewritten.", revised=date(2026, 11, 28)).encode())
        server.corpus.add(record(FIRST + 7, created=date(2026, 11, 27)).encode())
        lab.later(days=7)
        poll = lab.polling.poll().outcomes[0].poll
        assert poll is not None
        assert poll.since == date(2026, 11, 8)
        assert (poll.new, poll.revised, poll.unchanged) == (1, 1, 2)
        assert lab.hits() == [FIRST, FIRST + 1, FIRST + 2, FIRST + 7]


def test_a_late_match_is_news_and_an_old_paper_is_not(database: Database) -> None:
    """MeSH or an abstract may come weeks later; the window on [lr] and [mhda] brings the record then."""
    plain = {"title": "Invented cells"}
    young = record(FIRST, created=date(2026, 11, 1), **plain)
    ancient = record(FIRST + 1, created=date(2019, 11, 1), **plain)
    with sandbox(young, ancient) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        assert lab.hits() == []
        lab.later(days=90)
        for pmid, created in ((FIRST, date(2026, 11, 1)), (FIRST + 1, date(2019, 11, 1))):
            server.corpus.add(record(pmid, created=created, revised=lab.at.date()).encode())
        lab.polling.poll()
        assert [(each.pmid, each.news) for each in hit_rows(lab)] == [(FIRST, True), (FIRST + 1, False)]


def test_both_lanes_are_polled_and_a_record_is_fetched_once(database: Database) -> None:
    with sandbox(*records(4)) as server:
        lab = Lab(database, server, topic(wide=["cells[ti]"]), topic("other", core=["invented[ti]"]))
        report = lab.polling.poll()
        assert [(each.topic_id, each.lane) for each in report.outcomes] == [
            ("car-nk", "core"),
            ("car-nk", "wide"),
            ("other", "core"),
        ]
        assert lab.hits("car-nk", "wide") == lab.hits("other") == lab.pmids()
        assert lab.fetched() == [list(reversed(range(FIRST, FIRST + 4)))]
        assert len(hit_rows(lab)) == 12


def test_named_topics_only_and_an_unknown_one_is_an_error(database: Database) -> None:
    with sandbox(*records(2)) as server:
        lab = Lab(database, server, topic(), topic("other"))
        assert [each.topic_id for each in lab.polling.poll(["other"]).outcomes] == ["other"]
        with pytest.raises(NotFound, match="nonesuch"):
            lab.polling.poll(["other", "nonesuch"])


@pytest.mark.parametrize(
    "days",
    [
        {"until": date(2026, 1, 1)},
        {"since": date(2026, 1, 2), "until": date(2026, 1, 1)},
        {"since": date(2026, 1, 2), "full": True},
    ],
)
def test_days_that_do_not_go_together(database: Database, days: dict[str, date]) -> None:
    with sandbox() as server, pytest.raises(UsageError):
        Lab(database, server).polling.poll(**days)  # type: ignore[arg-type]


def test_a_range_by_hand_is_stored_but_is_no_news_and_moves_no_mark(database: Database) -> None:
    old = [record(FIRST + 100 + n, created=date(2020, 5, 1)) for n in range(3)]
    with sandbox(*records(2), *old) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        lab.later(days=40)
        poll = lab.polling.poll(since=date(2020, 1, 1), until=date(2020, 12, 31)).outcomes[0].poll
        assert poll is not None
        assert (poll.since, poll.until, poll.new) == (date(2020, 1, 1), date(2020, 12, 31), 3)
        lab.polling.poll(since=date(2026, 12, 31))
        following = lab.polling.poll().outcomes[0].poll
        assert following is not None
        assert following.since == NOW.date() - timedelta(days=14), "neither range leaves the days before it searched"
        assert [each.news for each in hit_rows(lab)] == [True, True, False, False, False]


def test_a_dry_run_counts_and_writes_nothing(database: Database) -> None:
    with sandbox(*records(3)) as server:
        lab = Lab(database, server, topic(), topic("other", core=["nothing[ti]"]))
        first, second = lab.polling.preview()
        assert (first.topic_id, first.count, second.count) == ("car-nk", 3, 0)
        assert "[crdt]" in first.query
        (whole,) = lab.polling.preview(["car-nk"], full=True)
        assert whole.query == '"CAR-NK"[tiab]'
        with database.read() as session:
            assert session.scalar(select(PollRow.id)) is None
            assert session.get_one(TopicRow, "car-nk").watched_from is None
        assert lab.pmids() == []


def test_a_full_poll_takes_what_is_older_and_ends_what_no_longer_matches(database: Database) -> None:
    old = [record(FIRST + 100 + n, created=date(2015, 5, 1)) for n in range(3)]
    with sandbox(*records(4), *old) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        server.log.clear()
        server.corpus.add(record(FIRST, title="Corrected title").encode())
        poll = lab.polling.poll(full=True).outcomes[0].poll
        assert poll is not None
        assert (poll.kind, poll.count, poll.found, poll.new) == ("full", 6, 6, 3)
        assert [sorted(each) for each in lab.fetched()] == [[FIRST + 100, FIRST + 101, FIRST + 102]], (
            "held ones are not"
        )
        assert lab.hits() == [FIRST + 1, FIRST + 2, FIRST + 3, FIRST + 100, FIRST + 101, FIRST + 102]
        ended = hit_rows(lab)[0]
        assert (ended.pmid, ended.ended_at) == (FIRST, lab.at)
        assert FIRST in lab.pmids(), "absence from a search is no withdrawal"
        assert [each.news for each in hit_rows(lab)] == [True] * 4 + [False] * 3
        server.corpus.add(record(FIRST).encode())
        lab.polling.poll(full=True)
        assert hit_rows(lab)[0].ended_at is None, "and stands again when it matches again"


def test_a_comparison_moves_no_mark_and_makes_up_for_no_window(database: Database) -> None:
    """It fetches nothing that is held, so what was revised meanwhile is the window's to find."""
    with sandbox(*records(2, created=date(2026, 11, 1))) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        lab.later(days=2)
        server.corpus.add(record(FIRST, abstract="Revised.", revised=date(2026, 11, 24)).encode())
        lab.later(days=26)
        lab.polling.poll(full=True)
        due = lab.polling.poll_due(6, ZoneInfo("UTC"))
        assert [(each.kind, each.poll and each.poll.revised) for each in due.outcomes] == [("window", 1)]


def test_a_warned_comparison_ends_no_hit(database: Database) -> None:
    with sandbox(*records(2)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        server.corpus.add(record(FIRST, title="Corrected title").encode())
        server.unknown_phrases = ["car nk"]
        outcome = lab.polling.poll(full=True).outcomes[0]
        assert outcome.state == "warned"
        assert FIRST in lab.hits()


def test_an_empty_answer_on_a_bad_day_ends_no_hits(database: Database) -> None:
    with sandbox(*records(20)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        server.fault(Fault.EMPTY_RESULT, utility="esearch", times=1)
        assert lab.polling.poll(full=True).outcomes[0].state == "done"
        assert len(lab.hits()) == 20
        server.fault(Fault.EMPTY_RESULT, utility="esearch")
        lab.polling.poll(full=True)
        assert lab.hits() == []


@pytest.mark.parametrize("number", [4, 60])
def test_when_nothing_can_be_read_it_is_pubmed_and_nothing_counts_as_done(database: Database, number: int) -> None:
    with sandbox(*records(number)) as server:
        lab = Lab(database, server)
        server.fault(Fault.ENTITY_BOMB, utility="efetch")
        outcome = lab.polling.poll().outcomes[0]
        assert outcome.poll is not None
        assert (outcome.state, outcome.poll.refused) == ("failed", ())
        assert "could be had or read" in (outcome.error or "")
        server.faults.clear()
        lab.polling.poll()
        assert len(lab.hits()) == number


def test_the_only_record_of_a_poll_may_be_refused(database: Database) -> None:
    with sandbox(*records(1)) as server:
        lab = Lab(database, server)
        server.fault(Fault.NUL, utility="efetch")
        poll = lab.polling.poll().outcomes[0].poll
        assert poll is not None
        assert (poll.state, len(poll.refused)) == ("warned", 1)


def test_an_unknown_phrase_warns_and_the_hits_are_stored(database: Database) -> None:
    with sandbox(*records(2)) as server:
        lab = Lab(database, server, topic(core=['"CAR-NK"[tiab]', '"unheard of"[tiab]']))
        server.unknown_phrases = ["unheard of"]
        report = lab.polling.poll()
        (outcome,) = report.outcomes
        assert (outcome.state, report.exit_code) == ("warned", 1)
        assert outcome.poll is not None
        assert any("unheard of" in each for each in outcome.poll.unknown_phrases)
        assert lab.hits() == [FIRST, FIRST + 1]
        lab.later(days=1)
        server.unknown_phrases = []
        again = lab.polling.poll().outcomes[0].poll
        assert again is not None
        assert again.since == date(2026, 11, 8), "a warned poll is a whole one"


def test_a_search_that_pubmed_reads_differently_is_told(database: Database) -> None:
    with sandbox(*records(2)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        lab.later(days=1)
        assert not any("differently" in w for w in lab.polling.poll().outcomes[0].poll.warnings)  # type: ignore[union-attr]
        server.translations = {"car-nk": "car-natural killer"}
        lab.later(days=1)
        poll = lab.polling.poll().outcomes[0].poll
        assert poll is not None
        assert any("differently" in each for each in poll.warnings), poll.translation


def test_one_topic_s_failure_leaves_the_others_alone(database: Database) -> None:
    with sandbox(*records(3)) as server:
        lab = Lab(database, server, topic("a"), topic("b"), topic("c"))
        server.fault(Fault.RETSTART_REFUSED, utility="esearch", calls=[2])
        report = lab.polling.poll()
        assert [each.state for each in report.outcomes] == ["done", "failed", "done"]
        assert report.exit_code == 1
        assert "retstart" in (report.outcomes[1].error or "")


def test_pubmed_out_of_reach_is_exit_code_3_and_nobody_waits_for_ever(database: Database) -> None:
    with sandbox(*records(3)) as server:
        lab = Lab(database, server, *[topic(name) for name in "abcdef"])
        rule = server.fault(Fault.HTTP_503)
        report = lab.polling.poll()
        assert report.exit_code == 3
        assert [each.state for each in report.outcomes] == ["failed"] * 6
        assert len(server.log) == 3 * 6, "six tries each for three topics, then no more"
        assert "not tried" in (report.outcomes[5].error or "")
        with database.read() as session:
            assert {each.state for each in polls.latest(session)} == {"failed"}
        server.faults.rules.remove(rule)
        assert lab.polling.poll().exit_code == 0
        assert lab.hits("f") == lab.pmids() == [FIRST, FIRST + 1, FIRST + 2]


def test_a_refusal_stops_the_run(database: Database) -> None:
    with sandbox(*records(3)) as server:
        lab = Lab(database, server, topic("a"), topic("b"))
        server.fault(Fault.KEY_INVALID)
        report = lab.polling.poll()
        assert len(server.log) == 1
        assert report.exit_code == 1
        assert all("MONITOR_NCBI_API_KEY" in (each.error or "") for each in report.outcomes)


@pytest.mark.parametrize("cap", [7, 10, 25])
def test_more_than_pubmed_names_is_divided_by_days(database: Database, cap: int) -> None:
    spread = [record(FIRST + n, created=date(2026, 1, 1) + timedelta(days=n)) for n in range(60)]
    with sandbox(*spread, limit=cap) as server:
        lab = Lab(database, server)
        poll = lab.polling.poll(full=True).outcomes[0].poll
        assert poll is not None
        assert (poll.count, poll.found, poll.new, poll.missing) == (60, 60, 60, 0)
        assert len(lab.hits()) == 60
        assert len(server.requests("esearch")) < 60


def test_more_on_one_day_than_pubmed_names_is_divided_by_pmid(database: Database) -> None:
    with sandbox(*records(40, created=date(2026, 11, 3)), *records(5, first=FIRST + 1000), limit=9) as server:
        lab = Lab(database, server)
        lab.polling.poll(full=True)
        assert len(lab.hits()) == 45


def test_what_was_left_out_is_asked_for_once_more(database: Database) -> None:
    """The search names them, efetch leaves them out: E18."""
    with sandbox(*records(6)) as server:
        lab = Lab(database, server)
        server.fault(Fault.PARTIAL_SET, utility="efetch", times=1)
        poll = lab.polling.poll().outcomes[0].poll
        assert poll is not None
        assert (poll.new, poll.missing) == (6, 0)
        assert len(lab.fetched()) == 2


def test_days_of_empty_answers_fail_the_polls_and_withdraw_nothing(database: Database) -> None:
    with sandbox(*records(300)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        rule = server.fault(Fault.EMPTY_RESULT, utility="efetch")
        for _ in range(3):
            lab.later(hours=25)
            outcome = lab.polling.poll().outcomes[0]
            assert outcome.poll is not None
            assert (outcome.state, outcome.poll.missing) == ("failed", 0)
            assert "PubMed gave none" in (outcome.error or "")
        server.faults.rules.remove(rule)
        outcome = lab.polling.poll().outcomes[0]
        assert (outcome.state, outcome.poll and outcome.poll.unchanged) == ("done", 300)
        with database.read() as session:
            assert citations.totals(session).withdrawn == 0


def test_a_record_that_a_search_names_and_efetch_leaves_out_is_missing_but_never_withdrawn(database: Database) -> None:
    class Withholding:
        """PubMed without one record."""

        def __init__(self, source: PubmedSource) -> None:
            self._source = source
            self.search = source.search

        def fetch(self, pmids: Sequence[int]) -> bytes:
            return self._source.fetch([pmid for pmid in pmids if pmid != FIRST + 1])

    with sandbox(*records(3)) as server:
        Lab(database, server).polling.poll()
        lab = Lab(database, server, source=Withholding(client(server)))
        for _ in range(2):
            lab.later(hours=25)
            report = lab.polling.poll()
            poll = report.outcomes[0].poll
            assert poll is not None
            assert (report.exit_code, poll.state, poll.unchanged, poll.missing) == (1, "warned", 2, 1)
            assert poll.warnings == (f"1 paper that PubMed counts could not be had: PMID {FIRST + 1}",)
            with database.read() as session:
                assert facts(session, lab.at).topics[0].core.missing == 1
        with database.read() as session:
            assert citations.totals(session).withdrawn == 0


def test_what_was_missing_before_a_stop_is_asked_for_again(database: Database) -> None:
    class Withholding:
        def __init__(self, source: PubmedSource) -> None:
            self._source = source
            self.search = source.search
            self.asked: list[int] = []

        def fetch(self, pmids: Sequence[int]) -> bytes:
            self.asked += pmids
            return self._source.fetch([pmid for pmid in pmids if pmid != FIRST + 1100])

    with sandbox(*records(1101)) as server:
        source = Withholding(client(server))
        lab = Lab(database, server, source=source, in_flight=1, stopping=lambda: source.asked.count(FIRST + 1100) == 2)
        # Named first by the search, so it is missing before the run stops.
        assert lab.polling.poll().outcomes[0].state == "interrupted"
        source.asked.clear()
        lab.polling = Polling(database, source, lab)
        poll = lab.polling.poll().outcomes[0].poll
        assert poll is not None
        assert (poll.state, poll.new, poll.missing) == ("warned", 1100, 1)
        assert str(FIRST + 1100) in poll.warnings[-1]


def test_a_poisoned_record_costs_only_itself(database: Database) -> None:
    with sandbox(*records(9)) as server:
        lab = Lab(database, server)
        server.fault(Fault.ILLEGAL_CHARACTER, utility="efetch", pmid=FIRST + 4)
        poll = lab.polling.poll().outcomes[0].poll
        assert poll is not None
        assert (poll.state, poll.new) == ("warned", 8)
        assert [each for each in poll.refused if str(FIRST + 4) in each]
        assert FIRST + 4 not in lab.pmids()
        server.faults.clear()
        lab.later(days=1)
        lab.polling.poll()
        assert len(lab.hits()) == 9


@pytest.mark.parametrize(
    "fault", [Fault.HTTP_500, Fault.HTTP_502, Fault.BAD_REQUEST, Fault.CUT_IN_TAG, Fault.RESET_IN_BODY]
)
def test_a_batch_with_one_record_that_pubmed_cannot_give_is_narrowed_down(
    sqlite_database: Database, fault: Fault
) -> None:
    with sandbox(*records(9)) as server:
        lab = Lab(sqlite_database, server)
        server.fault(fault, utility="efetch", pmid=FIRST + 4)
        poll = lab.polling.poll().outcomes[0].poll
        assert poll is not None
        assert (poll.state, poll.new, len(poll.refused)) == ("warned", 8, 1)
        assert str(FIRST + 4) in poll.refused[0]


def test_batches_that_pubmed_finds_too_large_are_halved(sqlite_database: Database) -> None:
    with sandbox(*records(50)) as server:
        lab = Lab(sqlite_database, server)
        server.fault(Fault.HTTP_502, utility="efetch", more_than=20)
        poll = lab.polling.poll().outcomes[0].poll
        assert poll is not None
        assert (poll.state, poll.new, poll.refused) == ("done", 50, ())
        assert max(len(each) for each in lab.fetched()[-4:]) <= 20


@pytest.mark.parametrize("fault", [Fault.WRONG_RECORDS, Fault.EXTRA_RECORD, Fault.DUPLICATED_RECORDS, Fault.SHUFFLED])
@pytest.mark.parametrize("times", [1, None])
def test_answers_with_other_records_than_asked_for(sqlite_database: Database, fault: Fault, times: int | None) -> None:
    with sandbox(*records(6), record(FIRST + 90, title="Not ours")) as server:
        lab = Lab(sqlite_database, server)
        server.fault(fault, utility="efetch", times=times)
        outcome = lab.polling.poll().outcomes[0]
        poll = outcome.poll
        assert poll is not None
        assert FIRST + 90 not in lab.pmids()
        if fault is Fault.WRONG_RECORDS and times is None:
            assert (outcome.state, poll.missing) == ("failed", 0), "who sends others has not said that ours are gone"
        else:
            assert (poll.new, poll.missing) == (6, 0)


def test_a_run_that_is_cut_short_goes_on_where_it_was(database: Database) -> None:
    with sandbox(*records(700)) as server:
        lab = Lab(database, server)
        server.fault(Fault.HTTP_503, utility="efetch", calls=list(range(3, 100)))
        first = lab.polling.poll().outcomes[0]
        assert (first.state, first.reached) == ("failed", True)
        stored = set(lab.pmids())
        assert 0 < len(stored) < 700
        assert first.poll is not None
        server.faults.clear()
        before = len(lab.fetched())
        lab.later(hours=1)
        second = lab.polling.poll().outcomes[0]
        assert second.poll is not None
        assert (second.state, second.poll.id) == ("done", first.poll.id), "the same row goes on"
        again = [pmid for each in lab.fetched()[before:] for pmid in each]
        assert not stored & set(again), "what is stored is not fetched again"
        assert len(lab.pmids()) == second.poll.new == 700
        with database.read() as session:
            batches = session.scalars(select(PollBatchRow).where(PollBatchRow.poll_id == first.poll.id)).all()
        assert sorted(pmid for each in batches for pmid in each.pmids) == lab.pmids()


def test_a_stopped_run_lets_go_and_goes_on(database: Database) -> None:
    with sandbox(*records(2400)) as server:
        stop = []
        lab = Lab(database, server, stopping=lambda: bool(stop))
        seen: list[Progress] = []

        def watch(progress: Progress) -> None:
            seen.append(progress)
            if progress.done:
                stop.append(True)

        outcome = lab.polling.poll(progress=watch).outcomes[0]
        assert outcome.state == "interrupted"
        assert 0 < len(lab.pmids()) < 2400
        stop.clear()
        assert lab.polling.poll().outcomes[0].state == "done"
        assert len(lab.pmids()) == 2400
        assert seen[0].total == 0
        assert seen[-1].total == 2400


def test_a_poll_in_other_hands_is_left_to_them(database: Database) -> None:
    with sandbox(*records(3)) as server:
        lab = Lab(database, server)
        inner: list[str] = []

        def meanwhile(progress: Progress) -> None:
            if progress.total == 0 and not inner:
                inner.append("busy")
                inner.append(Polling(database, client(server), lab).poll().outcomes[0].state)

        assert lab.polling.poll(progress=meanwhile).outcomes[0].state == "done"
        assert inner == ["busy", "busy"]


def test_a_failure_by_hand_is_made_up_for(database: Database) -> None:
    zone = ZoneInfo("UTC")
    with sandbox(*records(2)) as server:
        lab = Lab(database, server)
        lab.polling.poll_due(6, zone)
        for full in (False, True):
            lab.later(minutes=20)
            rule = server.fault(Fault.HTTP_503)
            lab.polling.poll(full=full)
            server.faults.rules.remove(rule)
            lab.later(minutes=15)
            with database.read() as session:
                assert facts(session, lab.at).topics[0].core.last_error
            due = lab.polling.poll_due(6, zone).outcomes
            assert [(each.kind, each.state) for each in due] == [("full" if full else "window", "done")]
            assert lab.polling.poll_due(6, zone).outcomes == ()
            with database.read() as session:
                assert facts(session, lab.at).topics[0].core.last_error is None


def test_a_range_by_hand_says_nothing_of_how_a_topic_is(database: Database) -> None:
    with sandbox(*records(2)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        lab.later(minutes=20)
        server.fault(Fault.HTTP_503)
        lab.polling.poll(since=date(2020, 1, 1), until=date(2020, 12, 31))
        assert lab.polling.poll_due(6, ZoneInfo("UTC")).outcomes == ()
        with database.read() as session:
            core = facts(session, lab.at).topics[0].core
        assert (core.last_error, core.last_success_at) == (None, NOW)


def test_a_clock_that_was_ahead_silences_nothing(database: Database) -> None:
    zone = ZoneInfo("UTC")
    with sandbox(*records(2)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        lab.later(days=300)
        lab.polling.poll()
        lab.later(days=-280)
        (outcome,) = lab.polling.poll_due(6, zone).outcomes[:1]
        assert outcome.poll is not None
        assert (outcome.kind, outcome.poll.since) == ("window", NOW.date() - timedelta(days=14))
        lab.later(days=-1)
        with database.read() as session:
            found = facts(session, lab.at)
        assert found.topics[0].core.last_success_at == NOW
        assert found.latest_moment == NOW + timedelta(days=300)


def test_days_without_a_network_leave_one_row(database: Database) -> None:
    zone = ZoneInfo("UTC")
    with sandbox(*records(2)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        server.fault(Fault.HTTP_503)
        for _ in range(8):
            lab.later(hours=12)
            lab.polling.poll_due(6, zone)
        with database.read() as session:
            polled, failed = session.scalars(select(PollRow).order_by(PollRow.id))
        assert (polled.state, failed.state) == ("done", "failed")
        assert failed.started_at == NOW + timedelta(days=1), "when it began to fail"
        assert failed.finished_at == NOW + timedelta(days=4)
        server.faults.clear()
        assert [each.state for each in lab.polling.poll_due(6, zone).outcomes] == ["done"]
        assert lab.polling.poll_due(6, zone).outcomes == ()


def test_what_is_due(database: Database) -> None:
    zone = ZoneInfo("UTC")
    with sandbox(*records(2)) as server:
        lab = Lab(database, server, topic("a"), topic("b"))
        lab.polling.poll(["a"])
        assert [each.topic_id for each in lab.polling.poll_due(6, zone).outcomes] == ["b"]
        assert lab.polling.poll_due(6, zone).outcomes == ()
        lab.later(hours=23, minutes=59)
        assert lab.polling.poll_due(6, zone).outcomes == ()
        lab.later(minutes=1)
        assert [each.topic_id for each in lab.polling.poll_due(6, zone).outcomes] == ["a", "b"]
        lab.later(days=29)
        kinds = [(each.topic_id, each.kind) for each in lab.polling.poll_due(6, zone).outcomes]
        assert kinds == [("a", "window"), ("a", "full"), ("b", "window"), ("b", "full")]
        assert lab.polling.poll_due(6, zone).outcomes == ()
