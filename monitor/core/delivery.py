"""What a try to hand over a mail can come to, and what follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

PHASES = ("connect", "ehlo", "tls", "auth", "mail", "rcpt", "data", "body", "dot")
"""The stages of one SMTP conversation; only a failure after the final dot is ambiguous."""

ABOUT_THE_RELAY = frozenset(("connect", "ehlo", "tls", "auth"))
"""Phases in which the relay has heard neither whom a mail comes from nor whom it goes to."""

GIVE_UP_AFTER = timedelta(days=3)
"""Counted from the first attempt; after it the letter's papers go into the next issue."""

_HARD = frozenset(("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"))
_FULL = frozenset(("4.2.2", "5.2.2"))
_OUR_CODES = frozenset((530, 534, 535, 538))
_OUR_STATUSES = frozenset(("5.3.4", "5.1.7", "5.1.8"))
_WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


class Fate(StrEnum):
    """What we know of one mail after one try."""

    SENT = "sent"
    NOT_SENT = "not_sent"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whom a mail comes from and goes to. `sender` takes the bounces, `envid` comes back in them (RFC 3461)."""

    sender: str
    recipient: str
    envid: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended: the phase it reached, and the reply's code, enhanced code (RFC 3463) and text, if one came."""

    fate: Fate
    phase: str
    code: int | None = None
    enhanced: str | None = None
    text: str | None = None


class Verdict(StrEnum):
    """What an outcome means for the delivery, the address and the run.

    `retry`: later again. `full`: later again, and a point against the address when all tries are used up. `hard`: no
    such address. `refused`: this mail will not be taken. `ours`: we or our set-up are refused, see `is_the_domains`.
    `away`: the relay cannot be reached or used now, stop the run.
    """

    SENT = "sent"
    IN_DOUBT = "in_doubt"
    RETRY = "retry"
    FULL = "full"
    HARD = "hard"
    REFUSED = "refused"
    OURS = "ours"
    AWAY = "away"


def judge(outcome: Outcome) -> Verdict:
    """Say what follows. A fault of ours (policy, authentication, size) never counts against the address."""
    if outcome.fate is Fate.SENT:
        return Verdict.SENT
    if outcome.fate is Fate.IN_DOUBT:
        return Verdict.IN_DOUBT
    status, code = outcome.enhanced or "", outcome.code
    if outcome.phase in ABOUT_THE_RELAY:
        return Verdict.OURS if code is not None and code >= 500 else Verdict.AWAY
    if status in _FULL and outcome.phase != "mail":
        return Verdict.FULL
    if (code is not None and code < 500) or (code is None and not status) or status.startswith("4."):
        return Verdict.RETRY
    if code in _OUR_CODES or status.startswith("5.7.") or status in _OUR_STATUSES:
        return Verdict.OURS
    if status in _HARD:
        return Verdict.HARD
    if outcome.phase == "mail" and status != "5.6.7":
        return Verdict.OURS
    return Verdict.REFUSED


def is_the_domains(phase: str) -> bool:
    """Whether a refusal of us in this phase may be the word of the recipient's domain alone.

    From RCPT on, the relay has heard whom the mail is for, and may pass on or apply what that domain says. Before, it
    speaks for itself, and would to every other recipient.
    """
    return phase in PHASES[PHASES.index("rcpt") :]


def wait_before_next(tries: int, jitter: float) -> timedelta:
    """Return the pause after the given number of tries: 1, 5, 15, 60 minutes, then hourly; `jitter` is 0 to 1."""
    wait = _WAITS[min(max(tries, 1), len(_WAITS)) - 1]
    return wait * (1 + jitter / 4)


def enhanced_code(text: str) -> str | None:
    """Return the first enhanced status code in a reply (RFC 2034)."""
    found = _ENHANCED.search(text)
    return found[1] if found else None


class NoticeKind(StrEnum):
    """What a message that came back says about the address it is about.

    Only `hard`, `soft` and `complaint` count against it. `policy` is a refusal of us, not of the address.
    """

    HARD = "hard"
    SOFT = "soft"
    POLICY = "policy"
    COMPLAINT = "complaint"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    AUTO_REPLY = "auto-reply"
    UNKNOWN = "unknown"

    @property
    def did_not_arrive(self) -> bool:
        """Whether the letter is known not to have reached its reader."""
        return self in (NoticeKind.HARD, NoticeKind.SOFT, NoticeKind.POLICY)


def judge_failure(status: str | None, diagnostic: str) -> NoticeKind:
    """Say what kind of failure a notice reports; the code in the diagnostic text is finer than a bare `5.0.0`."""
    finer = enhanced_code(diagnostic)
    if status is None or (finer is not None and status.endswith(".0.0")):
        status = finer or status
    if status in _HARD:
        return NoticeKind.HARD
    if status is not None and (status.startswith("5.7.") or status in _OUR_STATUSES or status.startswith("5.6.")):
        return NoticeKind.POLICY
    return NoticeKind.SOFT
