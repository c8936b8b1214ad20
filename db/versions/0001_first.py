"""The first schema: citations and their versions, topics and polls, people, issues and deliveries, work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

# No content: the index holds no text of its own, and no column but the words themselves. `ascii` cuts at blanks alone,
# because the words are cut, lowered and folded before they come here (storage/fulltext.py).
SQLITE_SEARCH = (
    """CREATE VIRTUAL TABLE citation_fts USING fts5(
        title, body, terms, rest, facets, content='', tokenize='ascii'
    )""",
)
POSTGRES_SEARCH = (
    "ALTER TABLE citation_index ADD COLUMN search tsvector NOT NULL",
    "CREATE INDEX ix_citation_index_search ON citation_index USING gin (search)",
)


def upgrade() -> None:
    op.create_table(
        "citation",
        sa.Column("pmid", INT, autoincrement=False, nullable=False),
        sa.Column("version", INT, nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("year", INT, nullable=True),
        sa.Column("doi", sa.Text(), nullable=True),
        sa.Column("pmcid", sa.Text(), nullable=True),
        sa.Column("retracted", sa.Boolean(), nullable=False),
        sa.Column("concern", sa.Boolean(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("codec", INT, nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("pmid", name=op.f("pk_citation")),
    )
    op.create_index(
        "ix_citation_concern",
        "citation",
        ["pmid"],
        unique=False,
        sqlite_where=sa.text("concern IS 1"),
        postgresql_where=sa.text("concern IS true"),
    )
    op.create_index("ix_citation_doi", "citation", [sa.literal_column("substr(lower(doi), 1, 500)")], unique=False)
    op.create_index(
        "ix_citation_provisional",
        "citation",
        ["pmid"],
        unique=False,
        sqlite_where=sa.text("provisional IS 1"),
        postgresql_where=sa.text("provisional IS true"),
    )
    op.create_index(
        "ix_citation_retracted",
        "citation",
        ["pmid"],
        unique=False,
        sqlite_where=sa.text("retracted IS 1"),
        postgresql_where=sa.text("retracted IS true"),
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "index_state",
        sa.Column("id", INT, autoincrement=False, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_state")),
    )
    op.create_table(
        "issue",
        sa.Column("id", INT, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("covers_from", MOMENT, nullable=False),
        sa.Column("covers_until", MOMENT, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind IN ('news', 'quiet', 'blind')", name=op.f("ck_issue_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue")),
        sa.UniqueConstraint("key", name=op.f("uq_issue_key")),
        sa.UniqueConstraint("slot", "fingerprint", name=op.f("uq_issue_slot_fingerprint")),
    )
    op.create_table(
        "pace",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_pace")),
    )
    op.create_table(
        "person",
        sa.Column("id", INT, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("preferences", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("version", INT, server_default="0", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=True),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.CheckConstraint("role IN ('member', 'curator', 'admin')", name=op.f("ck_person_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("address_key", name=op.f("uq_person_address_key")),
    )
    op.create_table(
        "phrase",
        sa.Column("phrase", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("phrase", "field", name=op.f("pk_phrase")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", INT, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index("ix_sign_in_attempt_key", "sign_in_attempt", ["key", "at"], unique=False)
    op.create_table(
        "slot",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("job", "slot", name=op.f("pk_slot")),
    )
    op.create_table(
        "suppression",
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("address_key", name=op.f("pk_suppression")),
    )
    op.create_table(
        "topic",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("position", INT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("watched_from", sa.Date(), nullable=True),
        sa.Column("doubly_screened_at", MOMENT, nullable=True),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
    )
    op.create_table(
        "access_token",
        sa.Column("id", INT, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", INT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_access_token_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_access_token_token_hash")),
    )
    op.create_index(op.f("ix_access_token_person_id"), "access_token", ["person_id"], unique=False)
    op.create_table(
        "citation_check",
        sa.Column("pmid", INT, autoincrement=False, nullable=False),
        sa.Column("fetched_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("misses", INT, nullable=False),
        sa.Column("missed_at", MOMENT, nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_citation_check_pmid_citation")),
        sa.PrimaryKeyConstraint("pmid", name=op.f("pk_citation_check")),
    )
    op.create_index(op.f("ix_citation_check_due_at"), "citation_check", ["due_at"], unique=False)
    op.create_table(
        "citation_index",
        sa.Column("pmid", INT, autoincrement=False, nullable=False),
        sa.Column("facets", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_citation_index_pmid_citation")),
        sa.PrimaryKeyConstraint("pmid", name=op.f("pk_citation_index")),
    )
    op.create_table(
        "event",
        sa.Column("id", INT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor_id", INT, nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_event_actor_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_action", "event", ["action", "id"], unique=False)
    op.create_index("ix_event_actor", "event", ["actor_id", "id"], unique=False)
    op.create_index(op.f("ix_event_at"), "event", ["at"], unique=False)
    op.create_index("ix_event_subject", "event", ["subject"], unique=False)
    op.create_table(
        "mark",
        sa.Column("person_id", INT, nullable=False),
        sa.Column("pmid", INT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("kind IN ('seen', 'saved', 'not-for-me')", name=op.f("ck_mark_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_mark_person_id_person")),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_mark_pmid_citation")),
        sa.PrimaryKeyConstraint("person_id", "pmid", "kind", name=op.f("pk_mark")),
    )
    op.create_index("ix_mark_pmid", "mark", ["pmid", "kind"], unique=False)
    op.create_table(
        "note",
        sa.Column("pmid", INT, nullable=False),
        sa.Column("person_id", INT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("version", INT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_note_person_id_person")),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_note_pmid_citation")),
        sa.PrimaryKeyConstraint("pmid", "person_id", name=op.f("pk_note")),
    )
    op.create_table(
        "one_time_link",
        sa.Column("id", INT, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", INT, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("created_by", INT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.CheckConstraint("purpose IN ('invitation', 'reset')", name=op.f("ck_one_time_link_purpose")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_one_time_link_created_by_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_one_time_link_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_link_token_hash")),
    )
    op.create_index(op.f("ix_one_time_link_person_id"), "one_time_link", ["person_id"], unique=False)
    op.create_table(
        "poll_request",
        sa.Column("id", INT, nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asked_by", INT, nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('window', 'full')", name=op.f("ck_poll_request_kind")),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_poll_request_asked_by_person")),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_poll_request_topic_id_topic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poll_request")),
    )
    op.create_index(
        "uq_poll_request_open",
        "poll_request",
        ["topic_id", sa.literal_column("coalesce(lane, '')"), "kind"],
        unique=True,
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "proposal",
        sa.Column("pmid", INT, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("vocabulary", INT, nullable=False),
        sa.Column("levels", INT, nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("design", sa.Text(), nullable=False),
        sa.Column("participants", INT, nullable=True),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_proposal_pmid_citation")),
        sa.PrimaryKeyConstraint("pmid", name=op.f("pk_proposal")),
    )
    op.create_index("ix_proposal_level", "proposal", ["pmid", "level", "design"], unique=False)
    op.create_index("ix_proposal_rules", "proposal", ["vocabulary", "levels", "pmid", "made_at"], unique=False)
    op.create_index(
        "ix_proposal_until",
        "proposal",
        ["until"],
        unique=False,
        sqlite_where=sa.text("until IS NOT NULL"),
        postgresql_where=sa.text("until IS NOT NULL"),
    )
    op.create_table(
        "reading",
        sa.Column("pmid", INT, nullable=False),
        sa.Column("person_id", INT, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_reading_person_id_person")),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_reading_pmid_citation")),
        sa.PrimaryKeyConstraint("pmid", name=op.f("pk_reading")),
    )
    op.create_table(
        "relation",
        sa.Column("id", INT, nullable=False),
        sa.Column("pmid", INT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("other_pmid", INT, nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("link_key", sa.LargeBinary(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_relation_pmid_citation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relation")),
    )
    op.create_index(op.f("ix_relation_other_pmid"), "relation", ["other_pmid"], unique=False)
    op.create_index(op.f("ix_relation_pmid"), "relation", ["pmid"], unique=False)
    op.create_index(
        "uq_relation_link",
        "relation",
        ["pmid", "link_key"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "rulebook",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", INT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_by", INT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind IN ('vocabulary', 'levels')", name=op.f("ck_rulebook_kind")),
        sa.CheckConstraint("origin IN ('starter', 'lab')", name=op.f("ck_rulebook_origin")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_rulebook_created_by_person")),
        sa.PrimaryKeyConstraint("kind", "version", name=op.f("pk_rulebook")),
    )
    op.create_table(
        "saved_search",
        sa.Column("id", INT, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_by", INT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_saved_search_created_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
        sa.UniqueConstraint("key", name=op.f("uq_saved_search_key")),
        sa.UniqueConstraint("name", name=op.f("uq_saved_search_name")),
    )
    op.create_table(
        "sentinel",
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("pmid", INT, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_sentinel_topic_id_topic")),
        sa.PrimaryKeyConstraint("topic_id", "pmid", name=op.f("pk_sentinel")),
    )
    op.create_table(
        "session",
        sa.Column("id", INT, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", INT, nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_session_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_session_token_hash")),
    )
    op.create_index(op.f("ix_session_person_id"), "session", ["person_id"], unique=False)
    op.create_table(
        "step",
        sa.Column("id", INT, nullable=False),
        sa.Column("person_id", INT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("undone_at", MOMENT, nullable=True),
        sa.Column("again", INT, nullable=True),
        sa.Column("passed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_step_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
    )
    op.create_index("ix_step_person", "step", ["person_id", "id"], unique=False)
    op.create_table(
        "strategy",
        sa.Column("id", INT, nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("version", INT, nullable=False),
        sa.Column("core", sa.Text(), nullable=False),
        sa.Column("wide", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("accepted", sa.JSON(), nullable=False),
        sa.Column("created_by", INT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("origin IN ('starter', 'lab')", name=op.f("ck_strategy_origin")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_strategy_created_by_person")),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_strategy_topic_id_topic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy")),
        sa.UniqueConstraint("topic_id", "version", name=op.f("uq_strategy_topic_id_version")),
    )
    op.create_table(
        "subscription",
        sa.Column("id", INT, nullable=False),
        sa.Column("person_id", INT, nullable=False),
        sa.Column("day", INT, nullable=False),
        sa.Column("hour", INT, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("card_limit", INT, nullable=False),
        sa.Column("level_floor", sa.Text(), nullable=True),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("scheduled_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint("day BETWEEN 0 AND 6", name=op.f("ck_subscription_day")),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name=op.f("ck_subscription_hour")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_subscription_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("token", name=op.f("uq_subscription_token")),
    )
    op.create_index(op.f("ix_subscription_person_id"), "subscription", ["person_id"], unique=False)
    op.create_index(
        "uq_subscription_living",
        "subscription",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "decision",
        sa.Column("id", INT, nullable=False),
        sa.Column("pmid", INT, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("asked_id", INT, nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("undoes", INT, nullable=True),
        sa.Column("person_id", INT, nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("step_id", INT, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.CheckConstraint("verdict IN ('keep', 'maybe', 'dismiss', 'open')", name=op.f("ck_decision_verdict")),
        sa.ForeignKeyConstraint(["asked_id"], ["person.id"], name=op.f("fk_decision_asked_id_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_decision_person_id_person")),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_decision_pmid_citation")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_decision_step_id_step")),
        sa.ForeignKeyConstraint(["undoes"], ["decision.id"], name=op.f("fk_decision_undoes_decision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(
        "ix_decision_maybe",
        "decision",
        ["pmid"],
        unique=False,
        sqlite_where=sa.text("verdict = 'maybe'"),
        postgresql_where=sa.text("verdict = 'maybe'"),
    )
    op.create_index("ix_decision_person", "decision", ["person_id", "decided_at"], unique=False)
    op.create_index("ix_decision_pmid", "decision", ["pmid", "id", "verdict"], unique=False)
    op.create_index(op.f("ix_decision_step_id"), "decision", ["step_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", INT, nullable=False),
        sa.Column("issue_id", INT, nullable=False),
        sa.Column("subscription_id", INT, nullable=False),
        sa.Column("person_id", INT, nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("dated_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fence", INT, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("tries", INT, nullable=False),
        sa.Column("doubts", INT, nullable=False),
        sa.Column("checksum", INT, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'leased', 'in_doubt', 'sent', 'failed', 'cancelled')", name=op.f("ck_delivery_state")
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_delivery_issue_id_issue")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_delivery_person_id_person")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_delivery_subscription_id_subscription")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("message_id", name=op.f("uq_delivery_message_id")),
        sa.UniqueConstraint("subscription_id", "slot", name=op.f("uq_delivery_subscription_id_slot")),
    )
    op.create_index(op.f("ix_delivery_issue_id"), "delivery", ["issue_id"], unique=False)
    op.create_index(op.f("ix_delivery_person_id"), "delivery", ["person_id"], unique=False)
    op.create_index("ix_delivery_state_next", "delivery", ["state", "next_at"], unique=False)
    op.create_table(
        "pattern_use",
        sa.Column("id", INT, nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("pmid", INT, nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("step_id", INT, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_pattern_use_pmid_citation")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_pattern_use_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pattern_use")),
    )
    op.create_index("ix_pattern_use_pattern", "pattern_use", ["pattern"], unique=False)
    op.create_index(op.f("ix_pattern_use_step_id"), "pattern_use", ["step_id"], unique=False)
    op.create_table(
        "poll",
        sa.Column("id", INT, nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=True),
        sa.Column("strategy_id", INT, nullable=True),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("covers", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("translation", sa.Text(), nullable=True),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("unknown_phrases", sa.JSON(), nullable=False),
        sa.Column("count", INT, nullable=True),
        sa.Column("found", INT, nullable=True),
        sa.Column("new", INT, nullable=False),
        sa.Column("revised", INT, nullable=False),
        sa.Column("unchanged", INT, nullable=False),
        sa.Column("missing", INT, nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('window', 'full', 'check')", name=op.f("ck_poll_kind")),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'warned', 'failed', 'interrupted')", name=op.f("ck_poll_state")
        ),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategy.id"], name=op.f("fk_poll_strategy_id_strategy")),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_poll_topic_id_topic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poll")),
    )
    op.create_index("ix_poll_started_at", "poll", ["started_at"], unique=False)
    op.create_index("ix_poll_topic_started", "poll", ["topic_id", "lane", "started_at"], unique=False)
    op.create_index(
        "uq_poll_running",
        "poll",
        [sa.literal_column("coalesce(topic_id, '')"), sa.literal_column("coalesce(lane, '')")],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "strategy_block",
        sa.Column("strategy_id", INT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("joined", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("joined IN ('any', 'all')", name=op.f("ck_strategy_block_joined")),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategy.id"], name=op.f("fk_strategy_block_strategy_id_strategy")),
        sa.PrimaryKeyConstraint("strategy_id", "name", name=op.f("pk_strategy_block")),
    )
    op.create_table(
        "strategy_line",
        sa.Column("id", INT, nullable=False),
        sa.Column("strategy_id", INT, nullable=False),
        sa.Column("block", sa.Text(), nullable=False),
        sa.Column("position", INT, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategy.id"], name=op.f("fk_strategy_line_strategy_id_strategy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy_line")),
        sa.UniqueConstraint(
            "strategy_id", "block", "position", name=op.f("uq_strategy_line_strategy_id_block_position")
        ),
    )
    op.create_table(
        "subscription_topic",
        sa.Column("subscription_id", INT, nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_subscription_topic_subscription_id_subscription")
        ),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_subscription_topic_topic_id_topic")),
        sa.PrimaryKeyConstraint("subscription_id", "topic_id", name=op.f("pk_subscription_topic")),
    )
    op.create_table(
        "tagging",
        sa.Column("id", INT, nullable=False),
        sa.Column("pmid", INT, nullable=False),
        sa.Column("facet", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("added", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("undoes", INT, nullable=True),
        sa.Column("person_id", INT, nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("step_id", INT, nullable=True),
        sa.Column("tagged_at", MOMENT, nullable=False),
        sa.CheckConstraint("facet IN ('tag', 'level', 'claim')", name=op.f("ck_tagging_facet")),
        sa.CheckConstraint("origin IN ('person', 'rule')", name=op.f("ck_tagging_origin")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_tagging_person_id_person")),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_tagging_pmid_citation")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_tagging_step_id_step")),
        sa.ForeignKeyConstraint(["undoes"], ["tagging.id"], name=op.f("fk_tagging_undoes_tagging")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tagging")),
    )
    op.create_index("ix_tagging_pmid", "tagging", ["pmid", "facet", "term", "id", "added"], unique=False)
    op.create_index(op.f("ix_tagging_step_id"), "tagging", ["step_id"], unique=False)
    op.create_index("ix_tagging_term", "tagging", ["facet", "term", "pmid", "added"], unique=False)
    op.create_table(
        "vote",
        sa.Column("id", INT, nullable=False),
        sa.Column("pmid", INT, nullable=False),
        sa.Column("person_id", INT, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("screened", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("voted_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("step_id", INT, nullable=True),
        sa.CheckConstraint("verdict IN ('keep', 'maybe', 'dismiss')", name=op.f("ck_vote_verdict")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_vote_person_id_person")),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_vote_pmid_citation")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_vote_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote")),
    )
    op.create_index("ix_vote_pmid", "vote", ["pmid"], unique=False)
    op.create_index(op.f("ix_vote_step_id"), "vote", ["step_id"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", INT, nullable=False),
        sa.Column("delivery_id", INT, nullable=False),
        sa.Column("fence", INT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("code", INT, nullable=True),
        sa.Column("enhanced", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_attempt_delivery_id_delivery")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index(op.f("ix_attempt_delivery_id"), "attempt", ["delivery_id"], unique=False)
    op.create_table(
        "bounce",
        sa.Column("id", INT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=True),
        sa.Column("delivery_id", INT, nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_bounce_delivery_id_delivery")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounce")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_bounce_fingerprint")),
    )
    op.create_index(op.f("ix_bounce_address_key"), "bounce", ["address_key"], unique=False)
    op.create_table(
        "citation_version",
        sa.Column("id", INT, nullable=False),
        sa.Column("pmid", INT, nullable=False),
        sa.Column("version", INT, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("poll_id", INT, nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("codec", INT, nullable=True),
        sa.Column("doc", sa.LargeBinary(), nullable=True),
        sa.Column("text_hash", sa.LargeBinary(), nullable=True),
        sa.Column("integrity", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_citation_version_pmid_citation")),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name=op.f("fk_citation_version_poll_id_poll")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citation_version")),
    )
    op.create_index(
        "ix_citation_version_integrity",
        "citation_version",
        ["pmid"],
        unique=False,
        sqlite_where=sa.text("integrity IS 1"),
        postgresql_where=sa.text("integrity IS true"),
    )
    op.create_index(op.f("ix_citation_version_pmid"), "citation_version", ["pmid"], unique=False)
    op.create_index(
        "ix_citation_version_reworded",
        "citation_version",
        ["pmid", "id"],
        unique=False,
        sqlite_where=sa.text("text_hash IS NOT NULL"),
        postgresql_where=sa.text("text_hash IS NOT NULL"),
    )
    op.create_index(op.f("ix_citation_version_seen_at"), "citation_version", ["seen_at"], unique=False)
    op.create_table(
        "hit",
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("pmid", INT, autoincrement=False, nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("strategy_id", INT, nullable=False),
        sa.Column("poll_id", INT, nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("news", sa.Boolean(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("first_strategy_id", INT, nullable=False),
        sa.Column("first_lines", sa.JSON(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint("lane IN ('core', 'wide')", name=op.f("ck_hit_lane")),
        sa.CheckConstraint(
            "route IN ('created', 'entered', 'indexed', 'revised', 'reconciled', 'backfilled')",
            name=op.f("ck_hit_route"),
        ),
        sa.ForeignKeyConstraint(["first_strategy_id"], ["strategy.id"], name=op.f("fk_hit_first_strategy_id_strategy")),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_hit_pmid_citation")),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name=op.f("fk_hit_poll_id_poll")),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategy.id"], name=op.f("fk_hit_strategy_id_strategy")),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_hit_topic_id_topic")),
        sa.PrimaryKeyConstraint("topic_id", "pmid", "lane", name=op.f("pk_hit")),
    )
    op.create_index(
        "ix_hit_news",
        "hit",
        ["pmid", "lane", "topic_id", "found_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL AND news IS 1"),
        postgresql_where=sa.text("ended_at IS NULL AND news IS true"),
    )
    op.create_index(
        "ix_hit_older",
        "hit",
        ["pmid", "lane", "topic_id", "found_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL AND news IS 0"),
        postgresql_where=sa.text("ended_at IS NULL AND news IS false"),
    )
    op.create_index("ix_hit_pmid", "hit", ["pmid", "lane", "topic_id", "ended_at"], unique=False)
    op.create_index(
        "ix_hit_standing",
        "hit",
        ["topic_id", "lane", "pmid"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_hit_topic_found", "hit", ["topic_id", "lane", "found_at"], unique=False)
    op.create_table(
        "poll_batch",
        sa.Column("poll_id", INT, nullable=False),
        sa.Column("position", INT, autoincrement=False, nullable=False),
        sa.Column("pmids", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name=op.f("fk_poll_batch_poll_id_poll"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("poll_id", "position", name=op.f("pk_poll_batch")),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("id", INT, nullable=False),
        sa.Column("version_id", INT, nullable=False),
        sa.Column("person_id", INT, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("step_id", INT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_acknowledgement_person_id_person")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_acknowledgement_step_id_step")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["citation_version.id"], name=op.f("fk_acknowledgement_version_id_citation_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
    )
    op.create_index(op.f("ix_acknowledgement_step_id"), "acknowledgement", ["step_id"], unique=False)
    op.create_index(op.f("ix_acknowledgement_version_id"), "acknowledgement", ["version_id"], unique=False)
    op.create_table(
        "issue_entry",
        sa.Column("issue_id", INT, nullable=False),
        sa.Column("position", INT, autoincrement=False, nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=True),
        sa.Column("pmid", INT, nullable=False),
        sa.Column("version_id", INT, nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.CheckConstraint("section IN ('news', 'correction')", name=op.f("ck_issue_entry_section")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_issue_entry_issue_id_issue")),
        sa.ForeignKeyConstraint(["pmid"], ["citation.pmid"], name=op.f("fk_issue_entry_pmid_citation")),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_issue_entry_topic_id_topic")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["citation_version.id"], name=op.f("fk_issue_entry_version_id_citation_version")
        ),
        sa.PrimaryKeyConstraint("issue_id", "position", name=op.f("pk_issue_entry")),
    )
    op.create_index("ix_issue_entry_pmid", "issue_entry", ["pmid"], unique=False)
    # ### end Alembic commands ###

    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_SEARCH if sqlite else POSTGRES_SEARCH:
        op.execute(sa.text(statement.replace(":", "\\:")))


def downgrade() -> None:
    raise NotImplementedError("a schema goes forward only; restore a backup to go back")
