"""Topics, their versioned search strategies, each poll, and what the polls found."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from monitor.storage.tables.base import Base


class TopicRow(Base):
    """What members follow. `watched_from` is the start of its first poll: what PubMed created earlier is never news.

    Since `doubly_screened_at` two curators judge each of its papers without seeing the other's verdict.
    """

    __tablename__ = "topic"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    position: Mapped[int]
    created_at: Mapped[datetime]
    watched_from: Mapped[date | None]
    doubly_screened_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class StrategyRow(Base):
    """One immutable version of a topic's search: the rendered queries; its lines stand in `strategy_line`.

    `origin` is `starter` for what we ship and `lab` for what people made of it; a lab's version is never replaced.
    `accepted` are problems that stood when it was saved all the same; `reason` then says why.
    """

    __tablename__ = "strategy"

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[str] = mapped_column(ForeignKey("topic.id"))
    version: Mapped[int]
    core: Mapped[str]
    wide: Mapped[str | None]
    origin: Mapped[str]
    reason: Mapped[str]
    accepted: Mapped[list[str]]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("topic_id", "version"),
        CheckConstraint("origin IN ('starter', 'lab')", name="origin"),
    )


class StrategyBlockRow(Base):
    """A block that lines of this version insert as `{NAME}`: how its lines are joined (`any` or `all`), and why it is."""

    __tablename__ = "strategy_block"

    strategy_id: Mapped[int] = mapped_column(ForeignKey("strategy.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    joined: Mapped[str]
    reason: Mapped[str | None]

    __table_args__ = (CheckConstraint("joined IN ('any', 'all')", name="joined"),)


class StrategyLineRow(Base):
    """A numbered line. `block` is `core`, `wide` or the name of a block that other lines insert as `{NAME}`."""

    __tablename__ = "strategy_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    strategy_id: Mapped[int] = mapped_column(ForeignKey("strategy.id"))
    block: Mapped[str]
    position: Mapped[int]
    query: Mapped[str]
    reason: Mapped[str]
    owner: Mapped[str]
    enabled: Mapped[bool]

    __table_args__ = (UniqueConstraint("strategy_id", "block", "position"),)


class SentinelRow(Base):
    """A PMID that every version of the topic's strategy must find."""

    __tablename__ = "sentinel"

    topic_id: Mapped[str] = mapped_column(ForeignKey("topic.id"), primary_key=True)
    pmid: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class PhraseRow(Base):
    """What PubMed last said of a phrase: whether its phrase index holds it. `phrase` is in lower case, without quotes."""

    __tablename__ = "phrase"

    phrase: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    known: Mapped[bool]
    checked_at: Mapped[datetime]


class PollRow(Base):
    """One run against PubMed. `topic_id` is NULL for the rolling check of stored citations.

    `kind`: window, full, check. `state`: running, done, warned, failed, interrupted. `count` is PubMed's,
    `found` the PMIDs it gave us; `missing` how many papers it counted and never gave, by the search or when fetched
    (named among `warnings`); `refused` has a sentence for each that came and could not be read. A poll with either is
    at best `warned`; the next windows ask for these papers again. For the rolling check `missing` are withdrawals in
    the making, and no fault. `covers` says that a finished poll leaves no day before it unsearched, so that the next one may start from it. While it runs, `owner`
    holds it until `lease_until`; one topic and lane is never polled twice at once.
    """

    __tablename__ = "poll"

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[str | None] = mapped_column(ForeignKey("topic.id"))
    strategy_id: Mapped[int | None] = mapped_column(ForeignKey("strategy.id"))
    lane: Mapped[str | None]
    kind: Mapped[str]
    state: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    since: Mapped[date | None]
    until: Mapped[date | None]
    covers: Mapped[bool]
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    query: Mapped[str]
    translation: Mapped[str | None]
    warnings: Mapped[list[str]]
    unknown_phrases: Mapped[list[str]]
    count: Mapped[int | None]
    found: Mapped[int | None]
    new: Mapped[int] = mapped_column(default=0)
    revised: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    missing: Mapped[int] = mapped_column(default=0)
    refused: Mapped[list[str]]
    seconds: Mapped[float | None]
    error: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind IN ('window', 'full', 'check')", name="kind"),
        CheckConstraint("state IN ('running', 'done', 'warned', 'failed', 'interrupted')", name="state"),
        Index(
            "uq_poll_running",
            text("coalesce(topic_id, '')"),
            text("coalesce(lane, '')"),
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Index("ix_poll_topic_started", "topic_id", "lane", "started_at"),
        Index("ix_poll_started_at", "started_at"),
    )


class PollRequestRow(Base):
    """A poll that a person asked for: the worker runs it at its next tick. `lane` is NULL for every lane of the topic.

    `answered_at` says that it was run, `error` why it could not be; what the poll itself came to stands in `poll`.
    """

    __tablename__ = "poll_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[str] = mapped_column(ForeignKey("topic.id"))
    lane: Mapped[str | None]
    kind: Mapped[str]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    error: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind IN ('window', 'full')", name="kind"),
        Index(
            "uq_poll_request_open",
            "topic_id",
            text("coalesce(lane, '')"),
            "kind",
            unique=True,
            sqlite_where=text("answered_at IS NULL"),
            postgresql_where=text("answered_at IS NULL"),
        ),
    )


class PollBatchRow(Base):
    """PMIDs of a poll that are fetched and stored, committed with them, so that a killed poll goes on after them."""

    __tablename__ = "poll_batch"

    poll_id: Mapped[int] = mapped_column(ForeignKey("poll.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pmids: Mapped[list[int]]


class HitRow(Base):
    """A topic's strategy found a citation. Never deleted; it ends when a full reconciliation no longer finds it.

    `first_strategy_id` and `first_lines` are the version and its lines that found it, `route` why that poll came upon it
    (`core.polling.Route`); `strategy_id` and `lines` follow the citation and the strategy. Lines are positions in the
    lane that matched by our own evaluation; `news` says whether a digest may carry it.
    """

    __tablename__ = "hit"

    topic_id: Mapped[str] = mapped_column(ForeignKey("topic.id"), primary_key=True)
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), primary_key=True, autoincrement=False)
    lane: Mapped[str] = mapped_column(primary_key=True)
    strategy_id: Mapped[int] = mapped_column(ForeignKey("strategy.id"))
    poll_id: Mapped[int] = mapped_column(ForeignKey("poll.id"))
    found_at: Mapped[datetime]
    news: Mapped[bool]
    lines: Mapped[list[int]]
    first_strategy_id: Mapped[int] = mapped_column(ForeignKey("strategy.id"))
    first_lines: Mapped[list[int]]
    route: Mapped[str]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("lane IN ('core', 'wide')", name="lane"),
        CheckConstraint(
            "route IN ('created', 'entered', 'indexed', 'revised', 'reconciled', 'backfilled')", name="route"
        ),
        Index("ix_hit_pmid", "pmid", "lane", "topic_id", "ended_at"),
        Index("ix_hit_topic_found", "topic_id", "lane", "found_at"),
    )


_standing = HitRow.ended_at.is_(None)
Index("ix_hit_standing", HitRow.topic_id, HitRow.lane, HitRow.pmid, sqlite_where=_standing, postgresql_where=_standing)
# The curators' queue reads every one of them, and of each no more than this.
_news, _older = _standing & HitRow.news.is_(True), _standing & HitRow.news.is_(False)
_waiting = (HitRow.pmid, HitRow.lane, HitRow.topic_id, HitRow.found_at)
Index("ix_hit_news", *_waiting, sqlite_where=_news, postgresql_where=_news)
Index("ix_hit_older", *_waiting, sqlite_where=_older, postgresql_where=_older)
