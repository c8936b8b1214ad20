"""Messages that come back: which delivery they are about, proven by a MAC, and what they say about the address.

Delivery status notifications (RFC 3464) are read with the standard library, older shapes with flufl.bounce. Only a
notice that carries the MAC made for its delivery, or the unguessable Message-ID of the mail, is about anything.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

import structlog
from flufl.bounce import all_failures

from monitor.core.delivery import NoticeKind, enhanced_code, judge_failure
from monitor.errors import UsageError

_log = structlog.get_logger()

MAX_OCTETS = 25 * 1024 * 1024

_VERP = re.compile(r"bounce\+(\d{1,18})\.([0-9a-f]{16})@", re.IGNORECASE)
_ENVID = re.compile(r"(\d{1,18})\.([0-9a-f]{16})", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x1f]{3,250}>")
_QUOTED_MESSAGE_ID = re.compile(rf"^>?\s*Message-ID:\s*({_MESSAGE_ID.pattern})", re.IGNORECASE | re.MULTILINE)
_GAPS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
# What transfer encodings can bring in behind the check of the raw octets: PostgreSQL takes no NUL in a text.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
_RETURN_ADDRESSES = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Failed-Recipients")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_REPORTS = frozenset(("message/delivery-status", "message/global-delivery-status", "message/feedback-report"))
_ARRIVED = frozenset(("delivered", "relayed", "expanded"))


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that came back. `delivery_id` is set only if its MAC is right; `forged` if one was there and wrong.

    `message_id` is the original mail's, as the notice quotes it. `fingerprint` is the same for the same notice twice.
    """

    kind: NoticeKind
    delivery_id: int | None
    forged: bool
    message_id: str | None
    recipient: str | None
    status: str | None
    text: str | None
    fingerprint: str


def return_path(secret: bytes, delivery_id: int, domain: str) -> str:
    """Return the envelope sender of a delivery: where its bounces come back, with the MAC that proves them."""
    return f"bounce+{delivery_id}.{_mac(secret, delivery_id)}@{domain}"


def envelope_id(secret: bytes, delivery_id: int) -> str:
    """Return the ENVID of a delivery (RFC 3461), proven like its return path."""
    return f"{delivery_id}.{_mac(secret, delivery_id)}"


def read_notice(octets: bytes, secret: bytes) -> Notice:
    """Read a message that came back; raises UsageError for what is no mail message at all."""
    if not octets.strip():
        raise UsageError("nothing came in; pipe one mail message into `monitor bounce`")
    if len(octets) > MAX_OCTETS:
        raise UsageError(f"the message has {len(octets)} octets, more than any notice ({MAX_OCTETS})")
    # A NUL in a charset makes the library raise; no notice needs one.
    octets = octets.replace(b"\0", b"")
    message = email.message_from_bytes(octets, policy=email.policy.compat32)
    if not any(
        message.get(name) for name in ("From", "To", "Subject", "Date", "Message-ID", "Received", "Return-Path")
    ):
        raise UsageError("this is not a mail message: it has none of the headers every mail has")
    delivery_id, forged = _proven(message, secret)
    kind, recipient, status, text = _read(message, octets)
    return Notice(
        kind=kind,
        delivery_id=delivery_id,
        forged=forged,
        message_id=_original_message_id(message),
        recipient=recipient,
        status=status,
        text=text,
        fingerprint=_fingerprint(message, octets),
    )


def _mac(secret: bytes, delivery_id: int) -> str:
    return hmac.digest(secret, f"bounce\n{delivery_id}".encode(), "sha256")[:8].hex()


def _proven(message: Message, secret: bytes) -> tuple[int | None, bool]:
    """Find a delivery whose MAC is right, in the addresses the notice went to, its ENVID, or the mail it returns."""
    claims = [
        *(found for text in _header_values(message, _RETURN_ADDRESSES) for found in _VERP.findall(text)),
        *(
            found
            for block in _report_blocks(message)
            for found in _ENVID.findall(_text(block.get("Original-Envelope-Id")))
        ),
        *(
            found
            for original in _returned(message)
            for text in _header_values(original, ("Return-Path", "Sender", "Original-Mail-From"))
            for found in _VERP.findall(text)
        ),
        *(
            found
            for block in _report_blocks(message)
            for found in _VERP.findall(_text(block.get("Original-Mail-From")))
        ),
    ]
    for number, mac in claims:
        if hmac.compare_digest(mac.lower(), _mac(secret, int(number))):
            return int(number), False
    return None, bool(claims)


def _read(message: Message, octets: bytes) -> tuple[NoticeKind, str | None, str | None, str | None]:
    report = str(message.get_param("report-type") or "").lower()
    kind = message.get_content_type()
    if kind == "multipart/report" and report == "disposition-notification":
        return NoticeKind.AUTO_REPLY, None, None, "a read receipt"
    if kind == "multipart/report" and report == "feedback-report":
        return _read_complaint(message)
    groups = [block for block in _report_blocks(message) if block.get("Action") or block.get("Final-Recipient")]
    if groups:
        return _read_status(groups)
    # Sendmail-like notices carry Auto-Submitted too, so only a message that is no report is judged by it (RFC 3834).
    if _is_automatic_reply(message):
        return NoticeKind.AUTO_REPLY, None, None, _line(_text(message.get("Subject")))
    return _read_free_text(message, octets)


def _read_status(groups: list[Message]) -> tuple[NoticeKind, str | None, str | None, str | None]:
    """One recipient a mail, so the worst group decides; a mailing list behind the address may add more."""
    read = [_read_group(group) for group in groups]
    order = list(NoticeKind)
    return min(read, key=lambda each: order.index(each[0]))


def _read_group(group: Message) -> tuple[NoticeKind, str | None, str | None, str | None]:
    action = _text(group.get("Action")).split("(")[0].strip().lower()
    found = _STATUS.search(_text(group.get("Status")))
    status = found[0] if found else None
    diagnostic = _line(_text(group.get("Diagnostic-Code")))
    recipient = _bare_address(_text(group.get("Original-Recipient")) or _text(group.get("Final-Recipient")))
    if action == "delayed":
        kind = NoticeKind.DELAYED
    elif action in _ARRIVED:
        kind = NoticeKind.DELIVERED
    elif action == "failed":
        kind = judge_failure(status, diagnostic)
    else:
        kind = NoticeKind.UNKNOWN
    finer = enhanced_code(diagnostic)
    if status is None or (finer and status.endswith(".0.0")):
        status = finer or status
    return kind, recipient, status, diagnostic or None


def _read_complaint(message: Message) -> tuple[NoticeKind, str | None, str | None, str | None]:
    """A feedback report (RFC 5965): the reader pressed "junk"."""
    for block in _report_blocks(message):
        feedback = _text(block.get("Feedback-Type")).strip().lower()
        if feedback:
            recipient = _bare_address(_text(block.get("Original-Rcpt-To")))
            kind = NoticeKind.COMPLAINT if feedback in ("abuse", "fraud") else NoticeKind.UNKNOWN
            return kind, recipient, None, f"feedback report: {_line(feedback)}"
    return NoticeKind.UNKNOWN, None, None, "a feedback report without its type"


def _read_free_text(message: Message, octets: bytes) -> tuple[NoticeKind, str | None, str | None, str | None]:
    temporary, permanent = _failures(octets)
    said = " ".join(_plain_texts(message))
    text = _failure_line(said)
    if permanent:
        kind = judge_failure(enhanced_code(said), said)
        return kind, _first(permanent), enhanced_code(said), text
    if temporary:
        return NoticeKind.DELAYED, _first(temporary), enhanced_code(said), text
    return NoticeKind.UNKNOWN, None, None, _line(_text(message.get("Subject"))) or None


def _failures(octets: bytes) -> tuple[frozenset[bytes] | set[bytes], frozenset[bytes] | set[bytes]]:
    # Its detectors index into what they expect to find, and trip over headers that are not ASCII.
    readable = email.message_from_bytes(octets.decode("ascii", "replace").encode("ascii", "replace"))
    logging.getLogger("flufl.bounce").disabled = True
    try:
        temporary, permanent = all_failures(readable)
    except Exception as error:
        # What tripped it may be an address.
        _log.warning("notice of no known shape", reason=type(error).__name__)
        return set(), set()
    return temporary, permanent


def _is_automatic_reply(message: Message) -> bool:
    submitted = _text(message.get("Auto-Submitted")).split(";")[0].strip().lower()
    precedence = _text(message.get("Precedence")).strip().lower()
    return (
        (submitted not in ("", "no") and not _is_from_a_mailer(message))
        or precedence in ("auto_reply", "auto-reply")
        or any(message.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply"))
    )


def _is_from_a_mailer(message: Message) -> bool:
    sender = _text(message.get("From")).lower()
    return _text(message.get("Return-Path")).strip() == "<>" or "mailer-daemon" in sender or "postmaster" in sender


def _report_blocks(message: Message) -> Iterator[Message]:
    """Yield each block of fields of every delivery-status or feedback-report part."""
    for part in message.walk():
        if part.get_content_type() in _REPORTS:
            if part.is_multipart():
                yield from _inside(part)
            else:
                for block in re.split(rb"\r?\n\r?\n", _octets(part)):
                    yield email.message_from_bytes(block + b"\n\n")


def _returned(message: Message) -> Iterator[Message]:
    """Yield the original mail, whole or its headers, where the notice returns it."""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822" and part.is_multipart():
            yield from _inside(part)
        elif kind == "text/rfc822-headers":
            yield email.message_from_bytes(_octets(part))


def _inside(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (inner for inner in payload if isinstance(inner, Message))


def _octets(part: Message) -> bytes:
    """Return the decoded body of a part that has no parts, without control characters."""
    payload = part.get_payload(decode=True)
    return payload.translate(None, _CONTROLS) if isinstance(payload, bytes) else b""


def _original_message_id(message: Message) -> str | None:
    for original in _returned(message):
        found = _MESSAGE_ID.search(_text(original.get("Message-ID")))
        if found:
            return found[0]
    # Old notices quote the mail in their text; a reply names it in In-Reply-To.
    for text in _plain_texts(message):
        quoted = _QUOTED_MESSAGE_ID.search(text)
        if quoted:
            return quoted[1]
    found = _MESSAGE_ID.search(_text(message.get("In-Reply-To")))
    return found[0] if found else None


def _fingerprint(message: Message, octets: bytes) -> str:
    """The notice's own Message-ID, else its body; trace headers differ when one notice is delivered twice."""
    own = _text(message.get("Message-ID")).strip()
    body = re.split(rb"\r?\n\r?\n", octets, maxsplit=1)[-1]
    basis = b"id\n" + own.encode("utf-8", "replace") if own else b"body\n" + body
    return hashlib.blake2b(basis, digest_size=16, usedforsecurity=False).hexdigest()


def _plain_texts(message: Message) -> Iterator[str]:
    for part in message.walk():
        if part.get_content_maintype() == "text":
            yield _octets(part).decode("utf-8", "replace")


def _header_values(message: Message, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        for value in message.get_all(name, []):
            yield _text(value)


def _text(value: object) -> str:
    # compat32 gives a Header object where raw 8-bit octets stand.
    return "" if value is None else str(value)


def _line(text: str) -> str:
    """Make one short line of a text, fit to be kept: no control character, no half of a surrogate pair."""
    return _GAPS.sub(" ", text).strip()[:500]


def _failure_line(text: str) -> str | None:
    for line in text.splitlines():
        if enhanced_code(line):
            return _line(line)
    return _line(text) or None


def _bare_address(field: str) -> str | None:
    """`rfc822; ada@lab.example` -> `ada@lab.example` (RFC 3464 section 2.3.2)."""
    address = field.partition(";")[2] or field
    return _line(address).strip("<> ") or None


def _first(addresses: frozenset[bytes] | set[bytes]) -> str | None:
    return min(_line(address.decode("utf-8", "replace")) for address in addresses)
