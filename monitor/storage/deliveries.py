"""The outbox: deliveries claimed with a fence and a lease, every attempt kept, what doubt leaves behind.

Statements are Core, on tables, and those of every single mail take a bare connection: a Session would cost as much
again as the statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session

from monitor.core.delivery import Outcome, Verdict
from monitor.storage.tables import Base

_DELIVERY = Base.metadata.tables["delivery"]
_ISSUE = Base.metadata.tables["issue"]
_ATTEMPT = Base.metadata.tables["attempt"]
_SUBSCRIPTION = Base.metadata.tables["subscription"]
_PERSON = Base.metadata.tables["person"]
_SUPPRESSION = Base.metadata.tables["suppression"]

DOUBT_LEFT = "the process ended before it could record the relay's reply"
DOUBTED_TWICE = "in doubt twice: it may have arrived, once or twice; its papers go into the next issue"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours until the lease ends or another claim raises the fence."""

    id: int
    issue_id: int
    subscription_id: int
    person_id: int
    address: str
    token: str
    message_id: str
    dated_at: datetime
    fence: int
    tries: int
    doubts: int
    checksum: int | None


@dataclass(frozen=True, slots=True)
class Outbox:
    """The outbox in numbers; `oldest_due` is how long something that could go has been waiting."""

    queued: int
    leased: int
    in_doubt: int
    sent: int
    failed: int
    cancelled: int
    oldest_due: datetime | None


def claim(session: Session, owner: str, now: datetime, lease_until: datetime, limit: int) -> list[Claimed]:
    """Take up to `limit` deliveries that are due, oldest first, and raise their fences.

    Queued ones whose time has come, leased ones whose lease has run out, and those in doubt whose cool-down is over;
    the latter only once. Several workers share the outbox: PostgreSQL skips rows another is claiming (SKIP LOCKED),
    SQLite lets one write at a time.
    """
    table = _DELIVERY.c
    found = session.execute(
        select(table.id, table.state, table.fence)
        .where(
            or_(
                and_(table.state == "queued", table.next_at <= now),
                and_(table.state == "leased", table.lease_until <= now),
                and_(table.state == "in_doubt", table.next_at <= now, table.doubts == 0),
            )
        )
        .order_by(table.next_at, table.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not found:
        return []
    doubtful = [row.id for row in found if row.state == "in_doubt"]
    if doubtful:
        session.execute(update(_DELIVERY).where(table.id.in_(doubtful)).values(doubts=table.doubts + 1))
        _note_lost_outcomes(session, doubtful, now)
    ids = [row.id for row in found]
    session.execute(
        update(_DELIVERY)
        .where(table.id.in_(ids))
        .values(state="leased", owner=owner, fence=table.fence + 1, lease_until=lease_until)
    )
    rows = session.execute(
        select(
            table.id,
            table.issue_id,
            table.subscription_id,
            table.person_id,
            table.address,
            _SUBSCRIPTION.c.token,
            table.message_id,
            table.dated_at,
            table.fence,
            table.tries,
            table.doubts,
            table.checksum,
        )
        .join_from(_DELIVERY, _SUBSCRIPTION, table.subscription_id == _SUBSCRIPTION.c.id)
        .where(table.id.in_(ids))
        .order_by(table.next_at, table.id)
    )
    return [Claimed(**row) for row in rows.mappings()]


_OBSTACLE = (
    select(
        _DELIVERY.c.state,
        _DELIVERY.c.fence,
        _SUBSCRIPTION.c.ended_at,
        _PERSON.c.disabled_at,
        _SUPPRESSION.c.reason,
    )
    .join_from(_DELIVERY, _SUBSCRIPTION, _DELIVERY.c.subscription_id == _SUBSCRIPTION.c.id)
    .join(_PERSON, _DELIVERY.c.person_id == _PERSON.c.id)
    .outerjoin(_SUPPRESSION, _SUPPRESSION.c.address_key == bindparam("key"))
    .where(_DELIVERY.c.id == bindparam("id"))
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a claimed delivery may still go out: `ours` while the claim stands, `obstacle` why it must not go."""

    ours: bool
    obstacle: str | None


def standing(session: Session | Connection, claimed: Claimed, key: str) -> Standing:
    """Look again, right before sending: the reader may have left, been disabled or suppressed since the claim."""
    row = session.execute(_OBSTACLE, {"id": claimed.id, "key": key}).one()
    obstacle = None
    if row.ended_at is not None:
        obstacle = "unsubscribed"
    elif row.disabled_at is not None:
        obstacle = "the person is disabled"
    elif row.reason is not None:
        obstacle = f"the address is suppressed: {row.reason}"
    return Standing(row.state == "leased" and row.fence == claimed.fence, obstacle)


_HELD = and_(_DELIVERY.c.id == bindparam("delivery"), _DELIVERY.c.fence == bindparam("held"))
_DOUBT = (
    update(_DELIVERY)
    .where(_HELD, _DELIVERY.c.state == "leased")
    .values(state="in_doubt", next_at=bindparam("until"), checksum=bindparam("crc"))
)
_SETTLE = (
    update(_DELIVERY)
    .where(_HELD, _DELIVERY.c.state.in_(("leased", "in_doubt")))
    .values(
        state=bindparam("to"),
        next_at=bindparam("next"),
        tries=_DELIVERY.c.tries + bindparam("tried"),
        sent_at=bindparam("sent"),
        error=bindparam("why"),
        owner=None,
        lease_until=None,
    )
)
_ADD_ATTEMPT = insert(_ATTEMPT)


def mark_in_doubt(session: Session | Connection, claimed: Claimed, until: datetime, checksum: int) -> bool:
    """Say, right before the dot, that from now on nobody knows; False if the claim has been taken over."""
    values = {"delivery": claimed.id, "held": claimed.fence, "until": until, "crc": checksum}
    return _changed(session, _DOUBT, values) == 1


def settle(
    session: Session | Connection,
    claimed: Claimed,
    state: str,
    now: datetime,
    *,
    next_at: datetime | None = None,
    tried: bool = True,
    error: str | None = None,
) -> bool:
    """Write what became of a claimed delivery; False if the claim has been taken over, and then nothing is changed."""
    values = {
        "delivery": claimed.id,
        "held": claimed.fence,
        "to": state,
        "next": next_at or now,
        "tried": int(tried),
        "sent": now if state == "sent" else None,
        "why": error,
    }
    return _changed(session, _SETTLE, values) == 1


def add_attempt(
    session: Session | Connection, claimed: Claimed, verdict: Verdict, outcome: Outcome, at: datetime, seconds: float
) -> None:
    """Keep how a try went, whoever holds the claim by now."""
    session.execute(
        _ADD_ATTEMPT,
        {
            "delivery_id": claimed.id,
            "fence": claimed.fence,
            "at": at,
            "outcome": verdict.value,
            "phase": outcome.phase,
            "code": outcome.code,
            "enhanced": outcome.enhanced,
            "text": outcome.text,
            "seconds": seconds,
        },
    )


def release(session: Session, claims: Sequence[Claimed]) -> None:
    """Give back claims that were not tried, as they were."""
    for each in claims:
        session.execute(
            update(_DELIVERY)
            .where(_DELIVERY.c.id == each.id, _DELIVERY.c.fence == each.fence, _DELIVERY.c.state == "leased")
            .values(state="queued", owner=None, lease_until=None)
        )


def postpone_domain(session: Session, domain: str, until: datetime) -> int:
    """Let what is queued for a domain wait until then, and return how many letters that holds up."""
    found = _queued_for(domain, _DELIVERY.c.next_at < until)
    changed = session.execute(
        update(_DELIVERY).where(_DELIVERY.c.id.in_(found)).values(next_at=until).returning(_DELIVERY.c.id)
    )
    return len(changed.all())


def give_up_domain(session: Session, domain: str, made_until: datetime, error: str) -> list[int]:
    """Fail what has waited for a domain since that moment without being offered to it even once."""
    found = _queued_for(domain, _DELIVERY.c.created_at <= made_until, _DELIVERY.c.tries == 0)
    changed = session.execute(
        update(_DELIVERY).where(_DELIVERY.c.id.in_(found)).values(state="failed", error=error).returning(_DELIVERY.c.id)
    )
    return [row.id for row in changed]


def give_up_doubts(session: Session, now: datetime) -> list[int]:
    """Fail deliveries that are in doubt again after they were sent a second time; a third copy helps nobody."""
    table = _DELIVERY.c
    ids = list(
        session.scalars(
            select(table.id)
            .where(table.state == "in_doubt", table.next_at <= now, table.doubts > 0)
            .with_for_update(skip_locked=True)
        )
    )
    if ids:
        _note_lost_outcomes(session, ids, now)
        session.execute(
            update(_DELIVERY).where(table.id.in_(ids)).values(state="failed", error=DOUBTED_TWICE, owner=None)
        )
    return ids


def template_of(session: Session, issue_id: int) -> bytes:
    """Return the frozen mail of an issue, with its marks."""
    message: bytes = session.execute(select(_ISSUE.c.message).where(_ISSUE.c.id == issue_id)).scalar_one()
    return message


def first_attempt_at(session: Session, delivery_id: int) -> datetime | None:
    """Return when a delivery was first tried."""
    return session.scalars(
        select(_ATTEMPT.c.at).where(_ATTEMPT.c.delivery_id == delivery_id).order_by(_ATTEMPT.c.id).limit(1)
    ).one_or_none()


def refused_since(session: Session, delivery_id: int) -> datetime | None:
    """Return when a delivery was first refused for what we are."""
    return session.scalars(
        select(_ATTEMPT.c.at)
        .where(_ATTEMPT.c.delivery_id == delivery_id, _ATTEMPT.c.outcome == Verdict.OURS.value)
        .order_by(_ATTEMPT.c.id)
        .limit(1)
    ).one_or_none()


@dataclass(frozen=True, slots=True)
class Attempted:
    """How a try ended, in which phase, and for which address."""

    verdict: Verdict
    phase: str
    address: str
    at: datetime


def latest_attempts(session: Session, count: int) -> list[Attempted]:
    """Return how the latest attempts of the whole outbox ended, newest first."""
    rows = session.execute(
        select(_ATTEMPT.c.outcome, _ATTEMPT.c.phase, _DELIVERY.c.address, _ATTEMPT.c.at)
        .join_from(_ATTEMPT, _DELIVERY, _ATTEMPT.c.delivery_id == _DELIVERY.c.id)
        .order_by(_ATTEMPT.c.id.desc())
        .limit(count)
    )
    return [Attempted(Verdict(row.outcome), row.phase, row.address, row.at) for row in rows]


def outbox(session: Session, now: datetime) -> Outbox:
    """Count the outbox by state, for `doctor`, health and the worker."""
    table = _DELIVERY.c
    rows = session.execute(select(table.state, func.count()).group_by(table.state))
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    oldest = session.execute(
        select(func.min(table.next_at)).where(table.state.in_(("queued", "in_doubt")), table.next_at <= now)
    ).scalar_one()
    return Outbox(
        **{state: counts.get(state, 0) for state in ("queued", "leased", "in_doubt", "sent", "failed", "cancelled")},
        oldest_due=oldest,
    )


def _queued_for(domain: str, *more: ColumnElement[bool]) -> Select[tuple[int]]:
    # Skipping what another worker holds: it comes to the same end there, and two of them never wait for each other.
    return (
        select(_DELIVERY.c.id)
        .where(
            _DELIVERY.c.state == "queued",
            func.lower(_DELIVERY.c.address).endswith(f"@{domain}", autoescape=True),
            *more,
        )
        .with_for_update(skip_locked=True)
    )


def _note_lost_outcomes(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Add the attempt that a dead process could not: it wrote `in_doubt` under this fence and nothing after."""
    session.execute(
        insert(_ATTEMPT).from_select(
            ["delivery_id", "fence", "at", "outcome", "phase", "text", "seconds"],
            select(
                _DELIVERY.c.id,
                _DELIVERY.c.fence,
                bindparam("noticed", now, _ATTEMPT.c.at.type),
                bindparam("verdict", Verdict.IN_DOUBT.value),
                bindparam("phase", "dot"),
                bindparam("why", DOUBT_LEFT),
                bindparam("seconds", 0.0),
            ).where(
                _DELIVERY.c.id.in_(ids),
                ~select(_ATTEMPT.c.id)
                .where(_ATTEMPT.c.delivery_id == _DELIVERY.c.id, _ATTEMPT.c.fence == _DELIVERY.c.fence)
                .exists(),
            ),
        )
    )


def _changed(session: Session | Connection, statement: object, values: dict[str, object]) -> int:
    # A Core UPDATE always comes back as a cursor result; the Session's signature does not say so.
    return int(session.execute(statement, values).rowcount)  # type: ignore[call-overload]
