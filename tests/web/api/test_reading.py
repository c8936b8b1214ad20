"""What programs read: every resource over real services, each answer held against its description."""

from __future__ import annotations

import jsonschema
import pytest
from sqlalchemy import select

from monitor.formats import jsonl
from monitor.formats.schema import citation_schema
from monitor.storage import citations
from monitor.storage.tables import Base
from tests.web.api.conforming import Program
from tests.web.members import ODD, PROVISIONAL, Collection


def test_a_program_learns_for_whom_it_speaks_and_how_far(held: Collection, reader: Program, admin: Program) -> None:
    assert reader.get("/me").json() == {
        "id": held.place.ids["member"],
        "address": "member@lab.example",
        "name": "Member",
        "role": "member",
        "created_at": reader.get("/me").json()["created_at"],
        "scopes": ["read"],
        "topics": ["car-nk"],
    }
    assert admin.get("/me").json()["scopes"] == ["read", "screen", "admin"]


def test_every_citation_comes_without_loss(held: Collection, reader: Program) -> None:
    schema = jsonschema.Draft202012Validator(citation_schema())
    with held.place.house.database.read() as session:
        kept = {each.pmid: each for each in citations.everything(session)}
    for pmid in (*(each.pmid for each in ODD.values()), PROVISIONAL.pmid, held.plain[2]):
        found = reader.get(f"/citations/{pmid}").json()["citation"]
        schema.validate(found)
        assert jsonl.from_object(found) == kept[pmid]
    page = reader.get("/citations?form=whole&limit=200").json()["items"]
    assert {each["pmid"]: jsonl.from_object(each["citation"]) for each in page} == kept


def test_a_citation_tells_how_it_stands_and_what_is_proposed(held: Collection, reader: Program) -> None:
    found = reader.get(f"/citations/{held.plain[0]}").json()
    standing = found["standing"]
    assert standing["verdict"] == found["paper"]["verdict"] == "keep"
    assert (standing["topics"], standing["tags"], standing["level"]) == (["car-nk"], ["car-nk", "crs/absent"], "B1")
    assert standing["note"] == "Read table 2."
    assert standing["expected"] == reader.get(f"/citations/{held.plain[0]}/decision").json()["number"]
    assert found["paper"]["found"][0]["lane"] == "core"
    offered = {each["tag"]: each for each in found["proposals"]["tags"]}
    assert offered["car-nk"]["preselected"]
    assert offered["car-nk"]["reasons"][0]["place"] == "title"
    assert found["proposals"]["grade"]["reason"]
    retracted = reader.get(f"/citations/{held.plain[2]}").json()
    assert retracted["paper"]["flags"] == ["retracted"]
    assert len(retracted["versions"]) == 2


def test_reading_changes_no_row(held: Collection, reader: Program) -> None:
    """Only that the token was used is written, at most once a minute."""

    def rows() -> dict[str, list[object]]:
        with held.place.house.database.read() as session:
            return {table.name: list(session.execute(select(table))) for table in Base.metadata.sorted_tables}

    reader.get("/me")
    before = rows()
    for address in ("/citations?count=true", f"/citations/{held.plain[5]}", "/facets", "/topics", "/issues"):
        reader.get(address)
    assert rows() == before


def test_a_search_speaks_pubmeds_language(held: Collection, reader: Program) -> None:
    def pmids(query: str, **more: object) -> list[int]:
        found = reader.get("/citations", params={"q": query, "limit": 200, **more}).json()
        return [each["pmid"] for each in found["items"]]

    assert pmids("keep[decision]") == [held.plain[0]]
    assert pmids('"Retracted Publication"[pt]') == [held.pmid("retracted")]
    assert pmids("2025[dp]") == [held.pmid("half a date"), held.pmid("book")]
    assert pmids("cells", sort="relevance")
    assert set(pmids("cells", sort="relevance")) == set(pmids("cells"))
    assert len(pmids("")) == len(held.plain) + len(ODD) + 1
    noted = reader.get("/citations", params={"q": "nowhere[topic]"}).json()
    assert noted["items"] == []
    assert "no topic is called so" in noted["notes"][0]


def test_hits_are_counted_when_asked_and_only_then(held: Collection, reader: Program) -> None:
    assert reader.get("/citations?limit=3").json()["total"] is None
    counted = reader.get("/citations?limit=3&count=true").json()
    assert counted["total"] == len(held.plain) + len(ODD) + 1
    assert len(counted["items"]) == 3


def test_each_facet_comes_with_the_search_that_finds_as_many(reader: Program) -> None:
    found = reader.get("/facets?q=cells").json()
    assert found["whole"]
    for values in found["facets"].values():
        for each in values:
            asked = {"q": f"(cells) AND {each['search']}", "count": "true"}
            assert reader.get("/citations", params=asked).json()["total"] == each["number"], each


def test_topics_come_with_their_lines(held: Collection, reader: Program) -> None:
    topics = reader.get("/topics").json()["items"]
    assert [each["id"] for each in topics] == [each.stored.id for each in held.place.house.topics.all()]
    one = reader.get("/topics/car-nk").json()
    assert one["hits"] == {"core": len(held.plain) + len(ODD), "wide": 0}
    strategy = one["strategy"]
    assert [each["position"] for each in strategy["core"]] == list(range(1, len(strategy["core"]) + 1))
    assert all(each["reason"] for each in strategy["core"])
    stored = held.place.house.topics.one("car-nk").stored.topic.strategy
    assert (strategy["core_query"], strategy["wide_query"]) == (stored.query("core"), stored.query("wide"))
    assert reader.get("/topics/car-nk?version=1").json() == one
    assert reader.get("/topics/car-nk?version=99").status_code == 404
    assert reader.get("/topics/car-nkk").status_code == 404


def test_polls_are_listed_by_topic_and_state(held: Collection, admin: Program) -> None:
    every = admin.get("/polls").json()
    assert every["total"] == len(every["items"]) == len(held.place.house.topics.all())
    mine = admin.get("/polls?topic=car-nk&state=done").json()["items"]
    assert [each["topic_id"] for each in mine] == ["car-nk"]
    assert admin.get(f"/polls/{mine[0]['id']}").json() == mine[0]
    assert admin.get("/polls?state=trouble").json()["items"] == []
    assert admin.get("/polls?topic=").json()["items"] == []
    wrong = admin.get("/polls?topic=nowhere")
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["name"] == "topic"


def test_an_issue_is_read_as_it_was_frozen_without_its_readers_secret(held: Collection, reader: Program) -> None:
    (line,) = reader.get("/issues").json()["items"]
    found = reader.get(f"/issues/{line['key']}").json()
    assert found["content"]["sections"][0]["entries"]
    assert line["address"].endswith(f"/issues/{line['key']}")
    assert "unsubscribe" not in str(found).lower()
    assert "/u/" not in str(found)
    assert reader.get("/issues/no-such-issue").status_code == 404


@pytest.mark.parametrize(
    "address", ["/citations/89999999", "/citations/89999999/decision", "/topics/nowhere", "/issues/00000000"]
)
def test_what_is_not_here_is_told_as_a_problem(reader: Program, address: str) -> None:
    answer = reader.get(address)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/api#missing")
