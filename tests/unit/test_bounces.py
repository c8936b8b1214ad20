"""Notices of every shape are read: who they are about, proven, and what they say; noise never counts."""

from __future__ import annotations

import random

import pytest

from monitor.core.delivery import NoticeKind, judge_failure
from monitor.errors import UsageError
from monitor.mail.bounces import MAX_OCTETS, envelope_id, read_notice, return_path
from tests.outbox import SECRET

ID = 4711
BACK = return_path(SECRET, ID, "lab.example")
ENVID = envelope_id(SECRET, ID)
READER = "grace@reader.example"


def mail(headers: dict[str, str], body: str) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (head + "\r\n" + body.replace("\n", "\r\n")).encode()


def report(
    fields: str,
    *,
    to: str = BACK,
    per_message: str = "Reporting-MTA: dns; relay.example",
    returned: str = f"Message-ID: <4711.invented@lab.example>\nTo: {READER}\n",
    sender: str = "MAILER-DAEMON@relay.example (Mail Delivery System)",
    words: str = "Invented words for people.",
    **more: str,
) -> bytes:
    headers = {
        "Return-Path": "<>",
        "From": sender,
        "To": to,
        "Subject": "Undelivered Mail Returned to Sender",
        "Message-ID": "<invented-notice@relay.example>",
        "Auto-Submitted": "auto-replied",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/report; report-type=delivery-status;\r\n boundary="invented"',
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    body = (
        f"--invented\nContent-Type: text/plain; charset=utf-8\n\n{words}\n\n"
        f"--invented\nContent-Type: message/delivery-status\n\n{per_message}\n\n{fields}\n\n"
        f"--invented\nContent-Type: text/rfc822-headers\n\n{returned}\n\n--invented--\n"
    )
    return mail(headers, body)


def failed(status: str, diagnostic: str = "", action: str = "failed", recipient: str = READER) -> str:
    lines = [f"Final-Recipient: rfc822; {recipient}", f"Action: {action}", f"Status: {status}"]
    return "\n".join(lines + ([f"Diagnostic-Code: {diagnostic}"] if diagnostic else []))


POSTFIX = report(
    f"Final-Recipient: rfc822; {READER}\nOriginal-Recipient: rfc822;{READER}\nAction: failed\nStatus: 5.1.1\n"
    "Remote-MTA: dns; mx.reader.example\nDiagnostic-Code: smtp; 550 5.1.1 <grace@reader.example>: Recipient address\n    rejected: User unknown",
    per_message=f"Reporting-MTA: dns; relay.example\nOriginal-Envelope-Id: {ENVID}\nX-Postfix-Queue-ID: INVENTED1\nArrival-Date: Mon, 23 Nov 2026 06:00:00 +0000",
)
EXCHANGE = report(
    failed("5.1.10", "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
    sender="<postmaster@reader.example>",
    per_message="Reporting-MTA: dns;INVENTED01.reader.example\nReceived-From-MTA: dns;relay.example",
    words="Delivery has failed to these recipients or groups:",
)
GMAIL = report(
    failed(
        "5.1.1",
        "smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try\n 550 5.1.1 invented hint",
    ),
    sender="Mail Delivery Subsystem <mailer-daemon@mail.example>",
    X_Failed_Recipients=READER,
)
SENDMAIL_BARE = report(failed("5.0.0", "SMTP; 550 5.1.1 no such person here"))
QMAIL = mail(
    {
        "Return-Path": "<>",
        "From": "MAILER-DAEMON@relay.example",
        "To": BACK,
        "Subject": "failure notice",
        "Message-ID": "<qmail-like@relay.example>",
    },
    "Hi. This is the qmail-send program at relay.example.\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    f"<{READER}>:\nInvented: no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n"
    "Message-ID: <4711.invented@lab.example>\nSubject: Invented digest\n",
)
FULL = report(failed("5.2.2", "smtp; 552 5.2.2 mailbox full"))
EXPIRED = report(failed("4.4.7", "X-Invented; retry timeout exceeded"))
NO_HOST = report(failed("5.4.4", "X-Postfix; Host or domain name not found"))
POLICY = report(failed("5.7.1", "smtp; 550 5.7.1 message refused by policy"))
DMARC = report(failed("5.0.0", "smtp; 550-5.7.26 unauthenticated mail is prohibited"))
SIZE = report(failed("5.3.4", "smtp; 552 5.3.4 message too big"))
DELAYED = report(failed("4.4.1", "X-Postfix; connect timed out", action="delayed"))
DELIVERED = report(failed("2.0.0", action="delivered"))
RELAYED = report(failed("2.1.9", action="relayed"))
COMMENTED = report(failed("5.1.1 (bad destination mailbox address)", action="failed (permanent)"))
RECEIPT = mail(
    {
        "From": READER,
        "To": BACK,
        "Subject": "Read: Invented digest",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/report; report-type=disposition-notification; boundary="r"',
    },
    f"--r\nContent-Type: text/plain\n\nRead.\n--r\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; {READER}\n"
    "Disposition: manual-action/MDN-sent-manually; displayed\n\n--r--\n",
)
VACATION = mail(
    {
        "From": READER,
        "To": BACK,
        "Subject": "Out of office",
        "Auto-Submitted": "auto-replied",
        "Message-ID": "<away@reader.example>",
    },
    "I am away. The address 550 5.1.1 is not what you think. User unknown.\n",
)
OLD_VACATION = mail({"From": READER, "To": BACK, "Subject": "away", "Precedence": "auto_reply"}, "Away.\n")
X_VACATION = mail({"From": READER, "To": BACK, "Subject": "away", "X-Autoreply": "yes"}, "Away.\n")
COMPLAINT = mail(
    {
        "From": "feedback@mail.example",
        "To": "abuse@lab.example",
        "Subject": "complaint",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/report; report-type=feedback-report; boundary="f"',
    },
    "--f\nContent-Type: text/plain\n\nInvented complaint.\n--f\nContent-Type: message/feedback-report\n\n"
    f"Feedback-Type: abuse\nUser-Agent: Invented/1\nVersion: 1\nOriginal-Mail-From: <{BACK}>\nOriginal-Rcpt-To: <{READER}>\n\n"
    "--f\nContent-Type: message/rfc822\n\nMessage-ID: <4711.invented@lab.example>\nSubject: Invented digest\n\nInvented.\n--f--\n",
)
HUMAN = mail(
    {"From": READER, "To": BACK, "Subject": "Re: Invented digest", "In-Reply-To": "<4711.invented@lab.example>"},
    "Thank you!\n",
)

CORPUS = {
    "postfix": (POSTFIX, NoticeKind.HARD, "5.1.1"),
    "exchange": (EXCHANGE, NoticeKind.HARD, "5.1.10"),
    "gmail": (GMAIL, NoticeKind.HARD, "5.1.1"),
    "bare status, finer diagnostic": (SENDMAIL_BARE, NoticeKind.HARD, "5.1.1"),
    "qmail": (QMAIL, NoticeKind.HARD, "5.1.1"),
    "comments in fields": (COMMENTED, NoticeKind.HARD, "5.1.1"),
    "full": (FULL, NoticeKind.SOFT, "5.2.2"),
    "expired": (EXPIRED, NoticeKind.SOFT, "4.4.7"),
    "no host": (NO_HOST, NoticeKind.SOFT, "5.4.4"),
    "policy": (POLICY, NoticeKind.POLICY, "5.7.1"),
    "unauthenticated": (DMARC, NoticeKind.POLICY, "5.7.26"),
    "too big": (SIZE, NoticeKind.POLICY, "5.3.4"),
    "delayed": (DELAYED, NoticeKind.DELAYED, "4.4.1"),
    "delivered": (DELIVERED, NoticeKind.DELIVERED, "2.0.0"),
    "relayed": (RELAYED, NoticeKind.DELIVERED, "2.1.9"),
    "read receipt": (RECEIPT, NoticeKind.AUTO_REPLY, None),
    "vacation": (VACATION, NoticeKind.AUTO_REPLY, None),
    "old vacation": (OLD_VACATION, NoticeKind.AUTO_REPLY, None),
    "x vacation": (X_VACATION, NoticeKind.AUTO_REPLY, None),
    "complaint": (COMPLAINT, NoticeKind.COMPLAINT, None),
    "an answer from a person": (HUMAN, NoticeKind.UNKNOWN, None),
}


@pytest.mark.parametrize("name", CORPUS)
def test_the_corpus_is_understood_and_attributed(name: str) -> None:
    octets, kind, status = CORPUS[name]
    for ends in (octets, octets.replace(b"\r\n", b"\n")):
        notice = read_notice(ends, SECRET)
        assert (notice.kind, notice.status, notice.delivery_id, notice.forged) == (kind, status, ID, False)


@pytest.mark.parametrize("octets", [POSTFIX, QMAIL, COMPLAINT, HUMAN])
def test_the_original_message_id_is_found(octets: bytes) -> None:
    assert read_notice(octets, SECRET).message_id == "<4711.invented@lab.example>"


def test_the_envelope_id_alone_attributes() -> None:
    octets = POSTFIX.replace(BACK.encode(), b"postmaster@lab.example")
    assert read_notice(octets, SECRET).delivery_id == ID


def test_a_delivered_to_header_alone_attributes() -> None:
    octets = f"Delivered-To: {BACK}\r\n".encode() + report(failed("5.1.1"), to="someone@lab.example")
    assert read_notice(octets, SECRET).delivery_id == ID


def test_an_address_in_capitals_attributes() -> None:
    assert read_notice(report(failed("5.1.1"), to=BACK.upper()), SECRET).delivery_id == ID


@pytest.mark.parametrize("octets", [each[0] for each in CORPUS.values()], ids=CORPUS)
def test_a_wrong_mac_is_forged(octets: bytes) -> None:
    notice = read_notice(octets, b"another secret")
    assert (notice.delivery_id, notice.forged) == (None, True)


def test_one_right_mac_among_wrong_ones_is_right() -> None:
    wrong = return_path(b"another", 1, "lab.example")
    assert read_notice(report(failed("5.1.1"), to=f"{wrong}, {BACK}"), SECRET).delivery_id == ID


def test_a_mac_is_not_good_for_another_delivery() -> None:
    moved = BACK.replace(f"+{ID}.", f"+{ID + 1}.")
    notice = read_notice(report(failed("5.1.1"), to=moved, returned=""), SECRET)
    assert (notice.delivery_id, notice.forged) == (None, True)


def test_without_any_claim_nothing_is_forged_and_nothing_attributed() -> None:
    notice = read_notice(report(failed("5.1.1"), to="postmaster@lab.example", returned=""), SECRET)
    assert (notice.delivery_id, notice.forged, notice.message_id) == (None, False, None)


def test_the_worst_of_several_recipients_decides() -> None:
    both = failed("2.0.0", action="relayed") + "\n\n" + failed("5.1.1")
    assert read_notice(report(both), SECRET).kind is NoticeKind.HARD


def test_the_same_notice_has_one_fingerprint_however_it_travelled() -> None:
    again = b"Received: from elsewhere by here\r\nDelivered-To: x@lab.example\r\n" + POSTFIX
    assert read_notice(POSTFIX, SECRET).fingerprint == read_notice(again, SECRET).fingerprint
    assert read_notice(POSTFIX, SECRET).fingerprint != read_notice(QMAIL, SECRET).fingerprint


@pytest.mark.parametrize("octets", [b"", b" \r\n ", b"not a mail", b"\x00\xff\xfe" * 50, b"{}\n", b"<html></html>"])
def test_what_is_no_mail_is_refused_in_a_sentence(octets: bytes) -> None:
    with pytest.raises(UsageError, match="mail message"):
        read_notice(octets, SECRET)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(UsageError, match="more than any notice"):
        read_notice(b"From: x\r\n\r\n" + b"a" * MAX_OCTETS, SECRET)


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind"),
    [
        ("5.1.1", "", NoticeKind.HARD),
        ("5.1.2", "", NoticeKind.HARD),
        ("5.2.1", "", NoticeKind.HARD),
        ("5.1.8", "", NoticeKind.POLICY),
        ("5.0.0", "550 no such user", NoticeKind.SOFT),
        (None, "550 5.1.1 gone", NoticeKind.HARD),
        (None, "", NoticeKind.SOFT),
        ("5.1.1", "550 5.7.1 policy", NoticeKind.HARD),
    ],
)
def test_failures_are_judged_by_the_finest_code(status: str | None, diagnostic: str, kind: NoticeKind) -> None:
    assert judge_failure(status, diagnostic) is kind


def damage(rng: random.Random, octets: bytes) -> bytes:
    damaged = bytearray(octets)
    for _ in range(rng.randint(1, 12)):
        at = rng.randrange(len(damaged))
        action = rng.randrange(5)
        if action == 0:
            damaged[at] = rng.randrange(256)
        elif action == 1:
            del damaged[at : at + rng.randint(1, 60)]
        elif action == 2:
            damaged[at:at] = rng.choice(
                (
                    b"\r\n",
                    b"\n\n",
                    b"--invented",
                    b"=?utf-8?b?/w==?=",
                    b"\xff\x00",
                    b";",
                    b'"',
                    b"Content-Type: message/rfc822\r\n\r\n",
                )
            )
        elif action == 3:
            damaged[at:at] = damaged[at : at + rng.randint(1, 200)]
        else:
            del damaged[at:]
        if not damaged:
            damaged = bytearray(b"x")
    return bytes(damaged)


def fuzz(seed: int, count: int) -> None:
    rng = random.Random(seed)
    corpus = [each[0] for each in CORPUS.values()]
    for _ in range(count):
        octets = damage(rng, rng.choice(corpus))
        try:
            notice = read_notice(octets, SECRET)
        except UsageError:
            continue
        assert notice.delivery_id in (None, ID)


def test_damaged_notices_never_crash() -> None:
    fuzz(1, 3000)


@pytest.mark.torture
def test_a_hundred_thousand_damaged_notices_never_crash() -> None:
    fuzz(2, 100_000)
