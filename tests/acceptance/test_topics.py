"""Searches changed through the service, against the sandbox over HTTP and on both databases: what guards a save."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select

from monitor.core.draft import Draft, add_line, change_line, put_block, remove_line, typed_line
from monitor.core.people import Actor
from monitor.core.query import MeshTree
from monitor.core.strategy import Block, Line, Strategy, Topic
from monitor.errors import NotFound, UsageError
from monitor.pubmed.sandbox import Fault, Rule, Sandbox
from monitor.services.publishing import Publishing
from monitor.services.strategies import Conflict, Refused, Strategies
from monitor.services.subscribing import Subscribing
from monitor.services.topics import Topics
from monitor.storage import events, phrases, strategies
from monitor.storage.engine import Database, connect
from monitor.storage.events import Event
from monitor.storage.tables import EventRow, StrategyRow, TopicRow
from tests.acceptance.polling import FIRST, Lab, client, record, sandbox, topic
from tests.acceptance.publishing_world import LINKS, SENDER

CAR_NK, CIK, LATE = FIRST, FIRST + 1, FIRST + 2
GONE = 99_999_999
ADMIN = Actor("an admin", "admin")


class Desk(Lab):
    """A lab with the service that changes its topics."""

    def __init__(self, database: Database, server: Sandbox, *topics: Topic) -> None:
        super().__init__(database, server, *topics)
        self.topics = Topics(database)
        self.subscribing = Subscribing(database, self)
        self.publishing = Publishing(database, self, LINKS, SENDER, MeshTree())
        self.strategies = Strategies(database, client(server), self, MeshTree())
        self.alone = Strategies(database, None, self, MeshTree())

    def edit(self, name: str, change: Callable[[Strategy], Strategy]) -> Draft:
        draft = self.strategies.draft(name)
        return replace(draft, strategy=change(draft.strategy))

    def adding(self, query: str, name: str = "car-nk") -> Draft:
        return self.edit(name, lambda held: add_line(held, "core", typed_line(query, "invented")))

    def log(self, name: str = "car-nk") -> list[Event]:
        with self.database.read() as session:
            return events.about(session, f"topic:{name}")

    def events(self, name: str = "car-nk") -> list[str]:
        return [each.action for each in self.log(name)]

    def versions(self, name: str = "car-nk") -> int:
        with self.database.read() as session:
            of = select(func.count()).select_from(StrategyRow).where(StrategyRow.topic_id == name)
            return session.scalar(of) or 0

    def known(self, *keys: tuple[str, str]) -> dict[tuple[str, str], bool]:
        with self.database.read() as session:
            return phrases.known(session, keys)


@pytest.fixture
def server() -> Iterator[Sandbox]:
    papers = [
        record(CAR_NK, title="Invented CAR-NK cells"),
        record(CIK, title="Invented cytokine-induced killer cells"),
        record(LATE, title="Killer cells of the late kind"),
    ]
    with sandbox(*papers) as found:
        yield found


@pytest.fixture
def desk(database: Database, server: Sandbox) -> Desk:
    block = {"NK": Block("NK", (Line("killer[ti]", "the block"),))}
    inserting = Strategy((Line("{NK} AND cells[ti]", "invented"),), (Line("late[ti]", "wide"),), tuple(block.values()))
    return Desk(database, server, topic(), Topic("cik", "CIK", inserting))


def test_a_change_is_a_new_version_with_who_when_why_and_its_event(desk: Desk) -> None:
    saved = desk.strategies.save(desk.adding("late[ti]"), "because of the late ones", ADMIN)
    assert (saved.version, saved.new, saved.accepted) == (2, True, ())
    assert saved.plan.check is not None
    assert saved.plan.check.counts == {"core": 2}
    assert saved.plan.check.asked_pubmed
    made = desk.strategies.history("car-nk")[-1]
    assert (made.version, made.origin, made.reason, made.at) == (2, "lab", "because of the late ones", desk.at)
    assert desk.strategies.draft("car-nk").strategy.core[1] == Line("late[ti]", "invented", "lab")
    assert desk.strategies.version("car-nk", 1) == topic().strategy
    (event,) = desk.log()
    assert (event.actor, event.action, event.before) == ("an admin", "topic.save", {"version": 1})
    assert event.after == {
        "version": 2,
        "reason": "because of the late ones",
        "changes": ["+ core 2: late[ti]  (invented)"],
    }
    (newest, first) = desk.topics.history("car-nk")
    assert (newest.version, newest.changes, first.by) == (2, ("+ core 2: late[ti]  (invented)",), "starter")


def test_what_is_found_next_names_the_new_version_and_its_line(desk: Desk) -> None:
    desk.polling.poll(["car-nk"])
    assert desk.hits() == [CAR_NK]
    desk.strategies.save(desk.adding("late[ti]"), "")
    desk.polling.poll(["car-nk"])
    assert desk.hits() == [CAR_NK, LATE]


def test_nothing_different_is_no_version(desk: Desk) -> None:
    draft = desk.strategies.draft("car-nk")
    asked = len(desk.server.requests("esearch"))
    saved = desk.strategies.save(draft, "for nothing")
    assert (saved.version, saved.new, bool(saved.plan.difference), desk.versions()) == (1, False, False, 1)
    assert desk.events() == []
    assert len(desk.server.requests("esearch")) == asked, "PubMed is not asked for nothing"


def test_no_reason_means_what_changed(desk: Desk) -> None:
    desk.strategies.save(desk.adding("late[ti]"), " ")
    assert desk.strategies.history("car-nk")[-1].reason == "lines: 1 gained"


def test_a_lost_sentinel_stands_against_saving(desk: Desk) -> None:
    desk.strategies.save(replace(desk.strategies.draft("car-nk"), sentinels=(CAR_NK,)), "")
    losing = desk.edit("car-nk", lambda held: change_line(held, "core", 1, query="late[ti]"))
    with pytest.raises(Refused) as caught:
        desk.strategies.save(losing, "")
    assert caught.value.check.blocking == (f"sentinel {CAR_NK} is lost: the core search does not find it",)
    assert caught.value.check.sentinels.by_pubmed
    assert (desk.versions(), desk.events()) == (1, ["topic.sentinels"])
    with pytest.raises(Refused):
        desk.strategies.save(losing, "", because="  ")
    saved = desk.strategies.save(losing, "try the late ones", because="it was retracted")
    assert saved.accepted == caught.value.check.blocking
    made = desk.strategies.history("car-nk")[-1]
    assert made.accepted == saved.accepted
    assert made.reason == "try the late ones. Saved all the same: it was retracted"
    event = desk.log()[-1].after or {}
    assert (event["accepted"], event["because"]) == ([*saved.accepted], "it was retracted")
    assert desk.topics.history("car-nk")[0].accepted == saved.accepted


def test_a_sentinel_that_pubmed_does_not_have_is_said_to_be_missing_there(desk: Desk) -> None:
    draft = replace(desk.strategies.draft("car-nk"), sentinels=(GONE, CAR_NK))
    with pytest.raises(Refused, match=f"sentinel {GONE} is not in PubMed") as caught:
        desk.strategies.save(draft, "")
    assert caught.value.check.sentinels.found == (CAR_NK,)
    saved = desk.strategies.save(draft, "", because="it comes next week")
    assert (saved.version, saved.new, desk.versions()) == (1, False, 1)
    newest = desk.topics.history("car-nk")[0]
    assert newest.what == f"sentinels +{CAR_NK} +{GONE}"
    assert newest.accepted == (f"sentinel {GONE} is not in PubMed", "because: it comes next week")


def test_a_phrase_that_pubmed_does_not_know_stands_against_saving(desk: Desk) -> None:
    desk.server.unknown_phrases = ["CAR-iNK"]
    draft = desk.adding('"CAR-iNK"[tiab]')
    with pytest.raises(Refused) as caught:
        desk.strategies.save(draft, "")
    (sentence,) = caught.value.check.blocking
    assert sentence.startswith('core line 2: PubMed does not know the phrase "car-ink"')
    assert caught.value.check.unknown == (("car-ink", "tiab"),)
    assert desk.versions() == 1
    assert desk.known(("car-ink", "tiab"), ("car-nk", "tiab")) == {("car-ink", "tiab"): False, ("car-nk", "tiab"): True}
    saved = desk.strategies.save(draft, "", because="a young coinage")
    assert (saved.version, saved.accepted) == (2, (sentence,))


def test_the_repair_of_an_unknown_phrase_can_be_applied_and_saved(desk: Desk) -> None:
    desk.server.unknown_phrases = ["CAR-iNK"]
    desk.strategies.save(desk.adding('"CAR-iNK"[tiab]'), "", because="a young coinage")
    draft = desk.strategies.repaired(desk.strategies.draft("car-nk"), "phrase-unknown")
    assert draft.strategy.core[1].query == '"CAR iNK"[tiab:~0]'
    assert desk.strategies.save(draft, "repaired").accepted == ()
    with pytest.raises(UsageError, match="no finding 'phrase-unknown'"):
        desk.strategies.repaired(desk.strategies.draft("car-nk"), "phrase-unknown")
    with pytest.raises(UsageError, match="no finding 99"):
        desk.strategies.repaired(desk.strategies.draft("car-nk"), "99")


def test_what_has_no_repair_is_left_to_a_person(desk: Desk) -> None:
    desk.server.unknown_phrases = ["young coinage*"]
    with pytest.raises(Refused):
        desk.strategies.save(desk.adding('"young coinage*"[tiab]'), "")
    with pytest.raises(UsageError, match="phrase-unknown has no repair that can be applied"):
        desk.strategies.repaired(desk.adding('"young coinage*"[tiab]'), "phrase-unknown")


def test_a_sentinel_is_a_pmid(desk: Desk) -> None:
    with pytest.raises(UsageError, match="car-nk: 0 is no PMID"):
        desk.strategies.save(replace(desk.strategies.draft("car-nk"), sentinels=(0,)), "")


def test_a_word_that_pubmed_drops_is_an_unknown_phrase_too(desk: Desk) -> None:
    desk.server.unknown_phrases = ["xyzzyx"]
    with pytest.raises(Refused, match='PubMed does not know "xyzzyx"'):
        desk.strategies.save(desk.adding("xyzzyx[tiab] OR cells[ti]"), "")


def test_an_error_of_the_linter_stands_against_saving(desk: Desk) -> None:
    with pytest.raises(Refused, match="core line 2: ") as caught:
        desk.strategies.save(desk.adding("CA*[tiab]"), "")
    assert [each.code for each in caught.value.check.findings if each.weight == "error"] == ["short-stem"]
    assert desk.strategies.save(desk.adding("CA*[tiab]"), "", because="we want it so").accepted


def test_all_that_stands_against_it_is_told_at_once_and_in_order(desk: Desk) -> None:
    desk.server.unknown_phrases = ["CAR-iNK"]
    draft = desk.edit("car-nk", lambda held: change_line(held, "core", 1, query='CA*[tiab] OR "CAR-iNK"[tiab]'))
    with pytest.raises(Refused) as caught:
        desk.strategies.save(replace(draft, sentinels=(CAR_NK,)), "")
    first, second, third = caught.value.check.blocking
    assert "4 letters" in first
    assert "sentinel" in second
    assert "car-ink" in third
    assert all(each in str(caught.value) for each in (first, second, third))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda held: change_line(held, "core", 1, query="(a[ti]"), "core line 1, column 1: this ( is never closed"),
        (lambda held: change_line(held, "core", 1, query="a[nofield]"), "core line 1, column 2"),
        (lambda held: change_line(held, "core", 1, query="{NONE}"), "no such block"),
        (lambda held: change_line(held, "core", 1, query="keep[decision]"), "core line 1"),
        (lambda held: change_line(held, "core", 1, enabled=False), "no line that is on"),
        (lambda held: remove_line(held, "core", 1), "no line that is on"),
        (lambda held: replace(held, core=(Line("{b}", "w"),)), "car-nk: braces"),
        (lambda held: add_line(held, "core", Line("{NONE}", "w", enabled=False)), "car-nk: {NONE} is inserted"),
        (lambda held: add_line(held, "core", Line("{T:none}", "w")), "car-nk: core line 2: {T:none} is inserted"),
    ],
)
def test_what_cannot_be_searched_is_never_saved(desk: Desk, change: Callable[[Strategy], Strategy], says: str) -> None:
    asked = len(desk.server.requests("esearch"))
    with pytest.raises(UsageError) as caught:
        desk.strategies.save(desk.edit("car-nk", change), "", because="we want it")
    assert says in str(caught.value)
    assert (desk.versions(), desk.events()) == (1, [])
    assert len(desk.server.requests("esearch")) == asked


def test_out_of_reach_the_library_answers_for_sentinels_and_saving_is_allowed(desk: Desk) -> None:
    desk.polling.poll(["car-nk"])
    desk.strategies.save(replace(desk.strategies.draft("car-nk"), sentinels=(CAR_NK, LATE)), "", because="later")
    saved = desk.alone.save(desk.adding("more[ti]"), "")
    check = saved.plan.check
    assert check is not None
    assert (check.asked_pubmed, check.counts) == (False, {})
    assert check.why_not is not None
    assert (check.sentinels.found, check.sentinels.unchecked) == ((CAR_NK,), (LATE,))
    assert not check.whole
    losing = desk.edit("car-nk", lambda held: replace(held, core=held.core[1:]))
    with pytest.raises(Refused, match=f"sentinel {CAR_NK} is lost: the core search does not find it in the library"):
        desk.alone.save(losing, "")


def test_out_of_reach_what_pubmed_said_before_of_phrases_still_counts(desk: Desk) -> None:
    desk.server.unknown_phrases = ["CAR-iNK"]
    with pytest.raises(Refused):
        desk.strategies.save(desk.adding('"CAR-iNK"[tiab]'), "")
    with pytest.raises(Refused, match="car-ink"):
        desk.alone.save(desk.adding('"CAR-iNK"[tiab]'), "")
    check = desk.alone.check(desk.adding('"young words"[tiab]'))
    assert check.phrases == {("car-nk", "tiab"): True, ("young words", "tiab"): None}
    assert (check.unchecked, check.whole) == ((("young words", "tiab"),), False)


def test_pubmed_failing_half_way_is_said_and_nothing_is_lost(desk: Desk) -> None:
    desk.server.faults.add(Rule(Fault.HTTP_503, utility="esearch"))
    saved = desk.strategies.save(desk.adding("more[ti]"), "")
    assert saved.version == 2
    assert saved.plan.check is not None
    assert "PubMed did not answer" in (saved.plan.check.why_not or "")


def test_somebody_else_s_version_is_not_overwritten(desk: Desk) -> None:
    mine, theirs = desk.adding("mine[ti]"), desk.adding("theirs[ti]")
    desk.strategies.save(theirs, "theirs came first")
    with pytest.raises(Conflict) as caught:
        desk.strategies.save(mine, "")
    assert caught.value.theirs.version == 2
    assert caught.value.changes.words == ("+ core 2: theirs[ti]  (invented)",)
    for words in ("Version 2 stands", "theirs came first", "+ core 2: theirs[ti]", "by the command line"):
        assert words in str(caught.value)
    assert desk.versions() == 2
    merged = replace(mine, strategy=desk.adding("mine[ti]").strategy, based_on=2)
    assert desk.strategies.save(replace(merged, held=None), "").version == 3


def test_a_newer_starter_that_came_in_between_is_named_as_such(desk: Desk) -> None:
    mine = desk.adding("mine[ti]")
    newer = replace(topic(), strategy=add_line(topic().strategy, "core", typed_line("theirs[ti]", "invented")))
    with desk.database.write() as session:
        assert strategies.load_starter(session, [newer], desk.at).renewed == ("car-nk",)
    with pytest.raises(Conflict, match="Version 2 stands, by the starter, "):
        desk.strategies.save(mine, "")


def test_a_plan_that_was_overtaken_is_not_committed(desk: Desk) -> None:
    plans = desk.strategies.plan([desk.adding("mine[ti]", "cik"), desk.adding("mine[ti]")])
    desk.strategies.save(desk.adding("theirs[ti]"), "")
    with pytest.raises(Conflict):
        desk.strategies.commit(plans, "both")
    assert (desk.versions("cik"), desk.versions()) == (1, 2), "all or nothing"


def test_the_same_change_by_two_people_is_no_conflict(desk: Desk) -> None:
    mine, theirs = desk.adding("same[ti]"), desk.adding("same[ti]")
    desk.strategies.save(theirs, "")
    assert not desk.strategies.save(mine, "").new


def test_titles_and_sentinels_are_guarded_against_overwriting_too(desk: Desk) -> None:
    mine, theirs = (replace(desk.strategies.draft("car-nk"), sentinels=(each,)) for each in (CIK, CAR_NK))
    desk.strategies.save(theirs, "")
    with pytest.raises(Conflict, match=f"sentinel {CAR_NK}"):
        desk.strategies.save(mine, "", because="mine")


def test_of_many_who_save_at_once_exactly_one_succeeds(desk: Desk) -> None:
    _race(desk, lambda number: desk.adding(f"{'abcd'[number]}word[ti]"), [Conflict] * 3)
    assert desk.versions() == 2
    assert desk.events() == ["topic.save"]


def test_of_many_who_add_one_topic_at_once_exactly_one_succeeds(desk: Desk) -> None:
    def draft(number: int) -> Draft:
        return Draft("new", f"Title {number}", Strategy((typed_line("cells[ti]", "invented"),)))

    _race(desk, draft, [UsageError] * 3)
    assert (desk.versions("new"), desk.events("new")) == (1, ["topic.add"])


def _race(desk: Desk, draft: Callable[[int], Draft], errors: list[type[Exception]]) -> None:
    """Let four plan on their own connections and commit in the same moment."""
    barrier = Barrier(4)
    said: list[Exception | None] = []

    def save(number: int) -> None:
        database = connect(desk.database.url)
        try:
            service = Strategies(database, None, desk, MeshTree())
            plans = service.plan([draft(number)])
            barrier.wait(30)
            service.commit(plans, f"number {number}")
            said.append(None)
        except Exception as error:
            said.append(error)
        finally:
            database.dispose()

    threads = [Thread(target=save, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert sorted((type(each) for each in said if each is not None), key=str) == errors, said
    assert said.count(None) == 1


def test_titles_change_without_a_version(desk: Desk) -> None:
    asked = len(desk.server.requests("esearch"))
    saved = desk.strategies.save(replace(desk.strategies.draft("car-nk"), title=" Another\n title "), "it is clearer")
    assert (saved.version, saved.new, desk.versions()) == (1, False, 1)
    assert desk.strategies.draft("car-nk").title == "Another title"
    assert desk.events() == ["topic.title"]
    assert len(desk.server.requests("esearch")) == asked
    assert desk.topics.history("car-nk")[0].what == "title: CAR-NK  becomes  Another title"


def test_the_wide_lane_may_be_emptied(desk: Desk) -> None:
    saved = desk.strategies.save(desk.edit("cik", lambda held: remove_line(held, "wide", 1)), "")
    assert saved.new
    assert desk.strategies.draft("cik").strategy.query("wide") is None


def test_a_block_changed_in_one_topic_is_the_other_s_as_it_was(desk: Desk) -> None:
    desk.strategies.save(desk.adding("{NK} AND late[ti]"), "takes the block along")
    assert desk.strategies.draft("car-nk").strategy.blocks == desk.strategies.draft("cik").strategy.blocks
    other = Block("NK", (Line("kind[ti]", "changed"),))
    desk.strategies.save(desk.edit("car-nk", lambda held: put_block(held, other)), "")
    assert desk.strategies.draft("car-nk").strategy.blocks == (other,)
    assert desk.strategies.draft("cik").strategy.query("core") == "(killer[ti]) AND cells[ti]"
    third = Draft("third", "Third", Strategy((typed_line("{NK}", "which?"),)))
    with pytest.raises(UsageError, match="car-nk and cik have different blocks of that name"):
        desk.strategies.save(third, "")


def test_another_topic_s_search_can_be_inserted_and_a_block_out_of_use_goes(desk: Desk) -> None:
    desk.strategies.save(desk.adding("{T:cik} NOT late[ti]"), "")
    strategy = desk.strategies.draft("car-nk").strategy
    assert [each.name for each in strategy.blocks] == ["NK", "T:cik"]
    assert (strategy.query("core") or "").endswith("OR (((killer[ti]) AND cells[ti]) NOT late[ti])")
    desk.strategies.save(desk.edit("car-nk", lambda held: remove_line(held, "core", 2)), "")
    assert desk.strategies.draft("car-nk").strategy.blocks == ()


def test_a_topic_that_moved_on_is_told_of_where_it_is_inserted_and_renewed(desk: Desk) -> None:
    desk.strategies.save(desk.adding("{T:cik} NOT late[ti]"), "")
    assert "topic-moved" not in {each.code for each in desk.strategies.lint(desk.strategies.draft("car-nk"))}
    desk.strategies.save(desk.adding("late[ti]", "cik"), "")
    held = desk.strategies.draft("car-nk")
    assert "late[ti]) NOT" not in (held.strategy.query("core") or ""), "a stored version never changes"
    assert [each.block for each in desk.strategies.lint(held) if each.code == "topic-moved"] == ["T:cik"]
    saved = desk.strategies.save(desk.strategies.repaired(held, "topic-moved"), "")
    assert (saved.version, "{T:cik}" in desk.strategies.draft("car-nk").strategy.core[1].query) == (3, True)
    now = desk.strategies.draft("car-nk")
    assert "OR (late[ti])) NOT" in (now.strategy.query("core") or "")
    assert "topic-moved" not in {each.code for each in desk.strategies.lint(now)}
    desk.strategies.retire("cik", "")
    assert "topic-moved" not in {each.code for each in desk.strategies.lint(now)}, "nothing could renew it"


def test_another_topic_s_lines_keep_their_own_blocks_where_names_clash(desk: Desk) -> None:
    own = Block("NK", (Line("late[ti]", "another meaning"),))
    made = desk.edit("car-nk", lambda held: replace(held, core=(*held.core, Line("{NK} AND {T:cik}", "w"))))
    desk.strategies.save(replace(made, strategy=put_block(made.strategy, own)), "")
    held = desk.strategies.draft("car-nk")
    assert (held.strategy.query("core") or "").endswith("((late[ti]) AND ((killer[ti]) AND cells[ti]))")
    assert "topic-moved" not in {each.code for each in desk.strategies.lint(held)}
    drafts, _ = desk.strategies.read(desk.strategies.export())
    assert not any(each.difference for each in desk.strategies.plan(drafts)), "a file brings back the same"


def test_of_two_readings_the_other_can_be_chosen(desk: Desk) -> None:
    mixed = desk.adding("killer[ti] OR late[ti] AND cells[ti]")
    number = str([each.code for each in desk.strategies.lint(mixed)].index("mixed-booleans") + 1)
    for which in ("mixed-booleans", number):
        first, other = (desk.strategies.repaired(mixed, which, other=each) for each in (False, True))
        assert first.strategy.core[1].query == "(killer[ti] OR late[ti]) AND cells[ti]"
        assert other.strategy.core[1].query == "killer[ti] OR (late[ti] AND cells[ti])"
    with pytest.raises(UsageError, match="no other reading"):
        desk.strategies.repaired(desk.adding("CA*[ti]"), "short-stem", other=True)


def test_an_older_version_is_searched_again_as_a_new_one(desk: Desk) -> None:
    desk.strategies.save(desk.adding("late[ti]"), "")
    saved = desk.strategies.restore("car-nk", 1, "too many", ADMIN)
    assert (saved.version, desk.strategies.draft("car-nk").strategy) == (3, topic().strategy)
    assert [each.reason for each in desk.strategies.history("car-nk")] == ["starter", "lines: 1 gained", "too many"]
    assert not desk.strategies.restore("car-nk", 1, "").new
    with pytest.raises(NotFound, match="car-nk has no version 9; the newest is 3"):
        desk.strategies.restore("car-nk", 9, "")


def test_a_restored_version_is_checked_like_any_other(desk: Desk) -> None:
    late = desk.adding("late[ti]")
    desk.strategies.save(replace(late, sentinels=(LATE,)), "")
    with pytest.raises(Refused, match=f"sentinel {LATE} is lost"):
        desk.strategies.restore("car-nk", 1, "")


def test_a_retired_topic_is_not_polled_and_its_history_stays(desk: Desk) -> None:
    desk.polling.poll(["car-nk"])
    assert desk.strategies.retire("car-nk", "nobody reads it", ADMIN)
    assert not desk.strategies.retire("car-nk", "again")
    desk.later(days=1)
    assert {each.topic_id for each in desk.polling.poll().outcomes} == {"cik"}
    with pytest.raises(UsageError, match="car-nk is retired; `monitor topic restore car-nk` brings it back"):
        desk.polling.poll(["car-nk"])
    with pytest.raises(UsageError, match="is retired"):
        desk.strategies.draft("car-nk")
    assert desk.topics.one("car-nk").hits["core"] == 1
    assert [each.stored.id for each in desk.topics.all()] == ["cik"]
    assert [each.stored.id for each in desk.topics.all(retired=True)] == ["car-nk", "cik"]
    assert desk.topics.history("car-nk")[0].what == "retired"
    assert desk.topics.history("car-nk")[0].reason == "nobody reads it"


def test_a_draft_of_a_topic_that_was_retired_meanwhile_is_refused(desk: Desk) -> None:
    draft = desk.adding("late[ti]")
    plans = desk.strategies.plan([draft])
    desk.strategies.retire("car-nk", "")
    with pytest.raises(UsageError, match="car-nk is retired"):
        desk.strategies.commit(plans, "")
    with pytest.raises(UsageError, match="car-nk is retired"):
        desk.strategies.save(Draft("car-nk", "Again", draft.strategy), "")
    assert desk.strategies.bring_back("car-nk", "it is read after all", ADMIN)
    assert not desk.strategies.bring_back("car-nk")
    assert desk.strategies.save(draft, "").version == 2
    assert desk.events() == ["topic.retire", "topic.restore", "topic.save"]


def test_what_a_retired_topic_found_is_no_news_until_it_is_back(desk: Desk) -> None:
    desk.subscribing.add("member@lab.example")
    desk.subscribing.subscribe("member@lab.example", ["car-nk", "cik"], day=0, hour=7, zone="UTC")
    desk.later(hours=1)
    desk.polling.poll()
    desk.strategies.retire("car-nk", "")
    desk.at += timedelta(days=1, hours=2)
    (planned,) = desk.publishing.plan()
    assert {entry.topic for entry in planned.issue.entries} == {"cik"}
    held = desk.subscribing.everyone()[0].subscription
    assert held is not None
    assert [(each.topic, each.retired) for each in held.topics] == [("car-nk", True), ("cik", False)]
    desk.strategies.bring_back("car-nk")
    (planned,) = desk.publishing.plan()
    assert {entry.topic for entry in planned.issue.entries} == {"car-nk", "cik"}


def test_one_who_follows_only_retired_topics_gets_no_digest_and_a_preview_says_so(desk: Desk) -> None:
    desk.subscribing.add("member@lab.example")
    desk.subscribing.subscribe("member@lab.example", ["car-nk"], day=0, hour=7, zone="UTC")
    desk.strategies.retire("car-nk", "")
    desk.at += timedelta(days=2)
    assert desk.publishing.plan() == []
    with pytest.raises(UsageError, match="member@lab.example follows only topics that are retired: car-nk"):
        desk.publishing.preview("member@lab.example", date(2026, 11, 23))
    with pytest.raises(UsageError, match="car-nk is retired"):
        desk.subscribing.subscribe("member@lab.example", ["car-nk"])


def test_a_new_topic_is_checked_saved_and_polled(desk: Desk) -> None:
    draft = Draft("late", "The late ones", Strategy((typed_line("late[ti]", "invented"),)), (LATE,))
    saved = desk.strategies.save(draft, "asked for", ADMIN)
    assert (saved.version, saved.new) == (1, True)
    (event,) = desk.log("late")
    assert (event.action, event.before) == ("topic.add", None)
    assert (event.after or {})["sentinels"] == [LATE]
    assert [each.stored.id for each in desk.topics.all()] == ["car-nk", "cik", "late"]
    desk.polling.poll(["late"])
    assert desk.hits("late") == [LATE]
    with pytest.raises(UsageError, match="a topic is called late already"):
        desk.strategies.save(draft, "")


@pytest.mark.parametrize("name", ["Late", "", "a b", "a/../b", "x" * 61])
def test_a_topic_needs_a_name_that_is_one(desk: Desk, name: str) -> None:
    with pytest.raises(UsageError, match="small letters, digits and single hyphens"):
        desk.strategies.save(Draft(name, "T", Strategy((typed_line("late[ti]", "w"),))), "")


def test_a_draft_of_a_topic_that_is_not_there_names_the_nearest(desk: Desk) -> None:
    with pytest.raises(NotFound, match="did you mean car-nk"):
        desk.strategies.draft("car-kn")
    with pytest.raises(NotFound, match="did you mean cik"):
        desk.strategies.save(replace(desk.adding("late[ti]", "cik"), topic_id="ciks"), "")


def test_only_admins_change_searches(desk: Desk) -> None:
    curator = Actor("a curator", "curator")
    for change in (
        lambda: desk.strategies.save(desk.adding("late[ti]"), "", curator),
        lambda: desk.strategies.retire("car-nk", "", curator),
        lambda: desk.strategies.bring_back("car-nk", "", curator),
        lambda: desk.strategies.restore("car-nk", 1, "", curator, because="x"),
    ):
        if change is not None:
            with pytest.raises(UsageError, match="only admins change searches"):
                change()
    assert desk.events() == []


def test_a_poll_notes_the_phrases_too(desk: Desk) -> None:
    desk.server.unknown_phrases = ["CAR-NK"]
    desk.polling.poll(["car-nk"])
    assert desk.known(("car-nk", "tiab")) == {("car-nk", "tiab"): False}
    assert desk.alone.unknown_phrases(desk.alone.draft("car-nk").strategy) == (("car-nk", "tiab"),)
    desk.server.unknown_phrases = []
    desk.later(days=1)
    desk.polling.poll(["car-nk"])
    assert desk.known(("car-nk", "tiab")) == {("car-nk", "tiab"): True}


def test_a_poll_that_did_not_reach_pubmed_says_nothing_of_phrases(desk: Desk) -> None:
    desk.server.faults.add(Rule(Fault.HTTP_503, utility="esearch"))
    desk.polling.poll(["car-nk"])
    assert desk.known(("car-nk", "tiab")) == {}


def test_a_file_comes_back_and_is_saved_whole_or_not_at_all(desk: Desk) -> None:
    values = desk.strategies.export()
    drafts, unused = desk.strategies.read(values)
    assert unused == ()
    assert [plan.difference.words for plan in desk.strategies.plan(drafts)] == [(), ()]
    values["topics"]["cik"]["core"][0]["q"] = "{NK} AND late[ti]"
    values["topics"]["car-nk"]["core"][0]["q"] = "CA*[tiab]"
    values["topics"]["third"] = {"title": "Third", "core": [{"q": "{T:cik}", "why": "all of it"}]}
    drafts, _ = desk.strategies.read(values)
    plans = desk.strategies.plan(drafts)
    with pytest.raises(Refused) as caught:
        desk.strategies.commit(plans, "from git")
    assert [each.topic_id for each in caught.value.checks] == ["car-nk"]
    with desk.database.read() as session:
        assert session.scalar(select(func.count()).select_from(TopicRow)) == 2
        assert session.scalar(select(func.count()).select_from(EventRow)) == 0
    saved = desk.strategies.commit(plans, "from git", ADMIN, because="as agreed")
    assert [(each.topic_id, each.version) for each in saved] == [("car-nk", 2), ("cik", 2), ("third", 1)]
    assert desk.strategies.history("cik")[-1].accepted == ()
    assert desk.strategies.draft("cik").strategy.core[0].owner == "starter"
    assert desk.strategies.draft("third").strategy.query("core") == "((killer[ti]) AND late[ti])"


def test_a_file_made_from_an_older_version_conflicts(desk: Desk) -> None:
    values = desk.strategies.export(["car-nk"])
    values["topics"]["car-nk"]["based_on"] = 1
    values["topics"]["car-nk"]["core"][0]["q"] = "cells[ti]"
    desk.strategies.save(desk.adding("theirs[ti]"), "")
    drafts, _ = desk.strategies.read(values)
    with pytest.raises(Conflict):
        desk.strategies.plan(drafts)
    values["topics"]["car-nk"]["based_on"] = 3
    drafts, _ = desk.strategies.read(values)
    with pytest.raises(UsageError, match="car-nk has no version 3 to be based on; the newest is 2"):
        desk.strategies.plan(drafts)


def test_one_topic_twice_in_a_commit_is_refused(desk: Desk) -> None:
    plans = desk.strategies.plan([desk.adding("one[ti]"), desk.adding("two[ti]")])
    with pytest.raises(UsageError, match="stands here twice"):
        desk.strategies.commit(plans, "")


def test_a_starter_loaded_again_leaves_a_lab_s_version_alone(desk: Desk) -> None:
    desk.strategies.save(desk.adding("late[ti]"), "")
    with desk.database.write() as session:
        newer = replace(topic(), strategy=Strategy((Line("newer[ti]", "newer"),)))
        assert strategies.load_starter(session, [newer], desk.at).kept == ("car-nk",)
    assert desk.versions() == 2


def test_dead_lines_are_told_from_what_the_library_holds(desk: Desk) -> None:
    draft = desk.adding("cells[ti]")
    assert "dead-line" not in {each.code for each in desk.strategies.lint(draft)}
    desk.polling.poll()
    dead = [each for each in desk.strategies.lint(draft) if each.code == "dead-line"]
    assert [(each.block, each.position) for each in dead] == [("core", 1)]
    assert "dead-line" not in {each.code for each in desk.strategies.lint(draft, library=False)}


def test_a_draft_that_cannot_be_searched_can_still_be_linted(desk: Desk) -> None:
    desk.polling.poll()
    broken = desk.edit("car-nk", lambda held: replace(held, core=(*held.core, Line("(x", "w"), Line("{NONE}", "w"))))
    codes = {each.code for each in desk.strategies.lint(broken) if each.weight == "error"}
    assert codes == {"syntax", "unknown-block"}


def test_what_pubmed_refuses_to_search_stands_against_saving(desk: Desk) -> None:
    desk.server.faults.add(Rule(Fault.RETSTART_REFUSED, utility="esearch"))
    with pytest.raises(Refused, match="core: PubMed cannot run this search"):
        desk.strategies.save(desk.adding("more[ti]"), "")
