"""What every route has in common: tokens, ETags, problems, and a description that is true."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest

from monitor.core.citation import InlineXml
from monitor.core.people import Actor
from monitor.storage import citations
from monitor.web.api.adding import BASE
from monitor.web.doors import DOORS, Scope
from monitor.web.problems import KINDS
from monitor.web.safety import BODY_LIMIT
from tests.web.api.conforming import Description, Program
from tests.web.desk import NOW
from tests.web.members import Collection

GETS = ("/me", "/citations?limit=3", "/citations/90000101", "/citations/90000101/decision", "/facets", "/topics", "/topics/car-nk",
        "/issues")  # fmt: skip


@pytest.mark.parametrize("address", GETS)
def test_an_answer_that_is_the_same_is_not_sent_again(reader: Program, address: str) -> None:
    first = reader.get(address)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in first.headers["vary"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = reader.get(address, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), known
    assert reader.get(address, headers={"If-None-Match": '"other"'}).content == first.content
    assert reader.get(address, headers={"If-None-Match": tag[1:]}).status_code == 422


def test_an_etag_changes_with_what_it_stands_for(changing: tuple[Collection, object]) -> None:
    held, program = changing
    mine = program("curator", "screen")  # type: ignore[operator]
    pmid, other = held.plain[5], held.plain[6]
    addresses = (f"/citations/{pmid}", f"/citations/{other}", "/citations", "/facets")
    before = {address: mine.get(address).headers["etag"] for address in addresses}
    mine.post("/tags", {"pmids": [pmid], "add": ["cord-blood"]})
    tagged = {address: mine.get(address).headers["etag"] for address in addresses}
    assert [address for address in addresses if tagged[address] != before[address]] == [
        f"/citations/{pmid}", "/citations", "/facets",
    ]  # fmt: skip
    with held.place.house.database.write() as session:
        (paper,) = citations.load_each(session, [other])
        citations.keep(session, [dataclasses.replace(paper, title=InlineXml("Another title."))], NOW)
    assert mine.get(f"/citations/{other}").headers["etag"] != before[f"/citations/{other}"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic bWVtYmVyOng=",
        "Bearer em_unknown",
        "Bearer em_ä",
        "em_unknown",
        "Token em_unknown",
    ],
)
def test_what_is_no_token_that_works_is_told_so(held: Collection, header: str) -> None:
    answer = held.place.client().get(f"{BASE}/me", headers=[(b"authorization", header.encode("latin-1"))])
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="api"')
    assert answer.json()["type"].endswith("/api#token")


def test_two_tokens_are_none(held: Collection) -> None:
    token = f"Bearer {held.place.token('member', 'read')}".encode()
    answer = held.place.client().get(f"{BASE}/me", headers=[(b"authorization", token), (b"authorization", token)])
    assert answer.status_code == 401


def test_a_token_in_the_address_is_refused(held: Collection) -> None:
    assert held.place.client().get(f"{BASE}/me?access_token={held.place.token('member', 'read')}").status_code == 401


def test_a_revoked_token_and_a_disabled_owner_open_nothing(changing: tuple[Collection, object]) -> None:
    held, program = changing
    mine, other = program("member", "read"), program("curator", "read")  # type: ignore[operator]
    accounts = held.place.house.accounts
    (token,) = accounts.tokens(held.place.ids["member"])
    accounts.revoke_token(held.place.ids["member"], token.id, held.curator)
    assert mine.get("/me").status_code == 401
    assert other.get("/me").status_code == 200
    held.place.house.site.people.disable(
        held.place.ids["curator"], Actor("admin@lab.example", "admin", held.place.ids["admin"])
    )
    assert other.get("/me").status_code == 401


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"), ("limit=201", "limit"), ("limit=1e2", "limit"), ("limit=%2B5", "limit"), ("limit=1_0", "limit"),
        ("limit=٣", "limit"), ("limit=", "limit"), ("count=yes", "count"), ("count=1", "count"), ("sort=oldest", "sort"),
        ("form=xml", "form"), ("q=(", "q"), ("q=%22a%22%5Bnowhere%5D", "q"), ("q=%231", "q"), ("q=a%00b", "q"),
        (f"q={'a' * 10001}", "q"), ("cursor=AAAA", "cursor"), ("cursor=%20", "cursor"), ("curser=AAAA", "curser"),
        ("limit=5&limit=6", "limit"), ("sort=relevance&cursor=AAAA", "cursor"),
    ],
)  # fmt: skip
def test_a_parameter_that_is_wrong_is_named(reader: Program, query: str, name: str) -> None:
    answer = reader.get(f"/citations?{query}")
    assert answer.status_code == 422
    (wrong,) = answer.json()["errors"]
    assert (wrong["in"], wrong["name"]) == ("query", name)
    assert wrong["detail"] in answer.json()["detail"]


@pytest.mark.parametrize("pmid", ["0", "-1", "1.0", "abc", "99999999999", "%20", "1e5", "007"])
def test_what_is_no_pmid_is_named(reader: Program, pmid: str) -> None:
    answer = reader.get(f"/citations/{pmid}")
    assert answer.status_code == 422
    assert [(each["in"], each["name"]) for each in answer.json()["errors"]] == [("path", "pmid")]


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"pmids": [1], "pmids"', b"", b"null"])
def test_what_is_no_json_is_named(held: Collection, described: Description, content: bytes) -> None:
    program = held.place.program("curator", "screen")
    answer = program.post(f"{BASE}/decisions", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    described.holds(f"{BASE}/decisions", "POST", 422, answer.headers["content-type"], answer.content)
    assert answer.json()["errors"][0]["in"] == "body"


def test_a_body_is_json_by_its_type_too(held: Collection) -> None:
    """A form that another site sends is no JSON, whatever it looks like."""
    program = held.place.program("curator", "screen")
    body = json.dumps({"pmids": [held.plain[7]], "verdict": "maybe"})
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert program.post(f"{BASE}/decisions", content=body, headers={"content-type": kind}).status_code == 422


def test_everything_below_is_told_as_a_problem(held: Collection) -> None:
    """Pages of errors are for people; programs get what they can read, from the guard at the door to the last route."""
    program = held.place.program("curator", "screen")
    too_large = b"x" * (BODY_LIMIT + 1)
    parts = (too_large[:BODY_LIMIT], b"xx")
    answers = {
        404: program.get("/api/v2/citations"),
        405: program.put(f"{BASE}/citations/90000101/decision"),
        413: program.post(f"{BASE}/decisions", content=too_large),
        421: program.get(f"{BASE}/me", headers={"Host": "elsewhere.example"}),
    }
    answers_in_parts = program.post(
        f"{BASE}/decisions", content=iter(parts), headers={"content-type": "application/json"}
    )
    for status, answer in [*answers.items(), (413, answers_in_parts)]:
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json()["type"], answer.json()["status"]) == ("about:blank", status)
    assert answers[405].headers["allow"] == "DELETE, GET, HEAD"


def test_a_fault_of_ours_is_told_without_its_reason(changing: tuple[Collection, object]) -> None:
    held, program = changing
    mine = program("member", "read")  # type: ignore[operator]
    with held.place.house.database.write() as session:
        citations_of = session.connection().exec_driver_sql
        citations_of("UPDATE citation SET doc = x'00' WHERE pmid = 90000105")
    answer = mine.get("/citations/90000105")
    assert answer.status_code in (500, 503)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text


def test_head_is_get_without_the_body(held: Collection) -> None:
    program = held.place.program("member", "read")
    got, head = program.get(f"{BASE}/topics"), program.head(f"{BASE}/topics")
    assert (head.status_code, head.headers["etag"]) == (200, got.headers["etag"])


def test_another_site_gains_nothing_by_sending_a_form(held: Collection) -> None:
    """No cookie counts here, so nothing has to be refused for where it comes from; without a token it is nobody's."""
    browser = held.place.client("admin", **{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})
    assert browser.post(f"{BASE}/decisions", json={"pmids": [held.plain[3]], "verdict": "maybe"}).status_code == 401
    tool = held.place.client(
        None, Authorization=f"Bearer {held.place.token('member', 'read')}", Origin="https://tool.example"
    )
    answer = tool.get(f"{BASE}/me")
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_the_description_names_every_route_and_what_it_takes(described: Description) -> None:
    document = described.document
    taken = {
        (path.replace(":path", ""), method): scope
        for path, methods in DOORS.items()
        for method, scope in methods.items()
        if isinstance(scope, Scope)
    }
    told = {
        (path, method.upper()): operation["security"][0]["token"][0]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert told == taken
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert {"401", "403", "422", "500", "503"} <= set(operation["responses"])


def test_the_description_is_sound_and_its_examples_are_of_their_shapes(described: Description) -> None:
    schemas = described.document["components"]["schemas"]
    examples = 0
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        whole = {**schema, "components": described.document["components"]}
        for example in schema.get("examples", []):
            jsonschema.Draft202012Validator(whole).validate(example)
            examples += 1
        assert schema.get("description") or schema.get("enum") or name.startswith(("Pubmed", "Citation")), name
    assert examples >= 8
    references = {text.split('"')[0] for text in json.dumps(described.document).split('"#/components/schemas/')[1:]}
    assert references <= set(schemas)


def test_the_description_is_cached_by_its_etag_and_open_to_all(held: Collection) -> None:
    client = held.place.client()
    first = client.get(f"{BASE}/openapi.json")
    assert first.json()["openapi"].startswith("3.1")
    assert client.get(f"{BASE}/openapi.json", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert "member@lab.example" not in first.text


def test_people_read_about_it_on_a_page(held: Collection) -> None:
    page = held.place.client("member").get("/api")
    assert page.status_code == 200
    for path, methods in DOORS.items():
        for method, scope in methods.items():
            if isinstance(scope, Scope):
                assert f"{method} {path.removeprefix(BASE).replace(':path', '')}" in page.text
    for kind in KINDS:
        assert f'id="{kind}"' in page.text
    assert "curl -H" in page.text
    assert held.place.client().get("/api").status_code == 303
