"""The mail of one recipient: every part decodes to what was rendered, by two parsers, whatever it holds."""

from __future__ import annotations

import base64
import email
import email.policy
import random
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import MessageRefused
from monitor.mail.message import TOKEN_MARK, Marks, Sender, build_template, make_message_id, splice
from tests.letters import SENDER, TOKEN, UNSUBSCRIBE, InventedLetter, letter, template

MARKS = Marks("grace@lab.example", TOKEN, "<1.abc@lab.example>", datetime(2026, 11, 23, 6, 0, tzinfo=UTC))
BODIES = (
    "", "\n", "plain", "a" * 5000, "漢字" * 700, "é", "=", "==\n", ".\n..\n.", "From here\n", " trailing \t\n", "\r", "\r\n", "\n\n\n", "\t",
    "--=_\n", "Content-Transfer-Encoding: base64\n\nAAAA\n\n", "a =\n b", "\x00", "\x0b\x0c\x85\u2028", "𝒳", "x" * 75, "y" * 76, "z" * 77,
    UNSUBSCRIBE, TOKEN_MARK, TOKEN_MARK + TOKEN_MARK, "a" * 56 + TOKEN_MARK, "漢" * 19 + TOKEN_MARK + "字" * 19,
)  # fmt: skip


def read_by_hand(message: bytes) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Take a mail apart with RFC 2045 and 2046 at hand and nothing from the standard library's parser."""
    head, _, body = message.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().replace("\r\n ", " ").split("\r\n"))
    boundary = re.search(r'boundary="([^"]+)"', headers["Content-Type"])[1].encode()
    sections = (b"\r\n" + body).split(b"\r\n--" + boundary)
    assert sections[0] == b""
    assert sections[-1] == b"--\r\n"
    parts = []
    for section in sections[1:-1]:
        about, _, content = section.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        assert all(len(line) <= 76 for line in content.split(b"\r\n"))
        if b"quoted-printable" in about:
            assert not any(line.endswith((b" ", b"\t")) for line in content.split(b"\r\n"))
            joined = content.replace(b"=\r\n", b"")
            decoded = re.sub(rb"=([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), joined)
        else:
            assert b"Content-Transfer-Encoding: base64" in about
            lines = content.split(b"\r\n")
            decoded = base64.b64decode(b"".join(lines), validate=True)
        parts.append((about.split(b";")[0].decode().split(": ")[1], decoded.decode()))
    return headers, parts


def read_by_library(message: bytes) -> list[tuple[str, str]]:
    read = email.message_from_bytes(message, policy=email.policy.compat32)
    assert not read.defects
    return [(part.get_content_type(), part.get_payload(decode=True).decode()) for part in read.get_payload()]


def canonical(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\r\n", text)


def check(text: str, html: str, token: str) -> None:
    message = splice(
        build_template(InventedLetter("Invented", text, html), SENDER, UNSUBSCRIBE),
        Marks(MARKS.recipient, token, MARKS.message_id, MARKS.date),
    )
    wanted = [
        ("text/plain", canonical(text).replace(TOKEN_MARK, token)),
        ("text/html", canonical(html).replace(TOKEN_MARK, token)),
    ]
    assert read_by_hand(message)[1] == wanted
    assert read_by_library(message) == wanted
    assert message.isascii()
    assert message.count(b"\r\n") == message.count(b"\r") == message.count(b"\n")
    assert TOKEN_MARK.encode() not in message


def random_body(rng: random.Random) -> str:
    return "".join(rng.choice(BODIES) for _ in range(rng.randint(0, 8)))


def test_parts_decode_to_what_was_rendered_whatever_they_hold() -> None:
    rng = random.Random(11)
    for _ in range(1500):
        check(random_body(rng), random_body(rng), "t" * rng.randint(16, 64))


@pytest.mark.torture
def test_parts_decode_to_what_was_rendered_a_hundred_thousand_times() -> None:
    rng = random.Random(12)
    for _ in range(100_000):
        check(random_body(rng), random_body(rng), "t" * rng.randint(16, 64))


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_text_comes_back(text: str, html: str) -> None:
    check(text, UNSUBSCRIBE + html + UNSUBSCRIBE, TOKEN)


def test_headers_are_those_of_a_weekly_list() -> None:
    headers, parts = read_by_hand(splice(template(), MARKS))
    assert headers == {
        "Message-ID": "<1.abc@lab.example>",
        "Date": "Mon, 23 Nov 2026 06:00:00 +0000",
        "To": "grace@lab.example",
        "From": "Evidence Monitor <digest@lab.example>",
        "Reply-To": "ada@lab.example",
        "Subject": "Invented digest 2026-W48: 3 new",
        "List-Id": "Weekly digest <weekly.monitor.lab.example>",
        "List-Unsubscribe": f"<https://monitor.lab.example/u/{TOKEN}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Precedence": "bulk",
        "MIME-Version": "1.0",
        "Content-Type": headers["Content-Type"],
    }
    assert headers["Content-Type"].startswith("multipart/alternative;")
    assert [kind for kind, _ in parts] == ["text/plain", "text/html"]


def test_each_recipient_finds_their_own_link_in_header_and_both_parts() -> None:
    message = splice(template(), MARKS)
    headers, parts = read_by_hand(message)
    link = f"https://monitor.lab.example/u/{TOKEN}"
    assert link in headers["List-Unsubscribe"]
    assert all(link in text for _, text in parts)


def test_the_same_marks_give_the_same_bytes_from_a_fresh_template() -> None:
    assert splice(template(), MARKS) == splice(bytes(bytearray(template())), MARKS)


def test_english_is_quoted_printable_and_chinese_is_base64() -> None:
    assert template().count(b"Content-Transfer-Encoding: quoted-printable") == 2
    assert template(body="漢字" * 400).count(b"Content-Transfer-Encoding: base64") == 2


def test_a_date_is_written_in_utc_whatever_its_zone() -> None:
    date = datetime(2026, 3, 1, 2, 30, tzinfo=timezone(timedelta(hours=8)))
    message = splice(template(), Marks("a@lab.example", TOKEN, "<1@x>", date))
    assert b"\r\nDate: Sat, 28 Feb 2026 18:30:00 +0000\r\n" in message


def test_a_local_part_outside_ascii_stands_in_to_as_utf8() -> None:
    message = splice(template(), Marks("грейс@lab.example", TOKEN, "<1@x>", MARKS.date))
    assert "\r\nTo: грейс@lab.example\r\n".encode() in message


def test_without_reply_to_there_is_none() -> None:
    sender = Sender("digest@lab.example", "Evidence Monitor", "weekly.lab.example", "Weekly digest")
    headers, _ = read_by_hand(splice(build_template(letter(), sender, UNSUBSCRIBE), MARKS))
    assert "Reply-To" not in headers


@pytest.mark.parametrize(
    "marks",
    [
        Marks("grace@lab.example\r\nBcc: x@y.example", TOKEN, MARKS.message_id, MARKS.date),
        Marks("grace@lab.example", "short", MARKS.message_id, MARKS.date),
        Marks("grace@lab.example", TOKEN + "\r\n", MARKS.message_id, MARKS.date),
        Marks("grace@lab.example", "<script>aaaaaaaaaaaa", MARKS.message_id, MARKS.date),
        Marks("grace@lab.example", TOKEN, "<1@x>\r\nBcc: y@y.example", MARKS.date),
        Marks("grace@lab.example", TOKEN, "no angle brackets", MARKS.date),
        Marks("grace@lab.example", TOKEN, MARKS.message_id, datetime(2026, 1, 1)),
    ],
)
def test_marks_that_could_do_harm_are_refused(marks: Marks) -> None:
    with pytest.raises(MessageRefused):
        splice(template(), marks)


def test_a_template_that_is_none_is_refused() -> None:
    with pytest.raises(MessageRefused, match="not a template"):
        splice(b"Subject: x\r\n\r\nbody", MARKS)


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/u/",
        "https://x.example/u/a b" + TOKEN_MARK,
        "javascript:" + TOKEN_MARK,
        UNSUBSCRIBE + ">\r\nBcc: x",
    ],
)
def test_an_unsubscribe_link_that_cannot_stand_in_a_header_is_refused(url: str) -> None:
    with pytest.raises(MessageRefused):
        build_template(letter(), SENDER, url)


def test_an_empty_subject_is_refused() -> None:
    with pytest.raises(MessageRefused, match="Subject"):
        build_template(letter(subject=" \r\n"), SENDER, UNSUBSCRIBE)


def test_message_ids_are_stable_different_and_secret() -> None:
    first = make_message_id(b"k" * 32, "lab.example", 5, "2026-11-23")
    assert first == make_message_id(b"k" * 32, "lab.example", 5, "2026-11-23")
    assert first != make_message_id(b"k" * 32, "lab.example", 6, "2026-11-23")
    assert first != make_message_id(b"l" * 32, "lab.example", 5, "2026-11-23")
    assert re.fullmatch(r"<5-20261123\.[0-9a-f]{30}@lab\.example>", first)
    splice(template(), Marks("a@lab.example", TOKEN, first, MARKS.date))
