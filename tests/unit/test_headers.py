"""Whatever a subject holds, two independent decoders read it back, and it stays one header."""

from __future__ import annotations

import base64
import email
import email.header
import email.policy
import email.utils
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import MessageRefused
from monitor.mail.headers import (
    address_on_the_wire,
    check_header_block,
    mailbox_header,
    one_line,
    phrase_header,
    text_header,
)

PIECES = (
    "CAR-NK", "cells", "漢字", "免疫細胞", "Ωμέγα", "é", "e\u0301", "👩‍🔬", "𝒳", "=?utf-8?q?a=0ABcc:_x?=", "=?utf-8?b?eA==?=",
    "=?", "?=", "=", "?", "\r\nBcc: x@y.example", "\n", "\r", "\t", "\x00", "\x0b", "\x85", "\u2028", "\u2029", "\xa0", "\u3000",
    "\ud800", '"', "\\", "<", ">", ",", ";", ":", "(", ")", "@", "a" * 80, "ẞ" * 50, ".", "..", "'", "%", "_", "\ufeff", "\u202e",
)  # fmt: skip
WORD = re.compile(r"=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=", re.IGNORECASE)


def unfold(raw: str) -> str:
    assert re.fullmatch(r"[\x20-\x7e]+(?:\r\n [\x20-\x7e]+)*", raw), raw
    return raw.replace("\r\n", "")


def decode_by_hand(value: str) -> str:
    """RFC 2047 as its text says: drop white space between encoded-words, join their octets, decode once."""
    value = re.sub(r"(\?=)\s+(?==\?)", r"\1", value)
    out, last, held = [], 0, b""
    for found in WORD.finditer(value):
        if value[last : found.start()]:
            out.append(held.decode())
            held = b""
        out.append(value[last : found.start()])
        held += base64.b64decode(found[1], validate=True)
        last = found.end()
    return "".join((*out, held.decode(), value[last:]))


def decode_by_library(value: str) -> str:
    return "".join(
        part.decode(charset or "ascii") if isinstance(part, bytes) else part
        for part, charset in email.header.decode_header(value)
    )


def random_text(rng: random.Random) -> str:
    count = rng.randint(1, 14)
    glue = rng.choice(("", " ", "  "))
    return glue.join(rng.choice(PIECES) if rng.random() < 0.8 else chr(rng.randint(1, 0xD7FF)) for _ in range(count))


def check_round_trip(text: str) -> None:
    wanted = one_line(text)
    if not wanted:
        with pytest.raises(MessageRefused):
            text_header("Subject", text)
        return
    raw = text_header("Subject", text)
    assert all(len(line) <= 76 or " " not in line.strip() for line in raw.removeprefix("Subject: ").split("\r\n"))
    assert all(len(word[0]) <= 75 for word in WORD.finditer(raw))
    value = unfold(raw).removeprefix("Subject: ")
    assert decode_by_hand(value) == wanted
    if "=?" in value:
        assert decode_by_library(value) == wanted
    else:
        assert value == wanted
    block = f"From: a@b.example\r\n{raw}\r\n\r\n".encode("ascii")
    check_header_block(block, ("From", "Subject"))
    read = email.message_from_bytes(block + b"body")
    assert read.keys() == ["From", "Subject"]
    assert read.get_payload() == "body"


def test_six_thousand_subjects_come_back_as_they_were() -> None:
    rng = random.Random(20261122)
    for _ in range(6000):
        check_round_trip(random_text(rng))


@pytest.mark.torture
def test_a_hundred_thousand_subjects_come_back_as_they_were() -> None:
    rng = random.Random(47)
    for _ in range(100_000):
        check_round_trip(random_text(rng))


@given(st.text(max_size=300))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    check_round_trip(text)


def test_plain_ascii_stays_readable() -> None:
    assert text_header("Subject", "NK evidence 2026-W48: 7 new") == "Subject: NK evidence 2026-W48: 7 new"


def test_long_ascii_folds_at_spaces_only() -> None:
    raw = text_header("Subject", "word " * 60)
    assert raw.count("\r\n") >= 3
    assert unfold(raw) == "Subject: " + "word " * 59 + "word"


def test_an_encoded_word_in_a_title_is_not_decoded_into_a_header() -> None:
    raw = text_header("Subject", "=?utf-8?q?a=0ABcc:_x?=")
    assert decode_by_library(raw.removeprefix("Subject: ")) == "=?utf-8?q?a=0ABcc:_x?="
    assert "Bcc" not in raw


def test_a_word_too_long_for_a_line_is_encoded() -> None:
    raw = text_header("Subject", "x" * 2000)
    assert max(map(len, raw.split("\r\n"))) <= 76
    assert decode_by_hand(unfold(raw).removeprefix("Subject: ")) == "x" * 2000


@pytest.mark.parametrize(
    "name",
    [
        "Ada Example",
        "Example, Ada",
        'Ada "the" Example',
        "Ada\\Example",
        "Dr. Ada Example",
        "Ада",
        "=?x?=",
        "a@b",
        "()<>;:",
    ],
)
def test_display_names_come_back_by_two_parsers(name: str) -> None:
    raw = mailbox_header("From", name, "ada@lab.example")
    display, address = email.utils.parseaddr(unfold(raw).removeprefix("From: "))
    assert address == "ada@lab.example"
    assert decode_by_hand(display) == name
    modern = email.message_from_string(raw + "\r\n\r\n", policy=email.policy.default)
    assert modern["From"].addresses[0].display_name == name
    assert modern["From"].addresses[0].addr_spec == "ada@lab.example"


def test_a_line_break_in_a_display_name_does_not_start_a_header() -> None:
    raw = phrase_header("From", "Ada\r\nBcc: x@y.example", "ada@lab.example")
    check_header_block(raw.encode() + b"\r\n\r\n", ("From",))
    assert "\nBcc" not in raw


def test_an_international_domain_goes_out_as_punycode() -> None:
    assert address_on_the_wire("ada@bücher.example") == "ada@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    ["", "ada", "@x.example", "ada@", "a b@x.example", "a@x\r\nRCPT TO:<b@y.example>", "a@x>.example", "a@@x..example"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(MessageRefused):
        address_on_the_wire(address)


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (b"From: a\r\nSubject: b\r\n", "empty line"),
        (b"From: a\r\nSubject: b\nBcc: c\r\n\r\n", "not CRLF"),
        (b"From: a\r\nSubject: b\rBcc: c\r\n\r\n", "not CRLF"),
        (b"From: a\r\nSubject: b\r\nBcc: c\r\n\r\n", "unexpected header Bcc"),
        (b"From: a\r\nSubject: b\r\nSubject: c\r\n\r\n", "stands twice"),
        (b"From: a\r\n\r\n", "missing headers: Subject"),
        (b"From: a\r\nSubject: " + b"b" * 999 + b"\r\n\r\n", "more than 998"),
        (b"From: a\r\nSubject: b\0\r\n\r\n", "NUL"),
        ("From: a\r\nSubject: ü\r\n\r\n".encode(), "not ASCII"),
        (b" From: a\r\nSubject: b\r\n\r\n", "stray folded line"),
        (b"From: a\r\n \r\nSubject: b\r\n\r\n", "stray folded line"),
        (b"From: a\r\nSubject b\r\n\r\n", "not a header"),
        (b"From: a\r\nSubject : b\r\n\r\n", "not a header"),
        (b"From: a\r\n\r\nSubject: b\r\n\r\n", "not a header"),
    ],
)
def test_a_header_block_that_is_not_as_expected_is_refused(block: bytes, why: str) -> None:
    with pytest.raises(MessageRefused, match=why):
        check_header_block(block, ("From", "Subject"))
