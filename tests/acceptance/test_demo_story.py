"""The story of the demo, lived once: what a member reads each week, and what is kept at the end of it."""

from __future__ import annotations

import email
import email.policy
import html.parser
import re
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

import pytest

from monitor.build import House
from monitor.cli import demo
from monitor.core.revision import Change
from monitor.errors import UsageError
from monitor.services.library import Record

TEXT_LINE = 78
PAPER = 90_000_000


class Played(NamedTuple):
    house: House
    weeks: dict[str, demo.Week]
    folder: Path

    def mail(self, day: str, address: str = demo.MEMBER) -> EmailMessage:
        (path,) = (path for to, _, path in self.weeks[day].mails if to == address)
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message

    def text(self, day: str, address: str = demo.MEMBER) -> str:
        """The text part with its wrapping undone."""
        part = self.mail(day, address).get_body(("plain",))
        assert part is not None
        return re.sub(r"\s+", " ", part.get_content())

    def subject(self, day: str, address: str = demo.MEMBER) -> str:
        return next(subject for to, subject, _ in self.weeks[day].mails if to == address)

    def record(self, number: int) -> Record:
        return self.house.library.record(PAPER + number)

    def events(self, number: int) -> list[Change]:
        return [change for version in self.record(number).versions for change in version.changes]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("demo")
    with demo.demo_house(folder, 18000) as (house, sandbox, clock, _listener):
        weeks = {week.day.isoformat(): week for week in demo.story(house, sandbox, clock, folder / "mail")}
        yield Played(house, weeks, folder)


def test_every_monday_but_that_of_the_outage_brings_one_mail_to_each_reader(played: Played) -> None:
    mails = {day: sorted(to for to, _, _ in week.mails) for day, week in played.weeks.items()}
    both = sorted([demo.MEMBER, demo.CURATOR])
    assert mails.pop("2026-09-21") == sorted([*both, demo.FORMER])
    assert mails.pop("2026-11-09") == []
    assert set(map(tuple, mails.values())) == {tuple(both)}
    assert len(played.weeks) == demo.WEEKS


def test_the_first_issue_says_why_each_paper_is_there(played: Played) -> None:
    text = played.text("2026-09-21")
    assert played.subject("2026-09-21").startswith("NK evidence: 3 papers")
    for number in (201, 202, 203):
        assert f"https://pubmed.ncbi.nlm.nih.gov/{PAPER + number}/" in text
    assert "Why: title matches “CAR-NK”; you follow CAR-NK cells" in text
    assert str(PAPER + 204) not in text, "a topic that the member does not follow"
    assert str(PAPER + 204) in played.text("2026-09-21", demo.CURATOR)


def test_a_bounced_address_gets_no_further_mail(played: Played) -> None:
    assert "bounced" in played.weeks["2026-09-21"].note
    (former,) = (each for each in played.house.subscribing.everyone() if each.address == demo.FORMER)
    assert former.suppressed is not None
    assert not any(
        to == demo.FORMER for day, week in played.weeks.items() if day > "2026-09-21" for to, _, _ in week.mails
    )


def test_a_paper_found_only_after_its_indexing_is_news_then(played: Played) -> None:
    for day in ("2026-09-21", "2026-09-28"):
        assert str(PAPER + 205) not in played.text(day)
    assert str(PAPER + 205) in played.text("2026-10-05")
    assert played.record(205).citation.mesh_headings


def test_a_preprint_that_became_an_article_is_told_to_those_who_got_it(played: Played) -> None:
    text = played.text("2026-10-12")
    assert "On 21 September 2026 we sent you this paper. It was a preprint then" in text
    assert str(PAPER + 216) in text


def test_an_unknown_phrase_is_shown_loudly_and_the_digest_still_goes_out(played: Played) -> None:
    assert "PubMed does not know" in played.text("2026-10-12")
    assert "CAR-iNK" in played.text("2026-10-12").partition("PubMed does not know")[2][:60]
    assert "PubMed does not know" not in played.text("2026-10-26")


def test_concern_and_erratum_reach_everyone_the_papers_reached(played: Played) -> None:
    for reader in (demo.MEMBER, demo.CURATOR):
        text = played.text("2026-10-19", reader)
        corrections, _, rest = text.partition("CAR-NK cells (")
        assert str(PAPER + 201) in corrections
        assert "expression of concern" in corrections
        assert str(PAPER + 202) in corrections
        assert rest, "news follows the corrections"
    assert played.events(202) == [Change.ERRATUM]


def test_a_quiet_week_says_that_the_searches_ran(played: Played) -> None:
    assert played.subject("2026-10-26").startswith("NK evidence: quiet week, searches all ran")
    assert "so the silence is real" in played.text("2026-10-26")


def test_a_retraction_reaches_its_readers_although_a_search_failed(played: Played) -> None:
    text = played.text("2026-11-02")
    assert played.subject("2026-11-02").startswith("NK evidence: 1 retraction")
    assert "On 21 September 2026 we sent you this paper. It has since been retracted." in text
    assert "CAR-NK cells: The search failed." in text
    assert played.weeks["2026-11-02"].failed == {"car-nk"}


def test_a_failed_search_never_looks_quiet(played: Played) -> None:
    assert "1 search failed" in played.subject("2026-11-02")
    assert "1 of 8 searches did not work" in played.text("2026-11-02", demo.CURATOR)


def test_one_issue_catches_up_after_the_outage(played: Played) -> None:
    text = played.text("2026-11-16")
    assert text.startswith("Catching up on 2 weeks.")
    for number in (232, 234, 235, 236):
        assert str(PAPER + number) in text


def test_a_retraction_that_was_lifted_is_told_as_well(played: Played) -> None:
    assert "It has since been retracted" in played.text("2026-10-12")
    assert "It is no longer marked as retracted." in played.text("2026-11-16")
    assert played.events(208) == [Change.RETRACTED, Change.REINSTATED]
    assert not played.record(208).held.retracted


def test_a_record_that_vanished_is_withdrawn_and_kept(played: Played) -> None:
    record = played.record(240)
    assert record.held.withdrawn_at is not None
    assert record.citation.title is not None
    assert "PubMed no longer has it" in played.text("2026-11-02")


def test_every_change_of_the_retracted_paper_is_a_version(played: Played) -> None:
    assert [
        change for change in played.events(201) if change in (Change.INDEXED, Change.CONCERN, Change.RETRACTED)
    ] == [
        Change.INDEXED,
        Change.CONCERN,
        Change.RETRACTED,
    ]
    assert {link.kind for link in played.record(201).relations if link.pmid == PAPER + 201} == {
        "ExpressionOfConcernIn",
        "RetractionIn",
    }


def test_no_paper_is_news_twice_to_one_reader(played: Played) -> None:
    for reader in (demo.MEMBER, demo.CURATOR):
        seen: list[int] = []
        for day, week in played.weeks.items():
            if any(to == reader for to, _, _ in week.mails):
                news = played.mail(day, reader).get_body(("plain",))
                assert news is not None
                listed = re.split(r"^-{5,}$", news.get_content(), flags=re.MULTILINE)[1:-1]
                seen += map(int, re.findall(r"pubmed\.ncbi\.nlm\.nih\.gov/(\d+)/", "".join(listed)))
        assert len(seen) == len(set(seen))


def test_backfilled_papers_are_never_news(played: Played) -> None:
    old = list(range(1, 170))
    for day, week in played.weeks.items():
        for to, _, _ in week.mails:
            assert not [n for n in old if f"/{PAPER + n}/" in played.text(day, to)]
    assert played.house.library.totals().citations > 140, "the reconciliation brought the older papers"


def test_every_mail_stands_on_its_own(played: Played) -> None:
    for day, week in played.weeks.items():
        for to, subject, _ in week.mails:
            message = played.mail(day, to)
            assert len(subject) <= 60
            assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            page = message.get_body(("html",))
            assert page is not None
            content = page.get_content()
            links = _Links()
            links.feed(content)
            assert links.found
            assert all(link.startswith(("http://", "https://")) for link in links.found)
            assert len(content.encode()) <= 80 * 1024
            assert not re.search(r"<(img|script|link|iframe|form)\b", content)


def test_the_web_page_of_an_issue_lists_what_the_mail_lists(played: Played) -> None:
    from fastapi.testclient import TestClient

    from monitor.web.app import create_app

    link = next(iter(re.findall(r"http://[^ ]+/issues/[\w-]+", played.text("2026-11-16"))))
    with TestClient(create_app(played.house.site), base_url="http://127.0.0.1", client=("127.0.0.1", 50000)) as client:
        page = client.get(link.replace("127.0.0.1:", "127.0.0.1:"))
        assert page.status_code == 200
        for number in (232, 234, 235, 236, 208):
            assert str(PAPER + number) in page.text


def test_once_prints_the_weeks_and_ends(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "demo", "--once", "--dir", str(tmp_path / "d"), "--port", "18400"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("searches:") == demo.WEEKS
    assert "1 retraction" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="choose another --dir"):
        demo.play(tmp_path, 18500, once=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if tag == "a" and name == "href"]


def _archive(house: House) -> list[object]:
    from monitor.storage import issues

    with house.database.read() as session:
        return list(issues.archive(session))
