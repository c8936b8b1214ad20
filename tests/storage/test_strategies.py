"""Topics and strategy versions as stored; loading the starter never undoes what a lab did."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import yaml
from sqlalchemy import func, select, update

from monitor.core.people import COMMAND_LINE
from monitor.core.strategy import Block, Line, Strategy, Topic
from monitor.core.topicfile import read_topics
from monitor.errors import NotFound, UsageError
from monitor.resources import resource_dir
from monitor.storage import events, strategies
from monitor.storage.engine import Database
from monitor.storage.tables import StrategyLineRow, StrategyRow, TopicRow

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
STRATEGY = Strategy(
    (Line("{A} AND x[ti]", "why x"), Line("y[ti]", "why y", "lab", False)),
    (Line("{B}", "wide"),),
    (
        Block("A", (Line("a[ti]", "a"),), "any", "block a"),
        Block("B", (Line("{A}", "b"), Line("c[ti]", "c")), "all"),
    ),
)
TOPIC = Topic("invented", "Invented topic", STRATEGY, (90000001, 90000002))


def load(database: Database, *topics: Topic) -> strategies.StarterReport:
    with database.write() as session:
        return strategies.load_starter(session, topics, NOW)


def stored(database: Database) -> list[strategies.StoredTopic]:
    with database.read() as session:
        return strategies.all_topics(session, retired=True)


def test_a_topic_comes_back_as_it_was_stored(database: Database) -> None:
    assert load(database, TOPIC) == strategies.StarterReport(("invented",), (), ())
    (found,) = stored(database)
    assert found.topic == TOPIC
    assert (found.version, found.origin, found.watched_from, found.created_at) == (1, "starter", None, NOW)
    with database.read() as session:
        row = session.get_one(StrategyRow, found.strategy_id)
        assert (row.core, row.wide) == (STRATEGY.query("core"), STRATEGY.query("wide"))
        assert strategies.strategy(session, found.strategy_id) == STRATEGY
        with pytest.raises(NotFound):
            strategies.strategy(session, found.strategy_id + 1)


def test_the_starter_loads_once_in_its_order(database: Database) -> None:
    topics = read_topics(yaml.safe_load((resource_dir("db") / "seed" / "queries.yaml").read_text("utf-8")))
    assert len(load(database, *topics).added) == 8
    assert load(database, *topics) == strategies.StarterReport((), (), ())
    assert [each.topic for each in stored(database)] == [
        Topic(each.id, each.title, each.strategy, tuple(sorted(each.sentinels))) for each in topics
    ]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(StrategyRow)) == 8


def test_a_newer_starter_becomes_a_version_where_the_starter_stands(database: Database) -> None:
    load(database, TOPIC)
    newer = Topic("invented", "Invented topic", Strategy((Line("z[ti]", "newer"),)), (90000003,))
    assert load(database, newer).renewed == ("invented",)
    (found,) = stored(database)
    assert (found.version, found.topic.strategy) == (2, newer.strategy)
    assert found.topic.sentinels == (90000001, 90000002, 90000003), "a sentinel is never lost to a newer starter"
    assert load(database, newer) == strategies.StarterReport((), (), ())
    with database.read() as session:
        lines = session.scalars(select(StrategyLineRow).where(StrategyLineRow.strategy_id != found.strategy_id)).all()
        assert len(lines) == 6, "the first version stands as it was"


def test_a_newer_starter_brings_no_sentinel_back_that_a_lab_has_removed(database: Database) -> None:
    load(database, TOPIC)

    def set_by_the_lab(before: list[int], after: list[int]) -> None:
        with database.write() as session:
            strategies.set_sentinels(session, "invented", after)
            told = ({"sentinels": before}, {"sentinels": after})
            events.record(session, COMMAND_LINE, "topic.sentinels", "topic:invented", NOW, *told)

    set_by_the_lab([90000001, 90000002], [90000009])
    set_by_the_lab([90000009], [90000001, 90000009])
    newer = Topic("invented", "Invented", Strategy((Line("z[ti]", "newer"),)), (90000001, 90000002, 90000003))
    assert load(database, newer).renewed == ("invented",)
    assert stored(database)[0].topic.sentinels == (90000001, 90000003, 90000009), (
        "90000002 was removed, 90000001 came back"
    )


def test_a_lab_s_own_edit_is_never_overwritten(database: Database) -> None:
    load(database, TOPIC)
    own = Strategy((Line("ours[ti]", "the lab's", "lab"),))
    with database.write() as session:
        strategies.save_version(session, "invented", own, origin="lab", reason="edited", person_id=None, now=NOW)
    newer = Topic("invented", "Invented topic", Strategy((Line("z[ti]", "newer"),)))
    assert load(database, newer) == strategies.StarterReport((), (), ("invented",))
    (found,) = stored(database)
    assert (found.version, found.topic.strategy) == (2, own)


def test_a_retired_topic_stays_retired(database: Database) -> None:
    load(database, TOPIC)
    with database.write() as session:
        session.execute(update(TopicRow).values(retired_at=NOW))
    assert load(database, TOPIC).kept == ("invented",)
    with database.read() as session:
        assert strategies.all_topics(session) == []
        with pytest.raises(UsageError, match="invented is retired; `monitor topic restore invented` brings it back"):
            strategies.topics_named(session, ["invented"])


def test_a_strategy_without_a_line_that_is_on_is_not_stored(database: Database) -> None:
    load(database, TOPIC)
    off = Strategy((Line("x[ti]", "off", "lab", False),))
    with database.write() as session, pytest.raises(ValueError, match="cannot be searched"):
        strategies.save_version(session, "invented", off, origin="lab", reason="", person_id=None, now=NOW)


def test_topics_are_found_by_name(database: Database) -> None:
    load(database, TOPIC, Topic("other", "Other", Strategy((Line("o[ti]", "o"),))))
    with database.read() as session:
        assert [each.id for each in strategies.topics_named(session, [])] == ["invented", "other"]
        assert [each.id for each in strategies.topics_named(session, ["other"])] == ["other"]
        with pytest.raises(NotFound, match="topics are invented, other"):
            strategies.topics_named(session, ["nonesuch"])


def test_the_first_day_watched_is_set_once(database: Database) -> None:
    load(database, TOPIC)
    with database.write() as session:
        assert strategies.watch_from(session, "invented", date(2026, 10, 23)) == date(2026, 10, 23)
    with database.write() as session:
        assert strategies.watch_from(session, "invented", date(2026, 11, 23)) == date(2026, 10, 23)
    assert stored(database)[0].watched_from == date(2026, 10, 23)
