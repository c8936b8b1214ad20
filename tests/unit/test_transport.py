"""Where mail goes: URLs read whole, a relay spoken to correctly, a folder that never loses or overwrites a mail."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from monitor.core.delivery import Envelope, Fate, Outcome, Verdict, judge, wait_before_next
from monitor.errors import SettingsError
from monitor.mail.folder import FolderTransport
from monitor.mail.smtp import SmtpTransport, ehlo_name
from monitor.mail.transport import FolderRoute, SmtpRoute, open_transport, parse_mail_url
from tests.smtp_server import Relay, Script

ENVELOPE = Envelope(
    "bounce+7.0011223344556677@lab.example", "grace@lab.example", "7.0011223344556677", "<7@lab.example>"
)
MESSAGE = b"Subject: invented\r\n\r\nInvented text.\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def nothing() -> None:
    pass


def once(sender: SmtpTransport, envelope: Envelope, message: bytes) -> Outcome:
    with contextlib.closing(sender):
        return sender.send(envelope, message, nothing)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def plain(relay: Relay, **more: object) -> SmtpTransport:
    return SmtpTransport("127.0.0.1", relay.port, security="none", local_hostname="monitor.lab.example", **more)


def secure(
    relay: Relay,
    context: ssl.SSLContext,
    security: str = "starttls",
    user: str | None = "ada",
    password: str | None = "invented secret",
) -> SmtpTransport:
    return SmtpTransport(
        "localhost",
        relay.port,
        security=security,
        local_hostname="monitor.lab.example",
        user=user,
        password=password,
        context=context,
    )


# URLs


@pytest.mark.parametrize(
    ("url", "route"),
    [
        ("smtps://mail.lab.example", SmtpRoute("mail.lab.example", 465, "tls")),
        ("smtp://mail.lab.example", SmtpRoute("mail.lab.example", 587, "starttls")),
        (
            "smtp://ada:p%40ss%2Fword@mail.lab.example:2525",
            SmtpRoute("mail.lab.example", 2525, "starttls", "ada", "p@ss/word"),
        ),
        ("smtp://127.0.0.1:2525?tls=none", SmtpRoute("127.0.0.1", 2525, "none")),
        ("smtp://[::1]:2525/?tls=none", SmtpRoute("::1", 2525, "none")),
        ("smtp://relay.lab.example?tls=none", SmtpRoute("relay.lab.example", 25, "none")),
        ("file:var/mail", FolderRoute(Path("var/mail"))),
        ("file:///srv/invented%20mail", FolderRoute(Path("/srv/invented mail"))),
    ],
)
def test_mail_urls(url: str, route: object) -> None:
    assert parse_mail_url(url, plain_relays=["Relay.lab.example"]) == route


@pytest.mark.parametrize(
    ("url", "problems"),
    [
        ("http://x.example", ["write smtps://"]),
        ("smtp://", ["host is missing"]),
        ("smtp://x.example:99999", ["cannot be read"]),
        ("smtp://x.example?tls=none", ["neither"]),
        ("smtp://ada:s3cret@x.example?tls=none&a=b", ["unknown option 'a'", "neither", "needs TLS"]),
        ("smtps://x.example?tls=none", ["smtps:// is TLS"]),
        ("smtps://x.example?tls=yes", ["only value"]),
        ("smtp://ada@x.example", ["come together"]),
        ("smtp://ada:s3cret%0d%0a@x.example/path", ["nothing may follow", "line break"]),
        ("file:", ["needs a folder"]),
        ("file://elsewhere/mail", ["file:DIR"]),
    ],
)
def test_every_problem_of_a_mail_url_is_named_and_no_password_shown(url: str, problems: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_mail_url(url)
    assert len(caught.value.problems) == len(problems)
    for found, wanted in zip(caught.value.problems, problems, strict=True):
        assert wanted in found
    assert "s3cret" not in str(caught.value)


def test_a_route_does_not_show_its_password() -> None:
    assert "s3cret" not in repr(parse_mail_url("smtps://ada:s3cret@x.example"))


def test_a_context_that_does_not_verify_is_refused() -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with pytest.raises(ValueError, match="does not verify"):
        open_transport(parse_mail_url("smtps://x.example"), local_hostname="y.example", context=context)


def test_a_password_without_tls_is_refused_whoever_asks() -> None:
    with pytest.raises(ValueError, match="without TLS"):
        SmtpTransport("127.0.0.1", 25, security="none", local_hostname="x", user="ada", password="b")


@pytest.mark.parametrize(
    ("host", "name"),
    [("monitor.lab.example", "monitor.lab.example"), ("127.0.0.1", "[127.0.0.1]"), ("::1", "[IPv6:::1]")],
)
def test_ehlo_names(host: str, name: str) -> None:
    assert ehlo_name(host) == name


# The conversation


def test_one_connection_carries_many_mails_and_is_renewed_after_its_limit() -> None:
    with Relay() as relay:
        sender = plain(relay, reuse=3)
        outcomes = [sender.send(ENVELOPE, MESSAGE, nothing) for _ in range(7)]
        sender.close()
        assert all(each.fate is Fate.SENT and each.code == 250 and each.enhanced == "2.0.0" for each in outcomes)
        assert (len(relay.accepted), relay.connections) == (7, 3)
        assert relay.commands.count("QUIT") == 3
        assert "RSET" not in relay.commands


def test_what_arrives_is_what_was_sent_dots_and_all() -> None:
    message = b"Subject: invented\r\n\r\n.\r\n..\r\n.a\r\nb\r\n\r\n.QUIT\r\n"
    with Relay() as relay:
        once(plain(relay), ENVELOPE, message)
        once(plain(relay), ENVELOPE, b".x: y\r\n\r\nz")
        assert [each.octets for each in relay.accepted] == [message, b".x: y\r\n\r\nz\r\n"]


def test_bare_line_ends_cannot_smuggle_a_second_mail() -> None:
    message = b"Subject: invented\r\n\r\na\n.\nMAIL FROM:<x@y.example>\r.\r\nb\r\n"
    with Relay() as relay:
        once(plain(relay), ENVELOPE, message)
        assert [each.octets for each in relay.accepted] == [
            b"Subject: invented\r\n\r\na\r\n.\r\nMAIL FROM:<x@y.example>\r\n.\r\nb\r\n"
        ]


def test_bounces_are_asked_for_where_the_relay_knows_how() -> None:
    with Relay() as relay:
        once(plain(relay), ENVELOPE, MESSAGE)
        (taken,) = relay.accepted
    assert taken.mail_command == (
        "MAIL FROM:<bounce+7.0011223344556677@lab.example> SIZE=37 RET=HDRS ENVID=7.0011223344556677"
    )
    assert taken.rcpt_command == "RCPT TO:<grace@lab.example> NOTIFY=FAILURE,DELAY"


def test_a_simple_relay_is_not_asked_for_what_it_lacks() -> None:
    with Relay(Script(features=())) as relay:
        once(plain(relay), ENVELOPE, MESSAGE)
        (taken,) = relay.accepted
    assert taken.mail_command == "MAIL FROM:<bounce+7.0011223344556677@lab.example>"
    assert taken.rcpt_command == "RCPT TO:<grace@lab.example>"


def test_a_refusal_is_reset_and_the_connection_kept() -> None:
    with Relay(Script("rcpt", "550 5.1.1 no such user", times=1)) as relay:
        sender = plain(relay)
        refused, sent = (sender.send(ENVELOPE, MESSAGE, nothing) for _ in range(2))
        sender.close()
        assert judge(refused) is Verdict.HARD
        assert sent.fate is Fate.SENT
        assert relay.connections == 1
        assert relay.commands.count("RSET") == 1


def test_an_idle_connection_the_relay_has_closed_is_opened_again() -> None:
    with Relay(Script("mail", "421 4.4.2 idle too long", times=1)) as relay:
        sender = plain(relay)
        sender._connected()
        assert once(sender, ENVELOPE, MESSAGE).fate is Fate.SENT
        assert relay.connections == 2


def test_a_new_connection_refused_at_mail_is_not_tried_twice() -> None:
    with Relay(Script("mail", "421 4.3.2 closing")) as relay:
        assert once(plain(relay), ENVELOPE, MESSAGE).code == 421
        assert relay.connections == 1


def test_a_local_part_outside_ascii_needs_smtputf8() -> None:
    envelope = Envelope(ENVELOPE.sender, "грейс@lab.example", ENVELOPE.envid, ENVELOPE.message_id)
    with Relay() as relay:
        assert once(plain(relay), envelope, MESSAGE).fate is Fate.SENT
        assert relay.accepted[0].recipient == "грейс@lab.example"
        assert " SMTPUTF8" in relay.accepted[0].mail_command
    with Relay(Script(features=())) as relay:
        sender = plain(relay)
        outcome = sender.send(envelope, MESSAGE, nothing)
        assert judge(outcome) is Verdict.REFUSED
        assert "SMTPUTF8" in outcome.text
        assert once(sender, ENVELOPE, MESSAGE).fate is Fate.SENT


def test_a_mail_too_large_for_the_relay_is_our_problem_and_not_offered() -> None:
    with Relay(Script(features=("SIZE 20",))) as relay:
        outcome = once(plain(relay), ENVELOPE, MESSAGE)
        assert judge(outcome) is Verdict.OURS
        assert not any(command.startswith("MAIL") for command in relay.commands)


# TLS and AUTH


@pytest.mark.parametrize("mechanisms", [("PLAIN", "LOGIN"), ("LOGIN",)])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_login_over_tls(
    security: str, mechanisms: tuple[str, ...], server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    script = Script(offer_tls=security == "starttls", auth=mechanisms, user=("ada", "invented secret"))
    with Relay(script, server_context, tls_first=security == "tls") as relay:
        sender = secure(relay, client_context, security)
        assert [sender.send(ENVELOPE, MESSAGE, nothing).fate for _ in range(2)] == [Fate.SENT] * 2
        sender.close()


def test_a_wrong_password_is_our_problem_and_never_shown(
    server_context: ssl.SSLContext,
    client_context: ssl.SSLContext,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    script = Script(offer_tls=True, auth=("PLAIN",), user=("ada", "another"))
    with Relay(script, server_context) as relay:
        outcome = once(secure(relay, client_context), ENVELOPE, MESSAGE)
    assert (outcome.phase, outcome.code, judge(outcome)) == ("auth", 535, Verdict.OURS)
    captured = capfd.readouterr()
    for text in (repr(outcome), caplog.text, captured.out, captured.err):
        assert "invented secret" not in text


def test_a_relay_without_starttls_is_not_spoken_to_in_the_clear(client_context: ssl.SSLContext) -> None:
    with Relay(Script(offer_tls=False, auth=("PLAIN",))) as relay:
        outcome = once(secure(relay, client_context), ENVELOPE, MESSAGE)
        assert (outcome.phase, outcome.text) == ("tls", "the relay does not offer STARTTLS")
        assert not any(command.startswith(("AUTH", "MAIL")) for command in relay.commands)


def test_a_certificate_nobody_vouches_for_is_refused(server_context: ssl.SSLContext) -> None:
    with Relay(Script(offer_tls=True), server_context) as relay:
        outcome = once(secure(relay, ssl.create_default_context(), user=None, password=None), ENVELOPE, MESSAGE)
        assert outcome.phase == "tls"
        assert "not to be trusted" in outcome.text


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA, client_context: ssl.SSLContext) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    with Relay(Script(offer_tls=True), context) as relay:
        outcome = once(secure(relay, client_context, user=None, password=None), ENVELOPE, MESSAGE)
        assert outcome.phase == "tls"
        assert "not to be trusted" in outcome.text


def test_words_in_the_clear_behind_starttls_are_an_attack(
    client_context: ssl.SSLContext, server_context: ssl.SSLContext
) -> None:
    with Relay(Script("tls", "220 go ahead\r\n250 injected", offer_tls=True), server_context) as relay:
        outcome = once(secure(relay, client_context), ENVELOPE, MESSAGE)
        assert (outcome.phase, outcome.fate) == ("tls", Fate.NOT_SENT)
        assert "in the clear" in outcome.text


class Keep:
    """An aiosmtpd handler that keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, list[str], bytes]] = []

    async def handle_DATA(self, server, session, envelope) -> str:
        self.kept.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 kept"


def check_login(server, session, envelope, mechanism, data) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ada", b"invented secret")
    return AuthResult(success=good)


def test_a_server_of_another_make_takes_mail_with_starttls_and_login(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    handler = Keep()
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=server_context,
        require_starttls=True,
        authenticator=check_login,
        auth_required=True,
        ident="invented",
    )
    controller.start()
    try:
        port = controller.port
        sender = SmtpTransport(
            "localhost",
            port,
            security="starttls",
            local_hostname="monitor.lab.example",
            user="ada",
            password="invented secret",
            context=client_context,
        )
        outcomes = [sender.send(ENVELOPE, MESSAGE, nothing) for _ in range(3)]
        sender.close()
    finally:
        controller.stop()
    assert [each.fate for each in outcomes] == [Fate.SENT] * 3
    assert handler.kept == [(ENVELOPE.sender, [ENVELOPE.recipient], MESSAGE)] * 3


# The folder


def test_a_folder_takes_mails_whole_under_names_of_their_own(tmp_path: Path) -> None:
    folder = FolderTransport(tmp_path / "a" / "mail")
    seen: list[list[str]] = []
    outcome = folder.send(ENVELOPE, MESSAGE, lambda: seen.append([each.suffix for each in folder.folder.glob("*.eml")]))
    assert outcome.fate is Fate.SENT
    assert seen == [[]]
    (path,) = folder.folder.iterdir()
    assert (path.name, path.read_bytes()) == ("7@lab.example.eml", MESSAGE)


def test_the_same_mail_twice_is_one_file_and_another_mail_is_never_overwritten(tmp_path: Path) -> None:
    folder = FolderTransport(tmp_path)
    for message in (MESSAGE, MESSAGE, b"another", b"another", MESSAGE):
        assert folder.send(ENVELOPE, message, nothing).fate is Fate.SENT
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {
        "7@lab.example.eml": MESSAGE,
        "7@lab.example-2.eml": b"another",
    }


def test_a_message_id_cannot_name_a_path(tmp_path: Path) -> None:
    envelope = Envelope(ENVELOPE.sender, ENVELOPE.recipient, "1", "<../../etc/x@lab.example>")
    FolderTransport(tmp_path / "mail").send(envelope, MESSAGE, nothing)
    (path,) = (tmp_path / "mail").iterdir()
    assert path.name.startswith("_.._etc_x@lab.example-")


def test_a_folder_that_cannot_be_written_is_away_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file, not a folder")
    outcome = FolderTransport(tmp_path / "mail").send(ENVELOPE, MESSAGE, nothing)
    assert judge(outcome) is Verdict.AWAY
    assert str(tmp_path / "mail") in outcome.text


def test_a_mail_given_up_before_the_dot_leaves_no_file(tmp_path: Path) -> None:
    def refuse() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        FolderTransport(tmp_path).send(ENVELOPE, MESSAGE, refuse)
    assert list(tmp_path.iterdir()) == []


# What replies mean


@pytest.mark.parametrize(
    ("phase", "code", "enhanced", "verdict"),
    [
        ("rcpt", 550, "5.1.1", Verdict.HARD),
        ("rcpt", 550, "5.1.10", Verdict.HARD),
        ("rcpt", 550, "5.2.1", Verdict.HARD),
        ("dot", 550, "5.1.1", Verdict.HARD),
        ("rcpt", 552, "5.2.2", Verdict.FULL),
        ("rcpt", 452, "4.2.2", Verdict.FULL),
        ("rcpt", 450, "4.7.1", Verdict.RETRY),
        ("rcpt", 421, None, Verdict.RETRY),
        ("rcpt", 550, None, Verdict.REFUSED),
        ("rcpt", 550, "5.4.1", Verdict.REFUSED),
        ("rcpt", 550, "5.7.1", Verdict.OURS),
        ("dot", 550, "5.7.26", Verdict.OURS),
        ("dot", 554, "5.6.0", Verdict.REFUSED),
        ("dot", 552, "5.3.4", Verdict.OURS),
        ("mail", 530, "5.5.1", Verdict.OURS),
        ("mail", 550, None, Verdict.OURS),
        ("mail", 553, "5.1.8", Verdict.OURS),
        ("rcpt", 550, "4.4.1", Verdict.RETRY),
        ("auth", 535, "5.7.8", Verdict.OURS),
        ("auth", 454, "4.7.0", Verdict.AWAY),
        ("connect", 554, None, Verdict.OURS),
        ("connect", None, None, Verdict.AWAY),
        ("rcpt", None, None, Verdict.RETRY),
    ],
)
def test_replies_are_judged_by_phase_and_enhanced_code(
    phase: str, code: int | None, enhanced: str | None, verdict: Verdict
) -> None:
    assert judge(Outcome(Fate.NOT_SENT, phase, code, enhanced)) is verdict


def test_pauses_grow_to_an_hour_with_jitter_on_top() -> None:
    minutes = [wait_before_next(tries, 0).total_seconds() / 60 for tries in (1, 2, 3, 4, 5, 50)]
    assert minutes == [1, 5, 15, 60, 60, 60]
    assert wait_before_next(1, 1).total_seconds() == 75
