"""Whatever octets a notice carries, and however they are encoded, it is read and kept on both databases."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from structlog.testing import capture_logs

from monitor.core.delivery import NoticeKind
from monitor.mail.bounces import read_notice, return_path
from monitor.services.bouncing import Bouncing
from monitor.storage.engine import Database
from monitor.storage.tables import BounceRow
from tests.outbox import SECRET, SetClock, fill, rows

READER = "reader0@lab.example"


def encoded(encoding: str, octets: bytes) -> bytes:
    if encoding == "base64":
        return base64.encodebytes(octets)
    return quopri.encodestring(octets) if encoding == "quoted-printable" else octets


def shaped(shape: str, encoding: str, odd: bytes, to: str, number: int = 0) -> bytes:
    """Return an invented notice with odd octets in a place of it that is read and kept."""
    heads = [b"From: MAILER-DAEMON@relay.example", b"To: " + to.encode(), b"Message-ID: <%d@relay.example>" % number]
    body = {
        "text": b"Hi. This is the qmail-send program at relay.example.\n"
        b"I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
        b"<reader0@lab.example>:\nRemote host said: 550 5.1.1 no" + odd + b"such user\n\n"
        b"--- Below this line is a copy of the message.\n\nMessage-ID: <a" + odd + b"b@lab.example>\n",
        "status": b"Reporting-MTA: dns; relay.example\n\nFinal-Recipient: rfc822; reader0" + odd + b"@lab.example\n"
        b"Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 a" + odd + b"b\n",
        "headers": b"Message-ID: <a" + odd + b"b@lab.example>\nSubject: invented\n",
        "subject": b"Invented words.\n",
    }[shape]
    kind = {"status": b"message/delivery-status", "headers": b"text/rfc822-headers"}.get(shape, b"text/plain")
    if shape == "subject":
        heads.append(b"Auto-Submitted: auto-replied\nSubject: away " + odd.replace(b"\n", b" ").replace(b"\r", b" "))
    part = b"Content-Type: %b\nContent-Transfer-Encoding: %b\n\n%b" % (kind, encoding.encode(), encoded(encoding, body))
    heads += [b"MIME-Version: 1.0"]
    if shape in ("text", "subject"):
        return b"\n".join((*heads, part))
    heads.append(b"Content-Type: multipart/report; report-type=delivery-status; boundary=b")
    return b"\n".join((*heads, b"", b"--b", part, b"--b--", b""))


def test_a_nul_behind_quoted_printable_is_dropped_and_the_notice_acted_on(database: Database) -> None:
    (id,) = fill(database, [READER])
    notice = shaped("text", "quoted-printable", b"\x00", return_path(SECRET, id, "lab.example"))
    received = Bouncing(database, SetClock(), secret=SECRET).receive(notice)
    assert (received.delivery_id, received.suppressed) == (id, True)
    with database.read() as session:
        kept = session.scalars(select(BounceRow)).one()
    assert "5.1.1" in kept.text
    assert "\0" not in kept.text


@pytest.mark.parametrize("shape", ["text", "headers"])
def test_a_nul_in_a_quoted_message_id_names_nothing_and_breaks_nothing(database: Database, shape: str) -> None:
    fill(database, [READER])
    notice = shaped(shape, "quoted-printable", b"\x00", "someone@lab.example")
    received = Bouncing(database, SetClock(), secret=SECRET).receive(notice)
    assert (received.delivery_id, received.known) == (None, False)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.sampled_from(("text", "status", "headers", "subject")),
    encoding=st.sampled_from(("7bit", "8bit", "quoted-printable", "base64")),
    odd=st.one_of(
        st.binary(max_size=12),
        st.sampled_from((b"\x00", b"\x01\x7f", b"\xed\xa0\x80", b"\xff\xfe", "\x85\u2028".encode(), b"\r", b"\n\n")),
    ),
    proven=st.booleans(),
)
def test_any_octets_anywhere_are_kept_on_postgresql(
    postgres_database: Database, shape: str, encoding: str, odd: bytes, proven: bool
) -> None:
    database = postgres_database
    if not rows(database):
        fill(database, [READER])
    with database.read() as session:
        number = len(session.scalars(select(BounceRow.id)).all())
    to = return_path(SECRET, min(rows(database)), "lab.example") if proven else "someone@lab.example"
    Bouncing(database, SetClock(), secret=SECRET).receive(shaped(shape, encoding, odd, to, number))
    with database.read() as session:
        texts = session.scalars(select(BounceRow.text).order_by(BounceRow.id)).all()
    assert len(texts) == number + 1
    assert not any(ord(character) < 32 for character in texts[-1] or "")


@pytest.mark.parametrize("diagnostic", ["550 5.7.1 <reader0@lab.example> takes no mail from you", ""])
def test_no_address_reaches_a_log_when_a_receiver_refuses_us(sqlite_database: Database, diagnostic: str) -> None:
    (id,) = fill(sqlite_database, [READER])
    with capture_logs() as logs:
        received = Bouncing(sqlite_database, SetClock(), secret=SECRET).receive(
            b"From: MAILER-DAEMON@relay.example\nTo: %b\nMIME-Version: 1.0\n"
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
            b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\n"
            b"Final-Recipient: rfc822; reader0@lab.example\nAction: failed\nStatus: 5.7.1\n"
            b"Diagnostic-Code: smtp; %b\n\n--b--\n"
            % (return_path(SECRET, id, "lab.example").encode(), diagnostic.encode())
        )
    assert received.kind is NoticeKind.POLICY
    assert [(each["delivery"], each["status"]) for each in logs] == [(id, "5.7.1")]
    assert "lab.example" not in str(logs)


def test_no_address_reaches_a_log_when_a_notice_trips_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    def trip(_: object) -> None:
        raise KeyError(READER)

    monkeypatch.setattr("monitor.mail.bounces.all_failures", trip)
    with capture_logs() as logs:
        read_notice(shaped("text", "7bit", b"", READER), SECRET)
    assert [each["reason"] for each in logs] == ["KeyError"]
