"""The digest from what was found to what is queued: due, selected, frozen once, followed up."""

from __future__ import annotations

import email
import email.policy
import multiprocessing
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import event, func, select, update

from monitor.core.citation import Correction, HistoryDate, InlineXml, PartialDate, PublicationType
from monitor.core.health import Installation, State
from monitor.errors import UsageError
from monitor.mail.message import TOKEN_MARK, Marks, splice
from monitor.services.health import HealthCheck
from monitor.services.publishing import Publishing
from monitor.storage import bounces, checks, issues
from monitor.storage.engine import Database, connect
from monitor.storage.tables import DeliveryRow, HitRow, IssueRow, SubscriptionRow
from tests.acceptance.publishing_world import LINKS, MONDAY, SENDER, World
from tests.factories import FIRST_PMID

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def small(sqlite_database: Database) -> World:
    return World(sqlite_database)


def week_later(world: World, number: int = 1) -> None:
    """Monday of that week, searches done."""
    world.moment = MONDAY - 2 * WEEK + number * WEEK
    world.polled()


def test_the_first_issue_carries_what_was_found_since_subscribing(world: World) -> None:
    world.found(1)
    world.moment += timedelta(hours=1)
    world.reader("ada@lab.example", "car-nk", "cik")
    world.moment += DAY
    world.found(2, "car-nk", "cik")
    world.found(3, "nk-engager")
    week_later(world)
    assert world.publishing.publish().deliveries == 1
    (issue,) = world.issues()
    assert world.entries(issue) == [("news", 2, [])]
    assert (issue.slot, issue.label, issue.kind) == ("2026-11-16", "2026-W47", "news")
    (delivery,) = world.deliveries()
    assert (delivery.state, delivery.address, delivery.slot) == ("queued", "ada@lab.example", issue.slot)
    assert delivery.message_id.endswith("@lab.example>")


def test_nothing_is_due_before_its_slot_or_twice_or_when_the_clock_goes_back(world: World) -> None:
    world.reader("ada@lab.example")
    world.moment = MONDAY - WEEK - timedelta(seconds=1)
    assert world.publishing.due() == []
    week_later(world)
    assert world.publishing.publish().deliveries == 1
    assert world.publishing.publish().deliveries == 0
    world.moment -= timedelta(hours=2)
    assert world.publishing.publish().deliveries == 0
    world.moment -= 3 * WEEK
    assert world.publishing.due() == []
    assert len(world.deliveries()) == 1


def test_a_paper_is_sent_once_however_often_it_is_found(world: World) -> None:
    world.reader("ada@lab.example", "car-nk", "cik")
    world.moment += DAY
    world.found(1, "car-nk")
    week_later(world)
    world.publishing.publish()
    world.delivered()
    world.moment += DAY
    world.found(1, "cik")  # indexed now, so another topic finds it as well
    week_later(world, 2)
    world.publishing.publish()
    assert [issue.kind for issue in world.issues()] == ["news", "quiet"]


def test_a_hit_that_was_committed_late_is_not_lost(world: World) -> None:
    world.reader("ada@lab.example")
    week_later(world)
    world.publishing.publish()
    world.delivered()
    world.found(1, at=world.moment - DAY)  # stamped before the last issue, committed after it
    week_later(world, 2)
    world.publishing.publish()
    assert world.entries(world.issues()[-1]) == [("news", 1, [])]


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_papers_of_an_issue_that_never_arrived_are_carried_into_the_next(world: World, state: str) -> None:
    world.reader("ada@lab.example")
    world.moment += DAY
    world.found(1)
    week_later(world)
    world.publishing.publish()
    world.delivered(state)
    world.moment += DAY
    world.found(2)
    week_later(world, 2)
    world.publishing.publish()
    last = world.issues()[-1]
    assert sorted(world.entries(last)) == [("news", 1, []), ("news", 2, [])]
    assert last.content["missed"] == 1
    assert "catch-up of 2 weeks" in last.subject
    assert last.text.startswith("Catching up on 2 weeks.")


def test_an_outage_gives_one_catch_up_issue_of_the_whole_gap(world: World) -> None:
    world.reader("ada@lab.example")
    for days in (1, 9, 16):
        world.moment = MONDAY - 2 * WEEK + days * DAY
        world.found(days)
    world.moment = MONDAY + WEEK + 2 * DAY
    world.polled()
    assert world.publishing.publish().deliveries == 1
    (issue,) = world.issues()
    assert {number for _, number, _ in world.entries(issue)} == {1, 9, 16}
    assert (issue.slot, issue.content["missed"]) == ("2026-11-30", 2)
    assert issue.text.startswith("Catching up on 3 weeks. 3 new papers since 9 November.")
    assert world.publishing.publish().deliveries == 0


def test_a_retraction_reaches_everyone_the_paper_reached_with_the_date(world: World) -> None:
    world.reader("ada@lab.example", "car-nk")
    world.reader("bob@lab.example", "nk-engager")
    world.moment += DAY
    world.found(1, "car-nk")
    week_later(world)
    world.publishing.publish()
    world.delivered()
    world.moment += DAY
    world.retracted(1)
    week_later(world, 2)
    world.publishing.publish()
    by_address = {row.address: row.issue_id for row in world.deliveries() if row.slot == "2026-11-23"}
    told = {issue.id: world.entries(issue) for issue in world.issues()}
    assert told[by_address["ada@lab.example"]] == [("correction", 1, ["retracted"])]
    assert told[by_address["bob@lab.example"]] == []
    issue = next(issue for issue in world.issues() if issue.id == by_address["ada@lab.example"])
    assert issue.subject == "NK evidence: 1 retraction [W48]"
    assert "On 16 November 2026 we sent you this paper. It has since been retracted." in " ".join(issue.text.split())
    world.delivered()
    week_later(world, 3)
    world.publishing.publish()
    assert [issue.kind for issue in world.issues()][-1] == "quiet"  # told once


def test_concern_then_retraction_are_each_told_and_never_again(world: World) -> None:
    concern = Correction("ExpressionOfConcernIn", "Invented J Cell Ther. 2026;12:800", FIRST_PMID + 8000)
    world.reader("ada@lab.example")
    world.moment += DAY
    world.found(1)
    told = []
    for number, change in enumerate(
        (None, lambda: world.revised(1, corrections=(concern,)), lambda: world.retracted(1), None)
    ):
        world.moment = MONDAY - 2 * WEEK + number * WEEK + 2 * DAY
        if change:
            change()
        week_later(world, number + 1)
        world.publishing.publish()
        told.append(world.entries(world.issues()[-1]))
        world.delivered()
    assert told[0] == [("news", 1, [])]
    assert told[1] == [("correction", 1, ["concern"])]
    assert told[2][0][2][0] == "retracted"
    assert told[3] == []


def test_a_correction_waits_for_the_issue_that_brings_the_paper(world: World) -> None:
    """Retracted between freezing and sending: the next issue says so, once the first has gone out."""
    world.reader("ada@lab.example")
    world.moment += DAY
    world.found(1)
    week_later(world)
    world.publishing.publish()
    world.retracted(1)
    week_later(world, 2)
    world.publishing.publish()
    assert world.issues()[-1].kind == "quiet"  # still queued: it may never arrive
    world.delivered()
    week_later(world, 3)
    world.publishing.publish()
    assert world.entries(world.issues()[-1]) == [("correction", 1, ["retracted"])]


def test_a_delivery_in_doubt_counts_as_having_reached_its_reader(world: World) -> None:
    world.reader("ada@lab.example")
    world.moment += DAY
    world.found(1)
    week_later(world)
    world.publishing.publish()
    world.delivered("in_doubt")
    world.moment += DAY
    world.retracted(1)
    week_later(world, 2)
    world.publishing.publish()
    assert world.entries(world.issues()[-1]) == [("correction", 1, ["retracted"])]


def test_bookkeeping_and_notable_changes_are_no_corrections(world: World) -> None:
    world.reader("ada@lab.example")
    world.moment += DAY
    world.found(1)
    week_later(world)
    world.publishing.publish()
    world.delivered()
    world.moment += DAY
    world.revised(1, title=InlineXml("An invented title, reworded"), status="MEDLINE")
    week_later(world, 2)
    world.publishing.publish()
    assert world.issues()[-1].kind == "quiet"


def test_a_reader_who_left_and_came_back_gets_corrections_but_no_paper_twice(world: World) -> None:
    world.reader("ada@lab.example", "car-nk")
    world.moment += DAY
    world.found(1)
    week_later(world)
    world.publishing.publish()
    world.delivered()
    world.subscribing.unsubscribe("ada@lab.example")
    world.moment += DAY
    world.retracted(1)
    world.subscribing.subscribe("ada@lab.example", ["car-nk"], opt_in=True)
    week_later(world, 2)
    assert world.publishing.publish().deliveries == 1
    assert world.entries(world.issues()[-1]) == [("correction", 1, ["retracted"])]


def test_a_paper_found_retracted_is_labelled_and_not_among_the_news(world: World) -> None:
    world.reader("ada@lab.example")
    world.moment += DAY
    world.found(1, publication_types=(PublicationType("D016441", "Retracted Publication"),))
    world.found(2)
    week_later(world)
    world.publishing.publish()
    (issue,) = world.issues()
    assert [entry["pmid"] for entry in issue.content["integrity"]] == [FIRST_PMID + 1]
    assert issue.content["integrity"][0]["chips"] == ["retracted"]
    assert "[Retracted]" in issue.text
    assert issue.text.index("[Retracted]") < issue.text.index("part 2")


def test_quiet_failed_and_unknown_phrase_each_have_their_own_subject_and_first_line(world: World) -> None:
    world.reader("ada@lab.example")
    week_later(world)
    world.publishing.publish()
    world.delivered()
    world.moment = MONDAY
    world.polled("car-nk", "cik")
    world.polled("nk-engager", state="failed", error="PubMed did not answer (tried 4 times)")
    world.publishing.publish()
    world.delivered()
    world.moment = MONDAY + WEEK
    world.polled("car-nk", "cik")
    world.polled("nk-engager", state="warned", phrases=["CAR-iNK therapy"])
    world.publishing.publish()
    quiet, blind, warned = world.issues()
    assert [each.kind for each in (quiet, blind, warned)] == ["quiet", "blind", "quiet"]
    assert quiet.subject == "NK evidence: quiet week, searches all ran [W47]"
    assert blind.subject == "NK evidence: cannot say, searches failed [W48]"
    assert warned.subject == "NK evidence: quiet week, 1 search needs a look [W49]"
    first = [" ".join(each.text.split("\n\n")[0].split()) for each in (quiet, blind, warned)]
    assert first[0] == (
        "A quiet week. Nothing is new since 9 November. All 3 searches ran and worked, so the silence is real."
    )
    assert first[1] == "We cannot say whether anything is new since 16 November: 1 of 3 searches did not work."
    assert "PubMed did not know part of one" in first[2]
    assert "“CAR-iNK therapy”" in warned.text
    assert "did not answer (tried 4 times)" in " ".join(blind.text.split())
    assert "Searches ran today 07:00, 3 of 3 fine." in quiet.text


def test_readers_who_would_read_the_same_share_one_issue(world: World) -> None:
    for number in range(5):
        world.moment += timedelta(minutes=1)  # everybody came at a moment of their own
        world.reader(f"reader{number}@lab.example", "car-nk")
    world.reader("brief@lab.example", "car-nk", limit=1)
    world.reader("other@lab.example", "cik")
    world.moment += DAY
    for number in range(4):
        world.found(number)
    week_later(world)
    published = world.publishing.publish()
    assert (published.issues, published.deliveries) == (3, 7)
    sizes = sorted(sum(delivery.issue_id == issue.id for delivery in world.deliveries()) for issue in world.issues())
    assert sizes == [1, 1, 5]


def test_a_suppressed_or_disabled_reader_gets_no_issue(world: World) -> None:
    world.reader("ada@lab.example")
    world.reader("bob@lab.example")
    world.subscribing.disable("bob@lab.example")
    with world.database.write() as session:
        from monitor.storage import people

        people.suppress(session, "ada@lab.example", "hard bounce", world.moment)
    week_later(world)
    assert world.publishing.due() == []


def test_day_hour_and_zone_of_each_reader_decide_their_slot(world: World) -> None:
    world.moment += 2 * DAY
    world.reader("east@lab.example", zone="Asia/Shanghai", day=0, hour=7)
    world.reader("west@lab.example", zone="America/Los_Angeles", day=0, hour=7)
    world.moment = datetime(2026, 11, 15, 23, 0, tzinfo=UTC)
    world.polled()
    assert [each.address for each in world.publishing.due()] == ["east@lab.example"]
    world.publishing.publish()
    world.moment = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
    assert [each.address for each in world.publishing.due()] == ["west@lab.example"]
    world.publishing.publish()
    assert {delivery.slot for delivery in world.deliveries()} == {"2026-11-16"}


def test_a_changed_schedule_does_not_call_back_a_day_that_has_passed(world: World) -> None:
    world.reader("ada@lab.example")
    week_later(world)
    world.publishing.publish()
    world.moment += 3 * DAY
    world.subscribing.subscribe("ada@lab.example", [], day=2)
    assert world.publishing.due() == []
    world.moment += 6 * DAY
    assert [each.slot.label for each in world.publishing.due()] == ["2026-W48"]


def test_a_given_day_is_made_for_everyone_not_yet_served_and_knows_no_more_than_it_could(world: World) -> None:
    world.reader("ada@lab.example", day=4)
    world.moment += DAY
    world.found(1)
    world.moment += 2 * DAY
    world.found(2)
    world.moment += DAY
    on = date(2026, 11, 11)
    with pytest.raises(UsageError, match="not begun"):
        world.publishing.publish(date(2026, 12, 24))
    assert world.publishing.publish(on).deliveries == 1
    assert world.publishing.publish(on).deliveries == 0
    (issue,) = world.issues()
    assert issue.slot == "2026-11-11"
    assert world.entries(issue) == [("news", 1, [])]
    assert issue.covers_until == datetime(2026, 11, 12, tzinfo=UTC)
    world.moment = datetime(2026, 11, 13, 8, tzinfo=UTC)
    world.publishing.publish()
    assert world.entries(world.issues()[-1]) == [("news", 2, [])]


def test_preview_equals_what_is_sent_and_writes_nothing(world: World) -> None:
    world.reader("ada@lab.example")
    world.moment += DAY
    world.found(1)
    week_later(world)
    (planned,) = world.publishing.plan()
    preview = world.publishing.preview("ada@lab.example")
    assert world.issues() == []
    world.publishing.publish()
    (issue,) = world.issues()
    assert planned.letter.html == preview.letter.html == issue.html
    assert (planned.letter.subject, planned.letter.text) == (issue.subject, issue.text)
    (delivery,) = world.deliveries()
    sent = splice(issue.message, Marks(delivery.address, "t" * 32, delivery.message_id, delivery.dated_at))
    message = email.message_from_bytes(sent, policy=email.policy.default)
    part = message.get_body(("html",))
    assert part is not None
    assert part.get_content().replace("\r\n", "\n") == issue.html.replace(TOKEN_MARK, "t" * 32)
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == issue.text.replace(TOKEN_MARK, "t" * 32)


def test_a_test_mail_says_so_and_ends_no_subscription(world: World) -> None:
    world.reader("ada@lab.example")
    world.moment += DAY
    world.found(1)
    message = email.message_from_bytes(world.publishing.test_mail("guest@lab.example"), policy=email.policy.default)
    assert message["Subject"].startswith("[Test] NK evidence: 1 paper")
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().startswith("This is a test.")
    token = re.search(r"/u/([\w-]+)", plain.get_content())
    assert token is not None
    assert world.subscribing.unsubscribe_by_token(token[1]).address is None
    assert world.issues() == []


def test_a_sample_is_what_will_be_sent_but_for_the_token(small: World) -> None:
    small.reader("ada@lab.example")
    small.moment += DAY
    small.found(1)
    week_later(small)
    (planned,) = small.publishing.plan()
    message = email.message_from_bytes(small.publishing.sample(planned), policy=email.policy.default)
    assert (message["To"], message["Subject"]) == ("ada@lab.example", planned.letter.subject)
    html = message.get_body(("html",))
    assert html is not None
    assert html.get_content().replace("\r\n", "\n") == planned.letter.html.replace(TOKEN_MARK, "sample" + planned.key)
    assert small.issues() == []


def test_what_is_frozen_stays_as_it_was(world: World) -> None:
    world.reader("ada@lab.example")
    world.moment += DAY
    world.found(1)
    week_later(world)
    world.publishing.publish()
    before = world.issues()[0]
    world.moment += DAY
    world.retracted(1)
    world.publishing.publish()
    after = world.issues()[0]
    assert (before.html, before.text, before.message, before.content) == (
        after.html,
        after.text,
        after.message,
        after.content,
    )
    with world.database.read() as session:
        page = issues.by_key(session, before.key)
        assert page is not None
        assert page.html == before.html
        assert issues.by_key(session, "guessed") is None
        (line,) = issues.archive(session)
        assert (line.key, line.deliveries) == (before.key, 1)
    assert LINKS.issue(before.key) in before.text


def test_statements_do_not_grow_with_readers(world: World) -> None:
    for number in range(20):
        world.found(number, "car-nk")
    counts = []
    for size in (1, 40):
        for number in range(size):
            world.moment += timedelta(minutes=1)
            world.reader(f"reader{number}of{size}@lab.example", "car-nk")
        world.found(100 + size)
        week_later(world, len(counts) + 1)
        seen: list[str] = []
        listener: Callable[..., None] = lambda *arguments: seen.append(arguments[2])  # noqa: B023, E731
        event.listen(world.database.engine, "before_cursor_execute", listener)
        assert world.publishing.publish().issues == len(counts) + 1
        event.remove(world.database.engine, "before_cursor_execute", listener)
        counts.append(len([each for each in seen if not each.startswith(("BEGIN", "COMMIT"))]))
        world.delivered()
    # The second time there are two groups (the newcomers know less), and each costs its four statements to freeze.
    assert counts[1] - counts[0] <= 5, counts


class At:
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def _race(url: str, moment: datetime, barrier: Any, results: Any) -> None:
    from monitor.core.query import MeshTree

    database = connect(url)
    publishing = Publishing(database, At(moment), LINKS, SENDER, MeshTree())
    barrier.wait()
    results.put(publishing.publish().deliveries)
    database.dispose()


def test_eight_processes_make_one_issue_and_one_delivery_each(world: World, tmp_path: Path) -> None:
    for number in range(10):
        world.reader(f"reader{number}@lab.example")
    world.moment += DAY
    world.found(1)
    week_later(world)
    context = multiprocessing.get_context("forkserver")  # clean processes that import what they need only once
    context.set_forkserver_preload(["tests.acceptance.test_publishing"])
    barrier, results = context.Barrier(8), context.Queue()
    processes = [
        context.Process(target=_race, args=(world.database.url, world.moment, barrier, results)) for _ in range(8)
    ]
    for process in processes:
        process.start()
    done = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert sum(done) == 10
    with world.database.read() as session:
        assert session.scalar(select(func.count()).select_from(IssueRow)) == 1
        assert session.scalar(select(func.count()).select_from(DeliveryRow)) == 10


def test_a_hit_that_ended_or_is_no_news_is_not_sent(small: World) -> None:
    small.reader("ada@lab.example")
    small.moment += DAY
    for number in (1, 2, 3):
        small.found(number)
    with small.database.write() as session:
        session.execute(update(HitRow).where(HitRow.pmid == FIRST_PMID + 1).values(ended_at=small.moment))
        session.execute(update(HitRow).where(HitRow.pmid == FIRST_PMID + 2).values(news=False))
    week_later(small)
    small.publishing.publish()
    assert small.entries(small.issues()[0]) == [("news", 3, [])]


def test_reasons_name_where_the_words_stand(small: World) -> None:
    small.reader("ada@lab.example")
    small.moment += DAY
    small.found(
        1,
        lines=(2,),
        title=InlineXml("Invented cells"),
        abstract="A chimeric antigen receptor on natural killer cells.",
    )
    small.found(2, lines=())
    week_later(small)
    small.publishing.publish()
    reasons = {
        entry["pmid"] - FIRST_PMID: entry["why"]
        for section in small.issues()[0].content["sections"]
        for entry in section["entries"]
    }
    assert reasons[1] == [
        {"kind": "abstract", "text": "chimeric antigen receptor"},
        {"kind": "follow", "text": "CAR-NK cells"},
        {"kind": "line", "text": "2"},
    ]
    assert reasons[2] == [{"kind": "follow", "text": "CAR-NK cells"}]


def test_overdue_counts_what_should_have_been_made_two_hours_ago(small: World) -> None:
    small.reader("ada@lab.example")
    small.moment = MONDAY - WEEK + timedelta(hours=1)
    assert small.publishing.overdue() == 0
    small.moment += timedelta(hours=2)
    assert small.publishing.overdue() == 1


def test_a_preview_for_nobody_shows_all_topics_of_a_week(small: World) -> None:
    small.found(1, "cik")
    small.moment += DAY
    preview = small.publishing.preview()
    assert [entry.candidate.citation.pmid for entry in preview.issue.entries] == [FIRST_PMID + 1]
    assert preview.contents["label"] == "2026-W46"


def test_a_correction_still_on_its_way_is_not_made_a_second_time(small: World) -> None:
    small.reader("ada@lab.example")
    small.moment += DAY
    small.found(1)
    week_later(small)
    small.publishing.publish()
    small.delivered()
    small.moment += DAY
    small.retracted(1)
    week_later(small, 2)
    small.publishing.publish()  # stays queued
    week_later(small, 3)
    small.publishing.publish()
    assert small.issues()[-1].kind == "quiet"
    small.delivered("failed", slot="2026-11-23")
    week_later(small, 4)
    small.publishing.publish()
    assert small.entries(small.issues()[-1]) == [("correction", 1, ["retracted"])]


def test_retracted_and_reinstated_between_two_issues_tells_what_holds_now(small: World) -> None:
    small.reader("ada@lab.example")
    small.moment += DAY
    small.found(1)
    week_later(small)
    small.publishing.publish()
    small.delivered()
    small.moment += DAY
    small.retracted(1)
    small.moment += DAY
    small.revised(1, publication_types=(PublicationType("D016428", "Journal Article"),), corrections=())
    week_later(small, 2)
    small.publishing.publish()
    issue = small.issues()[-1]
    assert small.entries(issue) == [("correction", 1, ["reinstated"])]
    assert issue.subject == "NK evidence: 1 update [W48]"


def test_a_line_only_pubmed_can_read_is_named_by_its_number(small: World) -> None:
    small.reader("ada@lab.example")
    with small.database.write() as session:
        from monitor.storage.tables import StrategyLineRow

        session.execute(
            update(StrategyLineRow).where(StrategyLineRow.query.startswith('"CAR-NK"')).values(query="((unbalanced")
        )
    small.moment += DAY
    small.found(1, lines=(1, 7))
    week_later(small)
    small.publishing.publish()
    ((entry,),) = [section["entries"] for section in small.issues()[0].content["sections"]]
    assert entry["why"] == [{"kind": "follow", "text": "CAR-NK cells"}, {"kind": "line", "text": "1,7"}]


def test_a_week_without_any_search_says_so(small: World) -> None:
    small.reader("ada@lab.example")
    small.reader("eve@lab.example")
    small.moment = MONDAY - WEEK
    (planned,) = small.publishing.plan()
    assert planned.addresses == ("ada@lab.example", "eve@lab.example")
    small.publishing.publish()
    assert "has not been searched yet" in small.issues()[0].text
    assert "No search has run yet." in small.issues()[0].text
    small.polled()
    small.moment += WEEK  # the worker slept
    small.publishing.publish()
    stale = " ".join(small.issues()[-1].text.split())
    assert small.issues()[-1].kind == "blind"
    assert "Not searched since 16 November, 07:00." in stale
    assert "Searches last ran on 16 November, 07:00, 0 of 3 fine." in stale


def test_a_reader_of_retired_topics_only_is_left_alone(small: World) -> None:
    from monitor.storage.tables import TopicRow

    small.reader("ada@lab.example", "cik")
    with small.database.write() as session:
        session.execute(update(TopicRow).values(retired_at=small.moment))
    week_later(small)
    assert small.publishing.due() == []
    with pytest.raises(UsageError, match="no topics yet"):
        small.publishing.preview()


def test_what_readers_have_in_hand_is_checked_within_the_week(small: World) -> None:
    small.reader("ada@lab.example")
    small.moment += DAY
    old = (HistoryDate("entrez", PartialDate(2009, 3, 1)),)
    pmid = small.found(1, history=old)
    week_later(small)
    with small.database.read() as session:
        assert checks.due(session, small.moment + 8 * DAY, 10) == []
    small.publishing.publish()
    with small.database.read() as session:
        assert checks.due(session, small.moment + 8 * DAY, 10) == [pmid]


ERRATUM = Correction("ErratumIn", "Invented J Cell Ther. 2026;12:700", FIRST_PMID + 8000)


def test_an_issue_of_a_past_day_swallows_no_later_retraction(world: World) -> None:
    world.reader("ada@lab.example", "car-nk")
    world.moment += DAY
    world.found(1)
    week_later(world)
    world.publishing.publish()
    world.delivered()
    world.moment += DAY
    world.revised(1, corrections=(ERRATUM,))
    world.moment += 2 * DAY
    world.retracted(1)
    world.moment += DAY
    assert world.publishing.publish(date(2026, 11, 18)).deliveries == 1  # the day between the two
    world.delivered()
    week_later(world, 2)
    world.publishing.publish()
    told = [world.entries(issue) for issue in world.issues()[1:]]
    assert told == [[("correction", 1, ["erratum"])], [("correction", 1, ["retracted"])]]


def test_a_paper_brought_by_an_issue_of_a_past_day_is_followed_up(world: World) -> None:
    world.reader("ada@lab.example", "car-nk")
    world.moment += DAY
    world.found(1)
    world.moment += 2 * DAY
    world.retracted(1)
    world.moment += DAY
    world.publishing.publish(date(2026, 11, 11))
    world.delivered()
    week_later(world)
    world.publishing.publish()
    assert [world.entries(issue) for issue in world.issues()] == [
        [("news", 1, [])],
        [("correction", 1, ["retracted"])],
    ]


def test_a_retraction_stored_while_an_issue_is_being_made_is_told_once(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll commits between the look at the clock and the snapshot: what stands there is later than now."""
    small.reader("ada@lab.example", "car-nk")
    small.moment += DAY
    small.found(1)
    week_later(small)
    small.publishing.publish()
    small.delivered()
    small.moment += DAY
    small.revised(1, corrections=(ERRATUM,))
    week_later(small, 2)

    def late() -> datetime:
        monkeypatch.undo()
        now = small.moment
        small.moment = now + timedelta(milliseconds=3)
        small.retracted(1)
        small.moment = now
        return now

    monkeypatch.setattr(small, "now", late)
    small.publishing.publish()
    small.delivered()
    for number in (3, 4):
        week_later(small, number)
        small.publishing.publish()
        small.delivered()
    told = [change for issue in small.issues()[1:] for _, _, changes in small.entries(issue) for change in changes]
    assert sorted(told) == ["erratum", "retracted"]


def test_a_week_in_which_counted_papers_could_not_be_had_never_calls_its_silence_real(world: World) -> None:
    world.reader("ada@lab.example", "car-nk", "cik")
    week_later(world)
    world.polled("cik", state="warned", missing=2, refused=["PMID 90000007: character U+0001 is not allowed in XML"])
    world.publishing.publish()
    (issue,) = world.issues()
    text = " ".join(issue.text.split())
    assert issue.subject == "NK evidence: quiet week, 1 search needs a look [W47]"
    assert "Cytokine-induced killer cells: 3 papers that PubMed counts could not be had; the next search" in text
    assert "not every paper that PubMed counts could be had, so something may be missing" in text
    for part in (issue.text, issue.html):
        assert "silence is real" not in " ".join(part.split())
        assert "could not be had" in " ".join(part.split())
    world.delivered()
    week_later(world, 2)  # the next search got them
    world.publishing.publish()
    assert "so the silence is real" in " ".join(world.issues()[-1].text.split())


def test_papers_of_a_catch_up_issue_that_bounced_late_are_carried_into_the_next(world: World) -> None:
    """Ten weeks in one issue, which comes back after the following one was made: longer ago than selections overlap."""
    world.moment = MONDAY - 12 * WEEK
    world.reader("ada@lab.example", "car-nk")
    for number in range(1, 10):
        world.moment += WEEK
        world.found(number)
    world.moment = MONDAY - WEEK
    world.polled()
    assert world.publishing.publish().deliveries == 1  # the worker had slept
    world.delivered()
    week_later(world, 2)
    world.publishing.publish()
    world.delivered()
    world.moment += timedelta(hours=1)
    with world.database.write() as session:
        assert bounces.mark_undelivered(session, world.deliveries()[0].id, "soft bounce")
    week_later(world, 3)
    world.publishing.publish()
    world.delivered()
    last = world.issues()[-1]
    assert sorted(number for _, number, _ in world.entries(last)) == list(range(1, 10))
    assert last.covers_from == MONDAY - 12 * WEEK
    # Of the twelve issues before this one, one did arrive.
    assert last.content["missed"] == 11
    week_later(world, 4)
    world.publishing.publish()
    after = world.issues()[-1]
    assert (after.kind, after.covers_from, after.content["missed"]) == ("quiet", MONDAY + WEEK, 0)


@pytest.mark.parametrize("away", [25, 80, 800])
def test_a_reader_who_returns_hears_of_every_retraction_of_the_time_between(world: World, away: int) -> None:
    world.reader("ada@lab.example", "car-nk")
    world.reader("bob@lab.example", "car-nk")
    world.moment += DAY
    world.found(1)
    week_later(world)
    world.publishing.publish()
    world.delivered()
    world.subscribing.unsubscribe("ada@lab.example")
    world.moment += 5 * DAY
    world.retracted(1)
    for number in range(2, away // 7):
        week_later(world, number)
        if number < 8:
            world.publishing.publish()  # to bob, who stayed
            world.delivered()
    world.moment = MONDAY - WEEK + away * DAY
    world.subscribing.subscribe("ada@lab.example", ["car-nk"], opt_in=True)
    week_later(world, away // 7 + 2)
    world.publishing.publish()
    last = {row.address: row.issue_id for row in world.deliveries()}
    told = {issue.id: world.entries(issue) for issue in world.issues()}
    assert told[last["ada@lab.example"]] == [("correction", 1, ["retracted"])]
    assert told[last["bob@lab.example"]] == []  # who heard of it then
    world.delivered("failed")
    week_later(world, away // 7 + 3)
    world.publishing.publish()
    last = {row.address: row.issue_id for row in world.deliveries()}
    assert world.entries(next(issue for issue in world.issues() if issue.id == last["ada@lab.example"])) == [
        ("correction", 1, ["retracted"])
    ]
    world.delivered()
    week_later(world, away // 7 + 4)
    world.publishing.publish()
    assert world.issues()[-1].kind == "quiet"


@pytest.mark.parametrize("state", ["sent", "queued", "failed"])
def test_an_issue_made_while_the_clock_was_ahead_stops_none_of_those_after_it(world: World, state: str) -> None:
    world.reader("ada@lab.example", "car-nk")
    world.moment += DAY
    world.found(1)
    world.moment += 300 * DAY  # the clock jumps, and somebody puts it right
    world.found(2)
    assert world.publishing.publish().deliveries == 1
    world.delivered(state)
    told = []
    for number in range(1, 5):
        week_later(world, number)
        assert world.publishing.overdue() == 0
        world.found(10 + number)
        assert world.publishing.publish().deliveries == 1
        assert world.publishing.publish().deliveries == 0
        world.delivered()
        last = world.issues()[-1]
        told.append(sorted(each for _, each, _ in world.entries(last)))
        assert (last.slot, last.content["missed"]) == (world.moment.date().isoformat(), 0)
    # Told by name: nothing twice, and nothing lost that bears a moment of the future.
    assert told == [[1, 2, 11] if state == "failed" else [11], [12], [13], [14]]


def test_a_search_of_a_few_days_by_hand_says_nothing_of_how_a_topic_stands(world: World) -> None:
    world.reader("ada@lab.example", "car-nk")
    world.reader("bob@lab.example", "cik")
    world.moment = MONDAY - WEEK - DAY
    world.polled("car-nk", state="failed", error="PubMed did not answer")
    world.polled("cik")
    world.moment += DAY
    world.polled("car-nk", covers=False)
    world.polled("cik", covers=False, state="failed", error="stopped by hand")
    world.publishing.publish()
    kinds = {issue.content["topics"][0]["id"]: issue.kind for issue in world.issues()}
    assert kinds == {"car-nk": "blind", "cik": "quiet"}
    assert "1 of 1 searches did not work" in " ".join(world.issues()[0].text.split())


@pytest.mark.parametrize("zone", ["America/Gone", "", "/etc/passwd", "America"])
def test_a_zone_that_this_machine_lacks_leaves_out_its_reader_only_and_is_no_secret(small: World, zone: str) -> None:
    for name in ("ada", "bob", "eve"):
        small.reader(f"{name}@lab.example", "car-nk")
    with small.database.write() as session:
        session.execute(update(SubscriptionRow).where(SubscriptionRow.id == 2).values(zone=zone))
    small.moment += DAY
    small.found(1)
    week_later(small)
    with structlog.testing.capture_logs() as said:
        assert small.publishing.publish().deliveries == 2
        assert small.publishing.publish().deliveries == 0
    assert [row.address for row in small.deliveries()] == ["ada@lab.example", "eve@lab.example"]
    assert [(line["log_level"], line["person"], line["zone"]) for line in said] == [("error", 2, zone)]
    health = HealthCheck(small.database, small, Installation(True, True, "http://localhost"), small.publishing.overdue)
    found = [each for each in health.findings(expect_worker=False) if each.state is State.PROBLEM]
    assert f"does not know the time zone {zone} of 1 subscription:" in found[0].text
    with pytest.raises(UsageError, match="does not know the time zone"):
        small.publishing.preview("bob@lab.example")
    small.moment += timedelta(hours=1)
    small.subscribing.subscribe("bob@lab.example", [], zone="America/New_York")
    small.moment += WEEK
    small.polled()
    small.publishing.publish()
    told = {
        row.address: small.entries(next(i for i in small.issues() if i.id == row.issue_id))
        for row in small.deliveries()
    }
    assert told["bob@lab.example"] == [("news", 1, [])]
    assert not [each for each in health.findings(expect_worker=False) if "time zone" in each.text]
