"""Letters go out once, wait when they must, stop when they should, and their readers may leave until the last moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from monitor.core.delivery import Envelope, Outcome
from monitor.errors import MailUnavailable
from monitor.mail.bounces import envelope_id, read_notice, return_path
from monitor.mail.conversation import Deadlines
from monitor.mail.message import Marks, splice
from monitor.mail.smtp import SmtpTransport
from monitor.services.bouncing import Bouncing
from monitor.services.delivering import Delivering, Rules
from monitor.storage.engine import Database
from monitor.storage.tables import BounceRow, EventRow, PersonRow, SubscriptionRow, SuppressionRow
from tests.letters import template
from tests.outbox import SECRET, START, SetClock, attempts, fill, rows
from tests.smtp_server import Relay, Script


def people(count: int) -> list[str]:
    return people_at("lab.example", count)


def people_at(domain: str, count: int) -> list[str]:
    return [f"reader{number}@{domain}" for number in range(count)]


@contextmanager
def delivering(database: Database, relay: Relay, clock: SetClock, rules: Rules | None = None) -> Iterator[Delivering]:
    deadlines = Deadlines(connect=2, setup=2, transaction=2, dot=0.5)
    transport = SmtpTransport(
        "127.0.0.1", relay.port, security="none", local_hostname="monitor.lab.example", deadlines=deadlines
    )
    yield Delivering(
        database, transport, clock, secret=SECRET, domain="lab.example", owner="test", rules=rules, jitter=lambda: 0.0
    )
    transport.close()


class Between:
    """A transport in front of the real one that lets something happen at a chosen mail."""

    def __init__(self, inner: SmtpTransport, moments: dict[int, Callable[[], object]]) -> None:
        self.inner, self.moments, self.count = inner, moments, 0

    def send(self, envelope: Envelope, message: bytes, before_dot: Callable[[], None]) -> Outcome:
        self.count += 1
        outcome = self.inner.send(envelope, message, before_dot)
        self.moments.get(self.count, lambda: None)()
        return outcome

    def close(self) -> None:
        self.inner.close()


def test_everyone_gets_their_own_letter_once(database: Database) -> None:
    ids = fill(database, people(7))
    clock = SetClock()
    with Relay() as relay, delivering(database, relay, clock) as sender:
        report = sender.run()
        assert (report.sent, report.failed, report.stopped) == (7, 0, None)
        assert sender.run().sent == 0
        taken = {each.recipient: each for each in relay.accepted}
    assert len(relay.accepted) == len(taken) == 7
    for id, row in rows(database).items():
        got = taken[row.address]
        assert got.sender == return_path(SECRET, id, "lab.example")
        assert f"ENVID={envelope_id(SECRET, id)}" in got.mail_command
        assert f"\r\nTo: {row.address}\r\n".encode() in got.octets
        assert f"/u/token-of-invented-person-{row.person_id:07}".encode() in got.octets
        assert (row.state, row.tries, row.sent_at) == ("sent", 1, clock.at)
    assert [(each.delivery_id, each.outcome, each.code, each.phase) for each in attempts(database)] == [
        (id, "sent", 250, "dot") for id in ids
    ]


def test_bounces_come_back_to_an_international_domain_as_punycode(sqlite_database: Database) -> None:
    fill(sqlite_database, people(1))
    with Relay() as relay:
        transport = SmtpTransport("127.0.0.1", relay.port, security="none", local_hostname="x.example")
        sender = Delivering(
            sqlite_database, transport, SetClock(), secret=SECRET, domain="bücher.example", owner="test"
        )
        assert sender.run().sent == 1
        assert relay.accepted[0].sender.endswith("@xn--bcher-kva.example")


def test_a_limit_bounds_a_run(database: Database) -> None:
    fill(database, people(5))
    with Relay() as relay, delivering(database, relay, SetClock()) as sender:
        assert [sender.run(limit=2).sent for _ in range(4)] == [2, 2, 1, 0]


def test_a_run_stops_between_letters_and_gives_the_rest_back(database: Database) -> None:
    fill(database, people(5))
    with Relay() as relay, delivering(database, relay, SetClock()) as sender:
        assert sender.run(stop=lambda: len(relay.accepted) >= 2).sent == 2
    assert sorted(row.state for row in rows(database).values()) == ["queued"] * 3 + ["sent"] * 2


def test_a_greylisted_letter_is_tried_again_after_growing_pauses_with_the_same_bytes(database: Database) -> None:
    (id,) = fill(database, people(1))
    clock = SetClock()
    with Relay(Script("rcpt", "450 4.7.1 greylisted", times=4)) as relay, delivering(database, relay, clock) as sender:
        for minutes in (1, 5, 15, 60):
            assert sender.run().retried == 1
            assert rows(database)[id].next_at == clock.at + timedelta(minutes=minutes)
            clock.advance(minutes=minutes, seconds=-1)
            assert sender.run().tried == 0
            clock.advance(seconds=1)
        assert sender.run().sent == 1
    (taken,) = relay.accepted
    assert b"Date: Mon, 23 Nov 2026 06:00:00 +0000" in taken.octets
    assert [each.outcome for each in attempts(database)] == ["retry"] * 4 + ["sent"]


def test_a_letter_is_given_up_three_days_after_its_first_try(database: Database) -> None:
    (id,) = fill(database, people(1))
    clock = SetClock()
    clock.advance(days=10)
    with Relay(Script("rcpt", "450 4.7.1 never")) as relay, delivering(database, relay, clock) as sender:
        tries = 0
        while rows(database)[id].state == "queued":
            tries += sender.run().tried
            clock.advance(hours=1)
            assert tries < 100
    row = rows(database)[id]
    assert row.state == "failed"
    assert timedelta(days=13) <= clock.at - row.created_at <= timedelta(days=13, hours=3)
    with database.read() as session:
        assert session.scalars(select(SuppressionRow)).all() == []


def test_no_such_address_is_suppressed_at_once_and_logged(database: Database) -> None:
    first = fill(database, people(1))
    clock = SetClock()
    with (
        Relay(Script("rcpt", "550 5.1.1 no such user", times=1)) as relay,
        delivering(database, relay, clock) as sender,
    ):
        assert sender.run().failed == 1
        second = fill(database, people(1), slot="2026-11-30")
        assert sender.run().cancelled == 1
        assert relay.accepted == []
    states = rows(database)
    assert [states[id].state for id in (*first, *second)] == ["failed", "cancelled"]
    assert "suppressed: hard bounce" in states[second[0]].error
    with database.read() as session:
        event = session.scalars(select(EventRow)).one()
        assert (event.action, event.actor) == ("suppression.add", "mail delivery")


@pytest.mark.parametrize("reply", ["554 5.7.1 policy", "530 5.7.0 log in first", "535 5.7.8 no", "552 5.3.4 too big"])
@pytest.mark.parametrize(("phase", "tries"), [("mail", 1), ("rcpt", 2)])
def test_our_own_faults_stop_the_run_and_never_suppress(database: Database, reply: str, phase: str, tries: int) -> None:
    fill(database, [*people(2), *people_at("other.example", 2), "third@third.example"])
    with Relay(Script(phase, reply)) as relay, delivering(database, relay, SetClock()) as sender:
        report = sender.run()
        assert report.retried == tries
        if phase == "mail":
            assert reply.split(maxsplit=1)[0] in report.stopped
        else:
            assert report.stopped == "two domains in a row refuse us: lab.example and other.example"
    assert [row.state for row in rows(database).values()] == ["queued"] * 5
    with database.read() as session:
        assert session.scalars(select(SuppressionRow)).all() == []
        assert session.scalars(select(BounceRow)).all() == []


def test_ten_refusals_of_us_in_a_row_open_the_breaker_for_an_hour(database: Database) -> None:
    fill(database, people(15))
    clock = SetClock()
    script = Script("mail", "550 5.7.1 not you", times=10)
    with Relay(script) as relay, delivering(database, relay, clock) as sender:
        for _ in range(10):
            assert sender.run().stopped
        connections = relay.connections
        clock.advance(minutes=59)
        resting = sender.run()
        assert "10 times in a row" in resting.stopped
        assert relay.connections == connections
        clock.advance(minutes=1)
        assert sender.run().sent == 15


BLOCKED = Script("rcpt", "550 5.7.1 we take no mail from you", domain="blocked.example")


def test_a_domain_that_refuses_us_waits_and_holds_up_nobody_else(database: Database) -> None:
    blocked = fill(database, people_at("blocked.example", 30))
    good = fill(database, people_at("good.example", 40), slot="2026-11-24")
    clock = SetClock()
    with Relay(BLOCKED) as relay, delivering(database, relay, clock) as sender:
        report = sender.run()
        assert (report.sent, report.retried, report.stopped) == (40, 1, None)
        assert {rows(database)[id].next_at for id in blocked} == {clock.at + timedelta(minutes=1)}
        for minutes in (1, 5, 15, 60, 60):
            clock.advance(minutes=minutes)
            assert (sender.run().tried, sender.run().tried) == (1, 0)
    assert [rows(database)[id].state for id in good] == ["sent"] * 40
    assert [rows(database)[id].state for id in blocked] == ["queued"] * 30


def test_a_domain_that_relents_gets_all_its_letters_at_once(sqlite_database: Database) -> None:
    fill(sqlite_database, people_at("blocked.example", 30))
    clock = SetClock()
    script = Script("rcpt", BLOCKED.fault, domain="blocked.example", times=3)
    with Relay(script) as relay, delivering(sqlite_database, relay, clock) as sender:
        for minutes in (1, 5, 15):
            assert sender.run().retried == 1
            clock.advance(minutes=minutes)
        assert sender.run().sent == 30


def test_all_that_waited_three_days_for_a_domain_is_given_up_together(database: Database) -> None:
    waited = fill(database, people_at("blocked.example", 5))
    clock = SetClock()
    with Relay(BLOCKED) as relay, delivering(database, relay, clock) as sender:
        sender.run()
        clock.advance(days=2)
        sender.run()
        late = fill(database, ["late@blocked.example"], slot="2026-11-25", at=clock.at)
        other = fill(database, ["ada@unblocked.example"], slot="2026-11-26", at=START + timedelta(days=9))
        clock.advance(days=1)
        assert sender.run().retried == 1
        clock.advance(minutes=1)
        assert sender.run().failed == 5
    states = rows(database)
    assert [states[id].state for id in (*waited, *late, *other)] == ["failed"] * 5 + ["queued"] * 2
    assert "blocked.example has refused us since 2026-11-23 06:00 UTC" in states[waited[4]].error
    with database.read() as session:
        assert session.scalars(select(SuppressionRow)).all() == []
        assert session.scalars(select(BounceRow)).all() == []


def test_letters_never_refused_are_not_given_up_with_one_that_is(sqlite_database: Database) -> None:
    ids = fill(sqlite_database, people_at("blocked.example", 3))
    clock = SetClock()
    with Relay() as relay:
        pass
    with delivering(sqlite_database, relay, clock) as sender:
        assert sender.run().stopped
    clock.advance(days=4)
    with Relay(BLOCKED) as relay, delivering(sqlite_database, relay, clock) as sender:
        assert sender.run().retried == 1
        clock.advance(minutes=1)
        assert sender.run().failed == 1
    assert [rows(sqlite_database)[id].state for id in ids] == ["failed", "queued", "queued"]


def test_one_domain_never_opens_the_breaker_two_do(database: Database) -> None:
    fill(database, people_at("blocked.example", 3))
    clock = SetClock()
    with Relay(Script("rcpt", BLOCKED.fault)) as relay, delivering(database, relay, clock) as sender:
        for _ in range(12):
            assert (sender.run().retried, sender.run().stopped) == (1, None)
            clock.advance(hours=1)
        fill(database, ["ada@other.example"], slot="2026-11-24")
        assert "two domains in a row" in sender.run().stopped
        assert "in a row" in sender.run().stopped
        connections = relay.connections
        clock.advance(minutes=59)
        assert "10 times in a row" in sender.run().stopped
        assert relay.connections == connections


def test_a_domain_is_told_from_one_that_ends_like_it(database: Database) -> None:
    fill(
        database,
        ["ada@blocked.example", "grace@sub.blocked.example", "alan@notblocked.example", "lise@bLocked.example"],
    )
    with Relay(BLOCKED) as relay, delivering(database, relay, SetClock()) as sender:
        assert sender.run().sent == 2
    assert {each.recipient for each in relay.accepted} == {"grace@sub.blocked.example", "alan@notblocked.example"}


def test_a_relay_out_of_reach_stops_the_run_and_is_tried_again(database: Database) -> None:
    fill(database, people(3))
    clock = SetClock()
    with Relay() as relay:
        pass
    with delivering(database, relay, clock) as sender, pytest.raises(MailUnavailable, match="connect"):
        sender.send()
    clock.advance(minutes=1)
    with Relay() as relay, delivering(database, relay, clock) as sender:
        assert sender.send().sent == 3


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("code", ["450 4.2.0", "452 4.2.2", "550 5.1.1", "550 5.7.1", "554 5.6.0", "421 4.3.2"])
def test_no_address_reaches_a_log_whatever_the_relay_says(sqlite_database: Database, phase: str, code: str) -> None:
    (id,) = fill(sqlite_database, people(1))
    said = f"{code} <reader0@lab.example> via <{return_path(SECRET, id, 'lab.example')}>: no"
    with (
        Relay(Script(phase, said)) as relay,
        delivering(sqlite_database, relay, SetClock()) as sender,
        capture_logs() as logs,
    ):
        sender.run()
    (told,) = (each for each in logs if each["event"] == "letter not delivered")
    assert (told["delivery"], told["phase"], told["code"], told["status"]) == (
        id, phase, int(code[:3]), code[4:]
    )  # fmt: skip
    assert "lab.example" not in str(logs)
    assert "reader0@lab.example" in attempts(sqlite_database)[0].text


def test_a_log_says_why_the_relay_could_not_be_talked_to(sqlite_database: Database) -> None:
    fill(sqlite_database, people(1))
    with (
        Relay(Script("connect", "close")) as relay,
        delivering(sqlite_database, relay, SetClock()) as sender,
        capture_logs() as logs,
    ):
        sender.run()
    assert [(each["phase"], each["reason"]) for each in logs] == [("connect", "the relay closed the connection")]


_NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'invented: the disk is full' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER no_room BEFORE UPDATE ON delivery FOR EACH ROW
    WHEN (OLD.state = 'leased' AND NEW.state = 'queued') EXECUTE FUNCTION no_room()
"""


def test_claims_that_cannot_be_given_back_are_logged_and_run_out_by_themselves(postgres_database: Database) -> None:
    ids = fill(postgres_database, people(3))
    clock = SetClock()
    with Relay() as relay, delivering(postgres_database, relay, clock) as sender:
        with postgres_database.write() as session:
            session.execute(text(_NO_ROOM))
        try:
            with capture_logs() as logs:
                assert sender.run(stop=lambda: bool(relay.accepted)).sent == 1
        finally:
            with postgres_database.write() as session:
                session.execute(text("DROP FUNCTION no_room() CASCADE"))
        (told,) = logs
        assert told["deliveries"] == ids[1:]
        assert "run out of room" in told["reason"]
        clock.advance(minutes=15)
        assert sender.run().sent == 2


def test_a_relay_that_keeps_hanging_up_is_left_alone_after_two(database: Database) -> None:
    fill(database, people(9))
    with Relay(Script("rcpt", "close")) as relay, delivering(database, relay, SetClock()) as sender:
        report = sender.run()
    assert report.retried == 2
    assert "broke off" in report.stopped


def test_a_letter_in_doubt_cools_down_and_is_sent_once_more_with_the_same_bytes(database: Database) -> None:
    (id,) = fill(database, people(1))
    clock = SetClock()
    with Relay(Script("dot", "close", times=1)) as relay, delivering(database, relay, clock) as sender:
        assert sender.run().doubtful == 1
        assert rows(database)[id].state == "in_doubt"
        clock.advance(minutes=14)
        assert sender.run().tried == 0
        clock.advance(minutes=1)
        report = sender.run()
        assert (report.sent, report.resent) == (1, 1)
        first, second = relay.accepted
    assert first.octets == second.octets
    assert rows(database)[id].doubts == 1
    assert [each.outcome for each in attempts(database)] == ["in_doubt", "sent"]


def test_in_doubt_twice_is_given_up_and_said_so(database: Database) -> None:
    (id,) = fill(database, people(1))
    clock = SetClock()
    with Relay(Script("dot", "reset")) as relay, delivering(database, relay, clock) as sender:
        for _ in range(4):
            sender.run()
            clock.advance(hours=1)
        assert len(relay.accepted) == 2
    row = rows(database)[id]
    assert row.state == "failed"
    assert "in doubt twice" in row.error


def test_leaving_holds_before_the_next_letter(database: Database) -> None:
    ids = fill(database, people(4))
    clock = SetClock()

    def leave() -> None:
        with database.write() as session:
            session.get_one(SubscriptionRow, rows(database)[ids[2]].subscription_id).ended_at = clock.at
            session.get_one(PersonRow, rows(database)[ids[3]].person_id).disabled_at = clock.at

    with Relay() as relay:
        inner = SmtpTransport("127.0.0.1", relay.port, security="none", local_hostname="x.example")
        sender = Delivering(
            database, Between(inner, {2: leave}), clock, secret=SECRET, domain="lab.example", owner="test"
        )
        report = sender.run()
        assert (report.sent, report.cancelled) == (2, 2)
        assert {each.recipient for each in relay.accepted} == {"reader0@lab.example", "reader1@lab.example"}
    assert rows(database)[ids[2]].error == "unsubscribed"


def test_a_claim_taken_over_during_the_talk_is_not_finished(database: Database) -> None:
    (id,) = fill(database, people(1))
    clock, other = SetClock(), SetClock()
    other.advance(minutes=20)
    with Relay() as relay, delivering(database, relay, other) as second:
        inner = SmtpTransport("127.0.0.1", relay.port, security="none", local_hostname="x.example")

        class Slow:
            def send(self, envelope: Envelope, message: bytes, before_dot: Callable[[], None]) -> Outcome:
                def late() -> None:
                    assert second.run().sent == 1
                    before_dot()

                return inner.send(envelope, message, late)

            def close(self) -> None:
                inner.close()

        first = Delivering(database, Slow(), clock, secret=SECRET, domain="lab.example", owner="slow")
        report = first.run()
        assert (report.sent, report.tried) == (0, 0)
        assert len(relay.accepted) == 1
    assert rows(database)[id].state == "sent"


def test_an_address_that_needs_smtputf8_fails_with_that_reason(database: Database) -> None:
    (id,) = fill(database, ["грейс@lab.example"])
    with Relay(Script(features=())) as relay, delivering(database, relay, SetClock()) as sender:
        assert sender.run().failed == 1
    assert "SMTPUTF8" in rows(database)[id].error
    with database.read() as session:
        assert session.scalars(select(SuppressionRow)).all() == []


def test_a_damaged_template_fails_its_letters_and_no_others(database: Database) -> None:
    (bad,) = fill(database, people(1), message=b"not a template")
    (good,) = fill(database, ["other@lab.example"], slot="2026-11-30")
    with Relay() as relay, delivering(database, relay, SetClock()) as sender:
        report = sender.run()
    assert (report.sent, report.failed) == (1, 1)
    assert "not a template" in rows(database)[bad].error
    assert rows(database)[good].state == "sent"


@pytest.mark.parametrize("reply", ["552 5.2.2 mailbox full", "452 4.2.2 mailbox full"])
def test_four_full_mailboxes_in_a_row_close_an_address(database: Database, reply: str) -> None:
    clock = SetClock()
    with Relay(Script("rcpt", reply)) as relay, delivering(database, relay, clock) as sender:
        for week in range(4):
            slot = f"2026-12-{week + 1:02}"
            fill(database, people(1), slot=slot, at=clock.at)
            with database.read() as session:
                assert session.scalars(select(SuppressionRow)).all() == []
            for _ in range(4):
                sender.run()
                clock.advance(hours=25)
    with database.read() as session:
        closed = session.scalars(select(SuppressionRow)).one()
        assert closed.reason.startswith("soft bounces: 4")
        assert len(session.scalars(select(BounceRow)).all()) == 4


def test_a_relay_short_of_room_is_no_full_mailbox(sqlite_database: Database) -> None:
    fill(sqlite_database, people(1))
    clock = SetClock()
    with Relay(Script("rcpt", "452 4.3.1 no room")) as relay, delivering(sqlite_database, relay, clock) as sender:
        sender.run()
        clock.advance(days=4)
        assert sender.run().failed == 1
    with sqlite_database.read() as session:
        assert session.scalars(select(BounceRow)).all() == []


def dsn(id: int, status: str, action: str = "failed", secret: bytes = SECRET, number: int = 1) -> bytes:
    return (
        f"Return-Path: <>\r\nMessage-ID: <notice-{number}@relay.example>\r\nFrom: Invented mailer <MAILER-DAEMON@relay.example>\r\n"
        f"To: {return_path(secret, id, 'lab.example')}\r\nSubject: Undelivered\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nInvented words.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n\r\n"
        f"Final-Recipient: rfc822; reader0@lab.example\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n"
    ).encode()


def test_a_hard_bounce_suppresses_at_once_and_twice_is_once(database: Database) -> None:
    (id,) = fill(database, people(1))
    clock = SetClock()
    with Relay() as relay, delivering(database, relay, clock) as sender:
        sender.run()
    bouncing = Bouncing(database, clock, secret=SECRET)
    first = bouncing.receive(dsn(id, "5.1.1"))
    assert (first.suppressed, first.delivery_id, first.address) == (True, id, "reader0@lab.example")
    again = bouncing.receive(b"Received: from elsewhere\r\n" + dsn(id, "5.1.1"))
    assert (again.known, again.suppressed) == (True, False)
    row = rows(database)[id]
    assert row.state == "failed"
    assert "5.1.1" in row.error


def test_a_forged_bounce_does_nothing(database: Database) -> None:
    (id,) = fill(database, people(1))
    result = Bouncing(database, SetClock(), secret=SECRET).receive(dsn(id, "5.1.1", secret=b"guessed"))
    assert result.delivery_id is None
    assert "signature" in result.summary
    with database.read() as session:
        assert session.scalars(select(SuppressionRow)).all() == []
        assert session.scalars(select(BounceRow)).all() == []


def test_four_soft_bounces_in_a_row_suppress_and_a_letter_between_starts_over(database: Database) -> None:
    clock = SetClock()
    bouncing = Bouncing(database, clock, secret=SECRET)
    soft = [True, True, True, False, True, True, True, True]
    outcomes = []
    with Relay() as relay, delivering(database, relay, clock) as sender:
        for week, bounces in enumerate(soft):
            (id,) = fill(database, people(1), slot=f"2026-12-{week + 1:02}")
            assert sender.run().sent == 1
            if bounces:
                outcomes.append(bouncing.receive(dsn(id, "4.4.7", number=week)).suppressed)
                bouncing.receive(dsn(id, "4.4.7", number=100 + week))
    assert outcomes == [False] * 6 + [True]


@pytest.mark.parametrize(
    ("status", "action"), [("5.7.1", "failed"), ("4.4.1", "delayed"), ("2.0.0", "delivered"), ("5.3.4", "failed")]
)
def test_policy_delay_and_success_never_suppress(database: Database, status: str, action: str) -> None:
    clock = SetClock()
    bouncing = Bouncing(database, clock, secret=SECRET)
    with Relay() as relay, delivering(database, relay, clock) as sender:
        for week in range(6):
            (id,) = fill(database, people(1), slot=f"2026-12-{week + 1:02}")
            assert sender.run().sent == 1
            assert not bouncing.receive(dsn(id, status, action, number=week)).suppressed


def test_a_notice_of_delivery_ends_a_doubt(database: Database) -> None:
    (id,) = fill(database, people(1))
    clock = SetClock()
    with Relay(Script("dot", "close", times=1)) as relay, delivering(database, relay, clock) as sender:
        sender.run()
        Bouncing(database, clock, secret=SECRET).receive(dsn(id, "2.0.0", "delivered"))
        clock.advance(days=1)
        assert sender.run().tried == 0
    assert rows(database)[id].state == "sent"


def test_the_notice_of_one_delivery_is_attributed_without_its_address() -> None:
    notice = read_notice(dsn(5, "5.1.1"), SECRET)
    assert (notice.delivery_id, notice.forged) == (5, False)


def test_a_letter_in_a_file_is_the_letter_on_the_wire(database: Database) -> None:
    (id,) = fill(database, people(1))
    with Relay() as relay, delivering(database, relay, SetClock()) as sender:
        sender.run()
    row = rows(database)[id]
    marks = Marks(row.address, f"token-of-invented-person-{row.person_id:07}", row.message_id, row.dated_at)
    assert relay.accepted[0].octets == splice(template(), marks)
