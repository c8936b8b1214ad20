"""No log line shows a secret, whatever carries it there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from monitor.logs import Redactor, configure
from tests.acceptance.cli_world import logging_kept

KEY = "canary-key-4711"


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    with logging_kept():
        yield


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_known_secret_is_blanked_in_every_kind_of_value(capsys: pytest.CaptureFixture[str]) -> None:
    configure(secrets=[KEY])
    structlog.get_logger().info(f"with {KEY}", url=f"x?k={KEY}", many=[KEY, {"deep": KEY}], thing=ValueError(KEY), n=3)
    logging.getLogger("other").warning("of the library: %s", KEY)
    found = lines(capsys)
    assert [each["event"] for each in found] == ["with …", "of the library: …"]
    assert found[0]["n"] == 3
    assert KEY not in json.dumps(found)


def test_who_waits_for_a_command_reads_warnings_as_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    configure(secrets=[KEY], waited_for=True)
    structlog.get_logger().info("housekeeping done")
    structlog.get_logger().warning("job failed", job="poll", reason=f"refused {KEY}")
    logging.getLogger("other").warning("esearch: no answer; try %d of %d", 1, 5)
    try:
        raise ValueError(f"asked with {KEY}")
    except ValueError:
        logging.getLogger("other").exception("broke there")
    said = capsys.readouterr().err
    assert said.startswith("job failed (job poll, reason refused …)\nesearch: no answer; try 1 of 5\nbroke there\n")
    assert said.endswith("ValueError: asked with …\n")
    assert KEY not in said


def test_a_traceback_is_blanked_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure(secrets=[KEY])
    try:
        raise ValueError(f"asked with {KEY}")
    except ValueError:
        structlog.get_logger().exception("broke")
        logging.getLogger("other").exception("broke there")
    found = lines(capsys)
    assert all("ValueError: asked with …" in str(each["exception"]) for each in found)
    assert KEY not in json.dumps(found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://x/?api_key=abc123&db=pubmed", "https://x/?api_key=…&db=pubmed"),
        ("{'api_key': 'abc123', 'id': 1}", "{'api_key': '…', 'id': 1}"),
        ("smtps://ada:p@ss@relay.example:465", "smtps://ada:…@relay.example:465"),
        ("postgresql://monitor:pw@host/db is out of reach", "postgresql://monitor:…@host/db is out of reach"),
        ("host=h password=hunter2 user=u", "host=h password=… user=u"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/"),
    ],
)
def test_what_looks_like_a_secret_is_blanked_by_its_shape(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


def test_a_secret_is_blanked_as_an_address_writes_it() -> None:
    assert Redactor(["p@ss word"]).text("p%40ss%20word and p@ss word") == "… and …"
