"""Every table and constraint, one module a topic; `db/versions` holds the same as migrations, and a test compares."""

from monitor.storage.tables.account import AccessTokenRow, OneTimeLinkRow, SessionRow, SignInAttemptRow
from monitor.storage.tables.base import Base, UtcDateTime
from monitor.storage.tables.citation import CheckRow, CitationRow, IndexRow, IndexStateRow, RelationRow, VersionRow
from monitor.storage.tables.desk import AcknowledgementRow, MarkRow, NoteRow, ReadingRow, StepRow, VoteRow
from monitor.storage.tables.digest import (
    AttemptRow,
    BounceRow,
    DeliveryRow,
    IssueEntryRow,
    IssueRow,
    SuppressionRow,
)
from monitor.storage.tables.person import EventRow, PersonRow, SubscriptionRow, SubscriptionTopicRow
from monitor.storage.tables.screening import DecisionRow, SavedSearchRow, TaggingRow
from monitor.storage.tables.strategy import (
    HitRow,
    PhraseRow,
    PollBatchRow,
    PollRequestRow,
    PollRow,
    SentinelRow,
    StrategyBlockRow,
    StrategyLineRow,
    StrategyRow,
    TopicRow,
)
from monitor.storage.tables.vocabulary import PatternUseRow, ProposalRow, RulebookRow
from monitor.storage.tables.work import HeartbeatRow, PaceRow, SlotRow

__all__ = [
    "AccessTokenRow",
    "AcknowledgementRow",
    "AttemptRow",
    "Base",
    "BounceRow",
    "CheckRow",
    "CitationRow",
    "DecisionRow",
    "DeliveryRow",
    "EventRow",
    "HeartbeatRow",
    "HitRow",
    "IndexRow",
    "IndexStateRow",
    "IssueEntryRow",
    "IssueRow",
    "MarkRow",
    "NoteRow",
    "OneTimeLinkRow",
    "PaceRow",
    "PatternUseRow",
    "PersonRow",
    "PhraseRow",
    "PollBatchRow",
    "PollRequestRow",
    "PollRow",
    "ProposalRow",
    "ReadingRow",
    "RelationRow",
    "RulebookRow",
    "SavedSearchRow",
    "SentinelRow",
    "SessionRow",
    "SignInAttemptRow",
    "SlotRow",
    "StepRow",
    "StrategyBlockRow",
    "StrategyLineRow",
    "StrategyRow",
    "SubscriptionRow",
    "SubscriptionTopicRow",
    "SuppressionRow",
    "TaggingRow",
    "TopicRow",
    "UtcDateTime",
    "VersionRow",
    "VoteRow",
]
