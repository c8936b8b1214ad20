"""Whatever stands in a record, a note, a tag, a name or a search: pages and letters show it, and nothing of it runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Affiliation,
    Author,
    AuthorList,
    Citation,
    Correction,
    InlineXml,
    Keyword,
    KeywordList,
    OtherAbstract,
)
from monitor.core.contents import clean
from monitor.core.markup import escape_text, plain
from monitor.core.people import Actor
from monitor.core.screening import read_tag
from monitor.errors import QuerySyntaxError, UsageError
from monitor.storage import citations
from monitor.storage.issues import archive, by_key
from monitor.storage.tables import HitRow, PollRow, StrategyRow
from tests.factories import FIRST_PMID, citation
from tests.web.desk import NOW, URL, Desk, desk
from tests.web.xss import Inert, inert, payloads

PAYLOADS = payloads()
HOSTS = frozenset(
    {
        "127.0.0.1",
        "pubmed.ncbi.nlm.nih.gov",
        "doi.org",
        "pmc.ncbi.nlm.nih.gov",
        "orcid.org",
        "clinicaltrials.gov",
    }
)
SINGLE = ["/", "/integrity", "/integrity?matters=kept", "/searches", "/papers?mine=saved", "/queue", "/digests"]


def hostile(number: int, payload: str) -> Citation:
    """Every second record has the payload as text, as PubMed's XML brings it; the others as markup that got past it."""
    text = escape_text(payload) if number % 2 else InlineXml(payload)
    person = Author(payload, payload, payload[:3], text, affiliations=(Affiliation(text),))
    return citation(
        FIRST_PMID + number,
        doi=f"10.99999/{payload}" if number % 3 else None,
        pmcid=payload if number % 5 == 0 else None,
        title=text,
        vernacular_title=text,
        abstract=Abstract((AbstractSection(text, payload), AbstractSection(text)), payload),
        other_abstracts=(OtherAbstract((AbstractSection(text, payload),), payload, "ger"),),
        author_lists=(AuthorList((person, Author(collective_name=text)), kind="authors"),),
        journal={"title": payload, "medline_ta": payload, "iso_abbreviation": payload, "volume": payload},
        keyword_lists=(KeywordList((Keyword(text),)),),
        languages=(payload[:3], "chi"),
        coi_statement=text,
        corrections=(
            Correction("CommentIn", payload, None),
            Correction("ErratumIn", payload, FIRST_PMID + 900 + number),
        ),
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("xss")) as found:
        fill(found)
        yield found


def fill(place: Desk) -> None:
    house = place.house
    records = [hostile(number, payload) for number, payload in enumerate(PAYLOADS)]
    place.clock.set(NOW - timedelta(days=7))
    house.subscribing.subscribe("member@lab.example", ["car-nk"], day=0, hour=7)
    place.clock.set(NOW)
    with house.database.write() as session:
        citations.keep(session, records, NOW)
        strategy = session.scalars(select(StrategyRow.id).where(StrategyRow.topic_id == "car-nk")).one()
        poll = PollRow(
            topic_id="car-nk", strategy_id=strategy, lane="core", kind="window", state="failed", started_at=NOW,
            finished_at=NOW, query="x", covers=True, warnings=PAYLOADS[:3], unknown_phrases=PAYLOADS[:3], refused=PAYLOADS[:3],
            error=PAYLOADS[0],
        )  # fmt: skip
        session.add(poll)
        session.flush()
        for each in records:
            session.add(
                HitRow(
                    topic_id="car-nk",
                    pmid=each.pmid,
                    lane="core",
                    strategy_id=strategy,
                    poll_id=poll.id,
                    found_at=NOW,
                    news=True,
                    lines=[1],
                    first_strategy_id=strategy,
                    first_lines=[1],
                    route="created",
                )  # fmt: skip
            )
    curator = Actor("curator@lab.example", "curator", place.ids["curator"])
    member = Actor("member@lab.example", "member", place.ids["member"])
    taken = refused = 0
    for number, payload in enumerate(PAYLOADS):
        pmid = FIRST_PMID + number
        house.papers.mark(pmid, "saved", member)
        try:
            house.screening.label([pmid], tags=[payload], actor=curator)
            taken += 1
        except UsageError:
            house.screening.label(
                [pmid], tags=[read_tag("".join(c for c in payload if c.isalnum())[:50] or "x")], actor=curator
            )
        if number % 4 == 0:
            try:
                house.screening.decide([pmid], "keep", topics=["car-nk"], note=payload, actor=curator)
            except UsageError:
                house.screening.decide([pmid], "keep", topics=["car-nk"], actor=curator)
        if number % 3 == 0:
            try:
                house.saved.save(
                    payload[:80], f'"{payload.translate(dict.fromkeys(map(ord, chr(34) + "[]")))}"[ti]', actor=member
                )
            except (UsageError, QuerySyntaxError):
                refused += 1
    assert refused < len(PAYLOADS) / 2
    assert taken < 10, "a tag holds letters, digits and few signs"
    house.publishing.publish()


def read(client: TestClient, path: str, *codes: int) -> Inert:
    answer = client.get(path)
    assert answer.status_code in (codes or (200,)), (path, answer.status_code)
    found = inert(answer.text, HOSTS)
    assert found.wrong == [], (path, found.wrong[:3])
    return found


def test_there_are_payloads_enough_and_the_reader_notices_what_would_run() -> None:
    assert len(PAYLOADS) >= 200
    for live in (
        "<script>alert(1)</script>", '<img src=x onerror="alert(1)">', '<a href=" javascript:alert(1)">x</a>', "<b onclick=x>x</b>",
        '<a href="//evil.example/">x</a>', "<iframe src=x></iframe>", '<form action="data:text/html,x">', '<p style="x">y</p>',
        '<svg><use href="data:image/svg+xml,x"/></svg>', '<script src="https://evil.example/x.js"></script>', "<!--x-->",
    ):  # fmt: skip
        assert inert(live, HOSTS).wrong, live
    assert inert("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>", HOSTS).wrong == []


@pytest.mark.parametrize("role", ["member", "curator"])
def test_every_papers_own_page_shows_its_words_and_runs_nothing(place: Desk, role: str) -> None:
    client = place.client(role)
    for number, payload in enumerate(PAYLOADS):
        if role == "curator" and number % 10:
            continue
        record = hostile(number, payload)
        found = read(client, f"/papers/{record.pmid}")
        shown = clean(plain(record.title))
        if shown:
            assert " ".join(found.heading.split()) == " ".join(shown.split()) or not number % 2, (
                payload,
                found.heading,
            )
        if number % 2:
            assert clean(payload) in found.text, payload


def test_lists_in_every_shape_run_nothing(place: Desk) -> None:
    client, before = place.client("member"), ""
    seen = 0
    while True:
        answer = client.get(f"/papers?view=dense{before}")
        found = inert(answer.text, HOSTS)
        assert found.wrong == []
        rows = answer.text.count('class="row')
        seen += rows
        if "Older papers" not in found.text:
            break
        last = FIRST_PMID + len(PAYLOADS) - seen
        before = f"&before={last}"
    assert seen == len(PAYLOADS)
    for path in SINGLE:
        read(place.client("curator" if path == "/queue" else "member"), path)


def test_whatever_is_searched_for_comes_back_as_words(place: Desk) -> None:
    client = place.client("member")
    for payload in PAYLOADS[::2]:
        found = read(client, f"/papers?q={quote(payload)}&sort={quote(payload[:10])}", 200, 422, 303)
        assert found.text
    for payload in PAYLOADS[::8]:
        read(client, f"/papers?mine={quote(payload)}", 422)
        read(client, f"/integrity?kind={quote(payload)}", 422)
        read(client, f"/papers/{quote(payload.replace('/', '%'))}", 404)
        read(place.client(), f"/sign-in?next={quote(payload)}", 200)


def test_letters_and_their_pages_run_nothing(place: Desk) -> None:
    with place.house.database.read() as session:
        keys = [each.key for each in archive(session)]
        assert keys
        for key in keys:
            page = by_key(session, key)
            assert page is not None
            found = inert(page.html.replace("\x00", ""), HOSTS, letter=True)
            assert found.wrong == [], found.wrong[:3]
    for key in keys:
        answer = place.client().get(f"/issues/{key}")
        found = inert(answer.text, HOSTS, letter=True)
        assert found.wrong == [], found.wrong[:3]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert URL.startswith("http://127.0.0.1")


def test_feeds_of_saved_searches_hold_no_markup_of_theirs(place: Desk) -> None:
    client = place.client()
    for each in place.house.saved.all()[::10]:
        answer = client.get(f"/feeds/{each.key}.json")
        assert answer.status_code == 200
        for item in answer.json()["items"]:
            assert inert(item["content_html"], HOSTS).wrong == []
