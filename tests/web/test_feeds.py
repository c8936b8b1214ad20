"""Feeds over HTTP: what stands in them, what moves an entry, what they cost, and that no text of a paper breaks them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html
from sqlalchemy import update
from starlette.testclient import TestClient

from monitor.build import House
from monitor.core.citation import Abstract, AbstractSection, Correction, InlineXml, MeshHeading, MeshTerm
from monitor.core.contents import clean
from monitor.core.markup import escape_text
from monitor.core.query import parse
from monitor.core.revision import Change
from monitor.mail.links import Links
from monitor.resources import load_mesh_tree
from monitor.services.feeds import NEWEST, Entry, Feed, Feeds, FoundBy
from monitor.services.saved import SavedSearches
from monitor.services.screening import Screening
from monitor.settings import load
from monitor.storage import checks, citations
from monitor.storage.engine import Database
from monitor.storage.feeds import Seen
from monitor.storage.tables import HitRow, SavedSearchRow, TopicRow
from monitor.web.app import create_app
from monitor.web.feeds import LARGEST, _Writer
from monitor.web.pages import Pages
from tests import factories
from tests.acceptance.publishing_world import LINKS, World
from tests.factories import FIRST_PMID, citation

ATOM = "{http://www.w3.org/2005/Atom}"
DAY = timedelta(days=1)
PUBLIC = "https://monitor.lab.example"
HOSTILE = "<script>alert('x')</script> & \"quotes\" ]]> <b>bold</b> {{ 7 * 7 }} naïve 肝癌"


@dataclass
class Desk:
    """A site over the world of publishing tests, and the two forms of a feed as a reader sees them."""

    world: World
    links: Links = LINKS
    searches: SavedSearches = field(init=False)
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        database = self.world.database
        self.searches = SavedSearches(database, self.world, lambda text: parse(text, own=True))
        feeds = Feeds(database, self.world, load_mesh_tree, self.links)
        told = load(environ={}, public_url=self.links.public_url, secret_key="s" * 32)
        site = replace(House(told, database, self.world).site, feeds=feeds, links=self.links)
        self.client = TestClient(create_app(site), base_url=self.links.public_url)

    def saved(self, query: str) -> str:
        return self.searches.save("mine", query).key

    def get(self, key: str, form: str = "atom", **headers: str) -> Any:
        return self.client.get(f"/feeds/{key}.{form}", headers={k.replace("_", "-"): v for k, v in headers.items()})

    def atom(self, key: str) -> Atom:
        answer = self.get(key)
        assert answer.status_code == 200, answer.text
        return Atom(answer.content)

    def json(self, key: str) -> Any:
        answer = self.get(key, "json")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def topic(self, name: str = "car-nk") -> str:
        return self.links.topic_feed_key(name)


class Atom:
    """An Atom document, held against the rules of RFC 4287 that every reader relies on."""

    def __init__(self, content: bytes) -> None:
        self.top = etree.fromstring(content)
        assert self.top.tag == f"{ATOM}feed"
        assert self.top.nsmap == {None: ATOM[1:-1]}
        self.entries = {self.one(each, "id"): each for each in self.top.findall(f"{ATOM}entry")}
        assert len(self.entries) == len(self.top.findall(f"{ATOM}entry")), "an id stands once in a feed (4.1.1)"
        for each in (self.top, *self.entries.values()):
            for name in ("id", "title", "updated"):
                assert len(each.findall(ATOM + name)) == 1, name
            moments = [each.findtext(ATOM + name) for name in ("updated", "published")]
            assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", at) for at in moments if at is not None)
            kinds = [(link.get("rel"), link.get("type")) for link in each.findall(f"{ATOM}link")]
            assert len(kinds) == len(set(kinds)), "one alternate of a type (4.1.1)"
        assert len(self.top.findall(f"{ATOM}author")) == 1
        assert [link.get("rel") for link in self.top.findall(f"{ATOM}link")][0] == "self"

    @staticmethod
    def one(element: Any, name: str) -> str:
        return element.findtext(ATOM + name)  # type: ignore[no-any-return]

    @property
    def updated(self) -> str:
        return self.one(self.top, "updated")

    @property
    def pmids(self) -> list[int]:
        links = (each.find(f"{ATOM}link[@rel='alternate']").get("href") for each in self.entries.values())
        return [int(re.findall(r"/([0-9]+)/$", link)[0]) for link in links]

    def entry(self, pmid: int) -> Any:
        return self.entries[LINKS.identifier(f"pubmed/{pmid}")]


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(World(database))


@pytest.fixture
def quick(sqlite_database: Database) -> Desk:
    """Where nothing depends on the database."""
    return Desk(World(sqlite_database))


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_search_as_atom_and_as_json_says_the_same(desk: Desk) -> None:
    first = desk.world.found(1, title=InlineXml("CAR-NK cells kill 10<sup>3</sup> targets"))
    desk.world.moment += DAY
    second = desk.world.found(2)
    desk.world.found(3, "cik", title=InlineXml("Something else"))
    key = desk.saved("CAR-NK[ti]")
    atom, feed = desk.atom(key), desk.json(key)
    assert atom.pmids == [second, first]
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [each["id"] for each in feed["items"]] == list(atom.entries)
    assert (feed["title"], feed["description"]) == (
        "mine · NK evidence",
        "Papers of the library that match: CAR-NK[ti]",
    )
    assert (feed["feed_url"], feed["home_page_url"]) == (f"{PUBLIC}/feeds/{key}.json", f"{PUBLIC}/")
    assert atom.top.findall(f"{ATOM}link")[0].get("href") == f"{PUBLIC}/feeds/{key}.atom"
    item, entry = feed["items"][1], atom.entry(first)
    assert item["title"] == atom.one(entry, "title") == "CAR-NK cells kill 10³ targets"
    assert item["summary"] == atom.one(entry, "summary")
    assert item["content_html"] == atom.one(entry, "content")
    assert item["date_published"] == item["date_modified"] == moment(desk.world.moment - DAY)
    assert item["url"] == f"https://pubmed.ncbi.nlm.nih.gov/{first}/"
    assert item["external_url"] == f"https://doi.org/10.99999/invented.{first}"
    assert [link.get("href") for link in entry.findall(f"{ATOM}link")] == [item["url"], item["external_url"]]
    assert [each["name"] for each in item["authors"]] == ["Example AB", "Placeholder C"]
    assert "Invented cells killed invented targets." in item["content_html"]
    assert atom.updated == moment(desk.world.moment)


def test_content_types_and_headers_are_those_of_feeds(quick: Desk) -> None:
    quick.world.found(1)
    key = quick.saved("CAR-NK[ti]")
    for form, kind in (("atom", "application/atom+xml"), ("json", "application/feed+json")):
        answer = quick.get(key, form)
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        head = quick.client.head(f"/feeds/{key}.{form}")
        assert (head.status_code, head.content) == (200, b"")
        for name in ("etag", "last-modified", "content-type", "content-length"):
            assert head.headers[name] == answer.headers[name]
    assert quick.client.post(f"/feeds/{key}.atom").status_code == 405


def test_a_feed_that_is_known_is_not_sent_again(quick: Desk) -> None:
    quick.world.found(1)
    key = quick.saved("CAR-NK[ti]")
    first = quick.get(key)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    for header in (
        {"If_None_Match": etag},
        {"If_None_Match": f"W/{etag}"},
        {"If_None_Match": f'"other", {etag}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": modified},
        {"If_None_Match": etag, "If_Modified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
    ):
        answer = quick.get(key, **header)
        assert (answer.status_code, answer.content) == (304, b""), header
        assert (answer.headers["etag"], answer.headers["last-modified"]) == (etag, modified)
        assert answer.headers["cache-control"] == "private, no-cache"
    for header in (
        {"If_None_Match": '"other"'},
        {"If_None_Match": ""},
        {"If_None_Match": '"other"', "If_Modified_Since": modified},
        {"If_Modified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"If_Modified_Since": "yesterday"},
        {"If_Modified_Since": format_datetime(datetime(2030, 1, 1))},
        {"If_Modified_Since": "Sat, 99 Jan 2000 99:00:00 GMT"},
    ):
        assert quick.get(key, **header).status_code == 200, header
    quick.world.moment += DAY
    quick.world.found(2)
    again = quick.get(key, If_None_Match=etag, If_Modified_Since=modified)
    assert again.status_code == 200
    assert again.headers["etag"] != etag
    assert quick.get(key, If_Modified_Since=modified).status_code == 200


def test_the_same_feed_is_the_same_bytes(quick: Desk) -> None:
    quick.world.found(1)
    key = quick.saved("CAR-NK[ti]")
    for form in ("atom", "json"):
        assert quick.get(key, form).content == quick.get(key, form).content


def test_markup_in_a_paper_is_text_in_a_feed(quick: Desk) -> None:
    pmid = quick.world.found(
        1,
        title=escape_text(HOSTILE),
        abstract={HOSTILE: f"{HOSTILE} \x0b\x00"},
        authors=["Evil<b> X"],
        doi='10.1/"><script>alert(1)</script>',
    )
    quick.searches.save(HOSTILE[:70], "alert[ti]")
    key = quick.searches.all()[0].key
    atom, item = quick.atom(key), quick.json(key)["items"][0]
    entry = atom.entry(pmid)
    assert atom.one(entry, "title") == item["title"] == HOSTILE
    for content in (atom.one(entry, "content"), item["content_html"]):
        page = html.fragment_fromstring(content, create_parent="div")
        assert {each.tag for each in page.iter()} <= {"div", "p", "strong", "ul", "li", "a"}
        assert HOSTILE in page.text_content()
        for link in page.iter("a"):
            assert set(link.attrib) == {"href"}
            assert link.get("href").startswith("https://")
            assert not set(link.get("href")) & set('"<> ')


def test_a_correction_moves_its_entry_and_keeps_its_id(desk: Desk) -> None:
    pmid = desk.world.found(1)
    key = desk.saved("CAR-NK[ti]")
    before = desk.atom(key)
    desk.world.moment += DAY
    desk.world.retracted(1)
    after, item = desk.atom(key), desk.json(key)["items"][0]
    assert list(after.entries) == list(before.entries)
    title = after.one(after.entry(pmid), "title")
    assert title == item["title"] == "RETRACTED: Invented CAR-NK cells, part 1"
    assert item["date_modified"] == after.one(after.entry(pmid), "updated") == moment(desk.world.moment)
    assert item["date_published"] == moment(desk.world.moment - DAY)
    assert after.updated == moment(desk.world.moment) > before.updated
    day = f"{desk.world.moment:%Y-%m-%d}"
    assert item["summary"].startswith(f"This paper is retracted. {day}: retracted")
    assert f"<li>{day}: retracted" in item["content_html"]
    assert item["tags"] == ["retracted"]
    assert [each.get("term") for each in after.entry(pmid).findall(f"{ATOM}category")] == ["retracted"]


def test_bookkeeping_moves_nothing(desk: Desk) -> None:
    desk.world.found(1)
    key = desk.saved("CAR-NK[ti]")
    before = desk.json(key)["items"][0]
    desk.world.moment += DAY
    desk.world.revised(1, mesh_headings=(MeshHeading(MeshTerm("Killer Cells, Natural", "D007694", False)),))
    assert desk.json(key)["items"][0] == before


def test_a_title_that_says_it_is_retracted_does_not_say_so_twice(quick: Desk) -> None:
    quick.world.found(1, title=InlineXml("Retracted: CAR-NK cells"))
    key = quick.saved("CAR-NK[ti]")
    quick.world.moment += DAY
    quick.world.retracted(1)
    assert quick.json(key)["items"][0]["title"] == "Retracted: CAR-NK cells"


def test_a_retraction_is_said_before_a_concern_that_led_to_it(quick: Desk) -> None:
    quick.world.found(1, title=InlineXml("RETRACTED: Invented cells"))
    quick.world.retracted(1)
    with quick.world.database.write() as session:
        held = citations.load(session, [FIRST_PMID + 1])[FIRST_PMID + 1]
        concern = Correction("ExpressionOfConcernIn", "Invented J. 2026;1(1):1", None)
        citations.keep(session, [replace(held, corrections=(*held.corrections, concern))], quick.world.moment)
    (item,) = quick.json(quick.saved("isretracted AND hasconcern"))["items"]
    assert item["title"].startswith("RETRACTED: ")
    assert "EXPRESSION" not in item["title"]
    assert item["summary"].startswith("This paper is retracted. An expression of concern stands against it.")


def test_corrections_stay_for_a_month_however_much_comes_after_them(desk: Desk) -> None:
    pmid = desk.world.found(1)
    key, topic = desk.saved("CAR-NK[ti]"), desk.topic()
    desk.world.moment += DAY
    desk.world.retracted(1)
    retracted_at = desk.world.moment
    desk.world.moment += DAY
    for number in range(2, NEWEST + 12):
        desk.world.found(number)
    for feed in (key, topic):
        shown = desk.atom(feed).pmids
        assert len(shown) == NEWEST + 1
        assert shown[-1] == pmid
    desk.world.moment = retracted_at + timedelta(days=31)
    for feed in (key, topic):
        shown = desk.atom(feed).pmids
        assert len(shown) == NEWEST
        assert pmid not in shown


def test_an_old_pmid_that_came_today_is_news_to_a_search(desk: Desk) -> None:
    for number in range(100, 100 + NEWEST + 10):
        desk.world.found(number)
    key = desk.saved("CAR-NK[ti]")
    desk.world.moment += DAY
    late = desk.world.found(1)
    assert desk.atom(key).pmids[0] == late


def test_a_paper_tagged_today_comes_into_the_feed_of_its_tag(desk: Desk) -> None:
    for number in range(1, NEWEST + 10):
        desk.world.found(number)
    desk.world.moment += DAY
    later = [desk.world.found(number) for number in range(100, 103)]
    screening = Screening(desk.world.database, desk.world)
    screening.label([FIRST_PMID + 1, *later], tags=["hcc"])
    key = desk.saved("hcc[tag]")
    assert set(desk.atom(key).pmids) == {FIRST_PMID + 1, *later}
    screening.label(later, untag=["hcc"])
    assert desk.atom(key).pmids == [FIRST_PMID + 1]


@pytest.mark.parametrize(
    ("query", "judge"),
    [
        ("hcc[tag]", lambda desk, pmids: desk.label(pmids, tags=["hcc"])),
        ("B1[level]", lambda desk, pmids: desk.label(pmids, level="B1")),
        ("C12[claim]", lambda desk, pmids: desk.label(pmids, claims=["C12"])),
        ("maybe[decision]", lambda desk, pmids: desk.decide(pmids, "maybe")),
        ("nk-engager[topic]", lambda desk, pmids: desk.decide(pmids, "keep", topics=["nk-engager"])),
    ],
)
def test_a_paper_judged_today_stands_before_fifty_judged_earlier(
    desk: Desk, query: str, judge: Callable[[Screening, list[int]], object]
) -> None:
    old = desk.world.found(1)
    others = [desk.world.found(number) for number in range(100, 100 + NEWEST + 10)]
    screening = Screening(desk.world.database, desk.world)
    judge(screening, others)
    key = desk.saved(query)
    before = desk.get(key).headers["last-modified"]
    desk.world.moment += DAY
    judge(screening, [old])
    assert desk.atom(key).pmids[0] == old
    assert desk.atom(key).updated == moment(desk.world.moment)
    assert desk.get(key, if_modified_since=before).status_code == 200
    first = desk.atom(key)
    desk.world.moment += 40 * DAY
    assert all(first.one(first.entry(each), "updated") <= moment(desk.world.moment - 40 * DAY) for each in first.pmids)
    assert desk.atom(key).updated <= first.updated


@pytest.mark.parametrize("query", ["car-nk[topic]", "car-nk[topic] OR car-nk[wide]"])
def test_a_paper_found_today_stands_first_in_a_search_of_its_topic(desk: Desk, query: str) -> None:
    for number in range(100, 100 + NEWEST + 10):
        desk.world.found(number, "car-nk")
    old = desk.world.found(1, "cik")
    key = desk.saved(query)
    desk.world.moment += DAY
    desk.world.found(1, "car-nk")
    assert desk.atom(key).pmids[0] == old


@pytest.mark.parametrize("query", ["(CAR-NK[ti]", "nosuch[field]", "#3 AND CAR-NK[ti]"])
def test_a_search_that_can_no_longer_be_asked_says_so_in_its_feed(desk: Desk, query: str) -> None:
    """A reader shows entries, and hides failures: silence would look like a quiet week."""
    desk.world.found(1)
    key = desk.saved("CAR-NK[ti]")
    before = desk.get(key).headers
    with desk.world.database.write() as session:
        session.execute(update(SavedSearchRow).values(query=query))
    (notice,) = desk.atom(key).entries.values()
    assert Atom.one(notice, "title").startswith("The search of this feed can no longer be asked")
    told = Atom.one(notice, "content")
    assert told.startswith(f"{query}: ")
    assert told.endswith('monitor search QUERY --save "mine" --replace')
    (item,) = desk.json(key)["items"]
    assert item["content_text"] == told
    assert item["id"] == Atom.one(notice, "id")
    answer = desk.get(key, if_modified_since=before["last-modified"])
    assert (answer.status_code, "last-modified" in answer.headers) == (200, False)
    assert desk.get(key, if_none_match=answer.headers["etag"]).status_code == 304
    desk.searches.save("mine", "CAR-NK[ti]", replace=True)
    assert desk.atom(key).pmids == [FIRST_PMID + 1]


def test_a_title_cannot_rearrange_the_words_around_it(quick: Desk) -> None:
    quick.world.found(1, title=InlineXml("Cells \u202eDETCARTER\u2066 of\x00 \ufeffdonors"))
    (item,) = quick.json(quick.saved("donors[ti]"))["items"]
    assert item["title"] == "Cells DETCARTER of donors"
    assert not set("\u202e\u2066\ufeff").intersection(item["summary"])


def test_a_topic_says_which_line_found_each_paper_and_why(desk: Desk) -> None:
    both, none = desk.world.found(1, lines=(1, 2)), desk.world.found(2, lines=())
    desk.world.found(3, "cik")
    feed = desk.json(desk.topic())
    assert feed["title"] == "CAR-NK cells · NK evidence"
    items = {each["url"].split("/")[-2]: each for each in feed["items"]}
    assert set(items) == {str(both), str(none)}
    content = html.fragment_fromstring(items[str(both)]["content_html"], create_parent="div").text_content()
    assert 'Line 1 of the search, version 1 ("CAR-NK"[tiab]): invented' in content
    assert "Line 2 of the search, version 1" in items[str(both)]["summary"]
    assert "PubMed found it with the search of CAR-NK cells." in items[str(none)]["summary"]


def test_a_topic_has_what_was_kept_in_it_and_loses_what_it_no_longer_finds(desk: Desk) -> None:
    kept = desk.world.found(1, "cik")
    gone = desk.world.found(2, "car-nk")
    desk.world.moment += DAY
    screening = Screening(desk.world.database, desk.world)
    screening.decide([kept], "keep", topics=["car-nk"])
    assert desk.atom(desk.topic()).pmids == [kept, gone]
    assert f"Kept in CAR-NK cells on {desk.world.moment:%Y-%m-%d}." in desk.json(desk.topic())["items"][0]["summary"]
    with desk.world.database.write() as session:
        session.execute(update(HitRow).where(HitRow.pmid == gone).values(ended_at=desk.world.moment))
    screening.undo([kept])
    empty = desk.atom(desk.topic())
    assert empty.pmids == []
    assert empty.updated == moment(desk.world.moment - DAY)


def test_a_paper_that_a_topic_finds_late_is_new_in_its_feed(desk: Desk) -> None:
    for number in range(2, NEWEST + 10):
        desk.world.found(number)
    old = desk.world.found(1, "cik")
    desk.world.moment += 40 * DAY
    desk.world.found(1, "car-nk")
    feed = desk.json(desk.topic())
    assert feed["items"][0]["id"] == LINKS.identifier(f"pubmed/{old}")
    assert feed["items"][0]["date_modified"] == moment(desk.world.moment)
    assert feed["items"][0]["date_published"] == moment(desk.world.moment - 40 * DAY)


def test_a_paper_that_pubmed_withdrew_says_so(quick: Desk) -> None:
    pmid = quick.world.found(1)
    key = quick.saved("CAR-NK[ti]")
    quick.world.moment += DAY
    with quick.world.database.write() as session:
        checks.withdraw(session, [pmid], quick.world.moment)
    item = quick.json(key)["items"][0]
    assert item["title"].startswith("WITHDRAWN FROM PUBMED: ")
    assert "PubMed no longer has it." in item["summary"]
    assert item["date_modified"] == moment(quick.world.moment)


def test_forgotten_searches_and_retired_topics_have_ended_and_others_never_were(quick: Desk) -> None:
    quick.world.found(1)
    key = quick.saved("CAR-NK[ti]")
    for wrong in ("", "x", "x" * 24, key[:-1], key + "x", key.swapcase(), "../" + key):
        assert quick.get(wrong).status_code == 404, wrong
    for file in (key, f"{key}.xml", f"{key}.atom.json", f"{key}.atom/", f"{key}.ATOM"):
        answer = quick.client.get(f"/feeds/{file}")
        assert answer.status_code == 404
        assert key not in answer.text
    quick.searches.forget("mine")
    ended = quick.get(key)
    assert (ended.status_code, "the feed has ended" in ended.text) == (410, True)
    again = quick.saved("CAR-NK[ti]")
    assert (quick.get(again).status_code, quick.get(key).status_code) == (200, 404)
    with quick.world.database.write() as session:
        session.execute(update(TopicRow).where(TopicRow.id == "car-nk").values(retired_at=quick.world.moment))
    assert quick.get(quick.topic()).status_code == 410
    assert quick.get(quick.topic("cik")).status_code == 200


def test_addresses_hang_on_the_secret_and_stand_under_the_public_path(sqlite_database: Database) -> None:
    links = Links("https://lab.example/evidence", b"another secret of the tests, 32 b")
    desk = Desk(World(sqlite_database), links)
    desk.world.found(1)
    assert desk.topic() != LINKS.topic_feed_key("car-nk")
    assert desk.get(LINKS.topic_feed_key("car-nk")).status_code == 404
    assert links.feed(desk.topic()).startswith("https://lab.example/evidence/feeds/")
    answer = desk.client.get(links.feed(desk.topic()))
    assert answer.status_code == 200
    assert links.feed(desk.topic()) in answer.text
    assert links.identifier(f"pubmed/{FIRST_PMID + 1}") in answer.text


def test_a_feed_stays_below_a_megabyte_by_leaving_out_abstracts(quick: Desk) -> None:
    long = Abstract((AbstractSection(InlineXml("An invented abstract. " * 2000)),))
    with quick.world.database.write() as session:
        papers = [citation(FIRST_PMID + n, title=InlineXml("CAR-NK"), abstract=long) for n in range(NEWEST)]
        citations.keep(session, papers, quick.world.moment)
    key = quick.saved("CAR-NK[ti]")
    for form in ("atom", "json"):
        answer = quick.get(key, form)
        assert len(answer.content) <= LARGEST
        assert "would be too long; PubMed has it" in answer.text
    assert len(quick.json(key)["items"]) == NEWEST


def test_a_feed_that_is_too_long_without_abstracts_loses_its_oldest_papers() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    papers = tuple(
        Entry(FIRST_PMID + n, "t" * 30_000, "c", (), (), None, frozenset(), at - n * DAY, at - n * DAY, ())
        for n in range(50)
    )
    for form in ("atom", "json"):
        body = WRITER.write(Feed("k" * 22, "long", None, at, papers), form)
        assert len(body) <= LARGEST
        left = list(Atom(body).entries) if form == "atom" else [each["id"] for each in json.loads(body)["items"]]
        assert len(left) > 20
        assert left == [LINKS.identifier(f"pubmed/{FIRST_PMID + n}") for n in range(len(left))]


def test_a_search_that_finds_nothing_has_an_empty_feed(quick: Desk) -> None:
    """Words that PubMed ignores find nothing, however many papers came lately."""
    quick.world.found(1, abstract=None)
    key = quick.saved("the of")
    assert quick.atom(key).pmids == quick.json(key)["items"] == []
    assert quick.atom(key).updated == moment(quick.world.moment)
    assert "<p>" in quick.json(quick.topic())["items"][0]["content_html"]


def test_a_database_out_of_reach_is_said_and_nothing_is_cached(quick: Desk) -> None:
    key = quick.saved("CAR-NK[ti]")
    assert quick.world.database.path is not None
    quick.world.database.dispose()
    quick.world.database.path.unlink()
    answer = quick.get(key)
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")


# ---- any text at all

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
seen = st.builds(Seen, moments, st.lists(st.sampled_from(Change), min_size=1, max_size=3).map(tuple))
entries = st.builds(
    Entry,
    pmid=st.integers(1, 99_999_999),
    title=factories.texts,
    citation=factories.texts,
    abstract=st.lists(st.tuples(st.none() | factories.texts, factories.texts), max_size=2).map(tuple),
    authors=st.lists(factories.texts, max_size=2).map(tuple),
    doi=st.none() | factories.texts,
    flags=st.frozensets(st.sampled_from(["retracted", "withdrawn", "concern", "preprint", "concern-notice"])),
    published=moments,
    updated=moments,
    changes=st.lists(seen, max_size=2).map(tuple),
    lines=st.lists(st.builds(FoundBy, st.just(1), st.just(2), factories.texts, factories.texts), max_size=2).map(tuple),
    kept_at=st.none() | moments,
    topic=st.none() | factories.texts,
)
feeds = st.builds(
    Feed,
    key=st.just("k" * 22),
    title=factories.texts,
    query=st.none() | factories.texts,
    updated=moments,
    entries=st.lists(entries, max_size=3, unique_by=lambda each: each.pmid).map(tuple),
)
WRITER = _Writer(LINKS, Pages("NK evidence"), "NK evidence")


@given(feeds)
def test_whatever_a_paper_says_both_forms_can_be_read_back(feed: Feed) -> None:
    atom, told = Atom(WRITER.write(feed, "atom")), json.loads(WRITER.write(feed, "json"))
    assert len(atom.entries) == len(told["items"]) == len(feed.entries)
    for each, item, (name, entry) in zip(feed.entries, told["items"], atom.entries.items(), strict=True):
        assert item["id"] == name
        assert atom.one(entry, "title").strip() == item["title"]
        assert item["title"].endswith(clean(each.title))
        assert atom.one(entry, "content") == item["content_html"]
        page = html.fragment_fromstring(item["content_html"], create_parent="div")
        assert {str(tag.tag) for tag in page.iter()} <= {"div", "p", "strong", "ul", "li", "a"}


@given(st.dictionaries(st.sampled_from(["if-none-match", "if-modified-since"]), st.text(max_size=40)))
def test_no_condition_brings_a_fault(headers: Mapping[str, str]) -> None:
    from monitor.web.feeds import _unchanged

    assert _unchanged(headers, '"tag"', datetime(2026, 11, 22, tzinfo=UTC)) in (True, False)


def test_entries_keep_their_ids_when_the_installation_moves() -> None:
    moved = Links("https://monitor.elsewhere.example", LINKS.secret)
    assert moved.identifier("pubmed/1") == LINKS.identifier("pubmed/1") != LINKS.identifier("pubmed/2")
    assert Links(LINKS.public_url, b"x" * 32).identifier("pubmed/1") != LINKS.identifier("pubmed/1")
    assert LINKS.identifier("pubmed/1").startswith("urn:uuid:")
