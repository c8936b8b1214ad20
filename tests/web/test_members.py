"""What members read: the week, the papers, one paper, corrections, saved searches; with odd records among them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import bibtexparser
import pytest
import rispy
from sqlalchemy import select, update
from starlette.testclient import TestClient

from monitor.core.people import Actor
from monitor.errors import NotFound, UsageError
from monitor.storage import events
from monitor.storage.tables import DeliveryRow, PollRow
from tests.factories import FIRST_PMID
from tests.web.desk import NOW, Desk
from tests.web.members import ODD, PROVISIONAL, Collection, collection


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    """A collection that tests only read."""
    with collection(tmp_path_factory.mktemp("members")) as found:
        yield found


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Collection]:
    """A collection of one's own, for who changes it."""
    with collection(tmp_path / "fresh") as found:
        yield found


def page(client: TestClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.text


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


# ---- odd records


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no abstract", "PubMed has no abstract for this record."),
        ("no authors", "Written by nobody."),
        ("collective author", "Invented Group, North"),
        ("book", "The invented book of killer cells"),
        ("Chinese", "发明的杀伤细胞治疗肝细胞癌"),
        ("Chinese alone", "发明的细胞因子诱导的杀伤细胞"),
        ("markup", "CD3<sup>+</sup>CD56<sup>+</sup> cells, <i>in vitro</i> &amp; after 10<sup>3</sup> &lt; n."),
        ("400 authors", "and 388 more"),
        ("retracted", "It already stood so when it was first seen here"),
        ("withdrawn", "PubMed no longer has this record since 21 Nov 2026"),
        ("concern", "Expression of concern."),
        ("half a date", "Winter 2025"),
        ("sections", "RESULTS"),
    ],
)
def test_an_odd_record_has_a_page_and_a_line(held: Collection, name: str, said: str) -> None:
    client = held.place.client("member")
    text = page(client, f"/papers/{held.pmid(name)}")
    assert said in text
    assert text.count("<h1") == 1
    listed = page(client, f"/papers?q={held.pmid(name)}[uid]&view=dense")
    assert f"/papers/{held.pmid(name)}" in listed


def test_a_record_named_but_not_fetched_says_so(held: Collection) -> None:
    assert "PubMed has not been asked for its record yet" in page(
        held.place.client("member"), f"/papers/{PROVISIONAL.pmid}"
    )


def test_a_chinese_title_is_marked_as_chinese(held: Collection) -> None:
    client = held.place.client("member")
    assert '<bdi lang="zh">发明的细胞因子诱导的杀伤细胞</bdi>' in page(client, f"/papers/{held.pmid('Chinese alone')}")
    assert '<p class="vernacular" lang="zh">' in page(client, f"/papers/{held.pmid('Chinese')}")


def test_reports_of_one_trial_name_each_other(held: Collection) -> None:
    client = held.place.client("member")
    assert f"/papers/{held.pmid('sibling')}" in page(client, f"/papers/{held.pmid('markup')}")
    assert f"/papers/{held.pmid('markup')}" in page(client, f"/papers/{held.pmid('sibling')}")


# ---- one paper


def test_a_paper_says_why_it_is_here_and_what_was_decided(held: Collection) -> None:
    member, curator = held.place.client("member"), held.place.client("curator")
    text = words(page(member, f"/papers/{held.plain[0]}"))
    assert "Found by line 1:" in text
    assert "Kept in CAR-NK cells" in text
    assert "Read table 2." in text
    assert "Cytokine release syndrome reported absent" in text
    assert "Curator" not in text.replace("Curators", "")
    assert "Curator" in words(page(curator, f"/papers/{held.plain[0]}"))


def test_a_retraction_says_when_it_was_noticed_and_what_tells_of_it(held: Collection) -> None:
    text = page(held.place.client("member"), f"/papers/{held.plain[2]}")
    said = words(text)
    assert "Retracted. Noticed here on 22 Nov 2026. Notice: Invented J. 2026;2:1" in said
    assert f"https://pubmed.ncbi.nlm.nih.gov/{FIRST_PMID + 91}/" in text
    assert "22 Nov 2026 08:00 retracted" in said


@pytest.mark.parametrize("style", ["NLM", "Vancouver", "GB/T 7714"])
def test_a_paper_is_cited_in_several_styles(held: Collection, style: str) -> None:
    assert style in page(held.place.client("member"), f"/papers/{held.plain[0]}")


def test_an_unknown_paper_is_not_in_this_collection(held: Collection) -> None:
    for role, offered in (("member", False), ("curator", True)):
        for path in ("/papers/90009999", "/papers/abc", "/papers/99999999999999999999"):
            text = page(held.place.client(role), path, 404)
            assert "Not in this collection." in text
            assert ("Fetch by PMID" in text) == (offered and path == "/papers/90009999")


def test_fetching_a_paper_without_pubmed_says_why_and_keeps_nothing(held: Collection) -> None:
    answer = held.place.client("curator").post("/papers/fetch", data={"pmid": "90009999"})
    assert answer.status_code == 404
    assert "PubMed is not asked without a contact address" in answer.text
    assert held.place.client("curator").post("/papers/fetch", data={"pmid": "x<y"}).status_code == 422
    assert held.place.client("member").post("/papers/fetch", data={"pmid": "90009999"}).status_code == 403


# ---- marks


def test_a_mark_is_put_and_taken_and_is_its_readers_alone(fresh: Collection) -> None:
    member, pmid = fresh.place.client("member"), fresh.plain[5]
    for kind, said in (("saved", "Saved by me"), ("not-for-me", "Not for me")):
        answer = member.post(f"/papers/{pmid}/mark", data={"kind": kind, "on": "1", "back": f"/papers?q=x#p{pmid}"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/papers?q=x#p{pmid}")
        text = page(member, f"/papers?mine={kind}")
        assert said in text
        assert f"/papers/{pmid}" in text
        assert f"/papers/{pmid}" not in page(fresh.place.client("curator"), f"/papers?mine={kind}")
    swapped = member.post(f"/papers/{pmid}/mark", data={"kind": "saved", "on": "0"}, headers={"HX-Request": "true"})
    assert 'data-mark="saved" aria-pressed="false"' in swapped.text
    assert "<html" not in swapped.text
    assert f"/papers/{pmid}" not in page(member, "/papers?mine=saved")
    with fresh.place.house.database.read() as session:
        log = [
            each.action
            for each in events.about(session, f"person:{fresh.place.ids['member']}")
            if "mark" in each.action
        ]
    assert log == ["mark.put", "mark.put", "mark.take"]


def test_a_mark_goes_on_no_unknown_paper_and_is_of_a_known_kind(held: Collection) -> None:
    member = held.place.client("member")
    assert member.post("/papers/90009999/mark", data={"kind": "saved"}).status_code == 404
    assert member.post(f"/papers/{held.plain[0]}/mark", data={"kind": "loved"}).status_code == 422
    with pytest.raises(UsageError, match="marks belong to people"):
        held.place.house.papers.mark(held.plain[0], "saved", Actor("command line", "admin"))
    with pytest.raises(NotFound):
        held.place.house.papers.one(1, 1)


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_a_mark_leads_back_to_this_site_alone(held: Collection, back: str) -> None:
    answer = held.place.client("member").post(
        f"/papers/{held.plain[9]}/mark", data={"kind": "saved", "on": "0", "back": back}
    )
    assert answer.headers["location"] == "/"


# ---- searching


def test_papers_are_searched_narrowed_and_widened(held: Collection) -> None:
    member = held.place.client("member")
    text = page(member, "/papers?q=" + quote("CAR-NK[ti]"))
    assert "<b>40</b> papers" in text
    assert "q=CAR-NK%5Bti%5D+AND+dismiss%5Bdecision%5D" in text
    narrowed = page(member, "/papers?q=" + quote("CAR-NK[ti] AND dismiss[decision]"))
    assert "<b>1</b> paper" in narrowed
    assert 'href="/papers?q=CAR-NK%5Bti%5D"' in narrowed


def test_pages_follow_each_other_to_the_end(held: Collection) -> None:
    member = held.place.client("member")
    path, seen = "/papers?view=dense", []
    while path:
        text = page(member, path)
        seen += re.findall(r'class="row" data-pmid="(\d+)"', text)
        following = re.search(r'rel="next" class="button quiet" href="([^"]*)"', text)
        path = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == len(set(seen)) == len(ODD) + 1 + 40
    assert seen == sorted(seen, reverse=True)


def test_a_search_that_cannot_be_read_is_shown_at_its_column_and_kept(held: Collection) -> None:
    text = page(held.place.client("member"), "/papers?q=" + quote("cells AND (nk"), 422)
    assert 'value="cells AND (nk"' in text
    assert "Column" in text
    assert 'aria-invalid="true"' in text


def test_a_search_that_finds_nothing_says_what_its_parts_find(held: Collection) -> None:
    text = words(page(held.place.client("member"), "/papers?q=" + quote("hands AND doubted")))
    assert "No paper here matches." in text
    assert "hands 1" in text
    assert "doubted 1" in text


def test_a_pmid_leads_to_its_paper_and_a_name_to_its_search(fresh: Collection) -> None:
    member = fresh.place.client("member")
    answer = member.get(f"/papers?q={fresh.plain[0]}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/papers/{fresh.plain[0]}")
    assert "no saved search is called" in page(member, "/papers?q=%40hands", 422)
    member.post("/searches", data={"name": "Hands", "query": "hands[ti]"})
    text = page(member, "/papers?q=%40hands")
    assert "<h1>Hands</h1>" in text
    assert "<b>1</b> paper" in text


def test_notes_say_what_is_read_otherwise(held: Collection) -> None:
    assert "lower case is ignored" in page(held.place.client("member"), "/papers?q=" + quote("cells or hands"))


# ---- export (M-02)


def test_fifty_papers_are_exported_and_every_format_flags_the_retracted(held: Collection) -> None:
    member = held.place.client("member")

    def export(name: str) -> str:
        answer = member.get(f"/papers/export?what=all&q=&format={name}")
        assert answer.status_code == 200
        assert f'filename="papers-{NOW:%Y-%m-%d}' in answer.headers["content-disposition"]
        return answer.content.decode("utf-8")

    chinese, title = str(held.pmid("Chinese")), "发明的杀伤细胞治疗肝细胞癌"
    count = len(ODD) + 1 + 40
    assert count >= 50
    entries = rispy.loads(export("ris").replace("\r\n", "\n"))
    assert len(entries) == count
    assert sum("RETRACTED" in json.dumps(each).upper() for each in entries) >= 2
    assert any(title in json.dumps(each, ensure_ascii=False) for each in entries)
    parser = bibtexparser.bparser.BibTexParser(common_strings=True, ignore_nonstandard_types=False)
    found = bibtexparser.loads(export("bibtex"), parser=parser).entries
    assert len(found) == count
    assert sum("RETRACTED" in json.dumps(each).upper() for each in found) >= 2
    rows = list(csv.DictReader(io.StringIO(export("csv").removeprefix("\ufeff"))))
    assert len(rows) == count
    assert sum("retract" in row["standing"].lower() for row in rows) == 2
    assert next(row["original_title"] for row in rows if row["pmid"] == chinese) == title
    items = json.loads(export("csl-json"))
    assert len(items) == count
    assert sum("retract" in json.dumps(each).lower() for each in items) >= 2
    assert title in json.dumps(items, ensure_ascii=False)
    assert export("nbib").count("PMID- ") == count
    assert len(export("jsonl").splitlines()) == count


def test_a_selection_is_exported_in_its_order_and_nothing_is_a_sentence(held: Collection) -> None:
    member = held.place.client("member")
    chosen = [held.plain[3], held.plain[1]]
    answer = member.get("/papers/export?what=selected&format=csv&" + "&".join(f"pmid={pmid}" for pmid in chosen))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [int(row["pmid"]) for row in rows] == chosen
    assert "No paper is selected" in page(member, "/papers/export?what=selected&format=csv", 422)
    assert "is no format" in page(member, "/papers/export?format=docx&q=cells", 422)
    assert page(member, "/papers/export?format=csv&q=" + quote("a AND ("), 422)


# ---- this week


def test_the_week_tells_corrections_what_to_read_first_what_is_new_and_that_all_ran(held: Collection) -> None:
    text = words(page(held.place.client("member"), "/"))
    assert "1 retraction" in text
    assert "sent to you on" not in text, "nothing was delivered yet"
    assert "Read first" in text
    assert "Invented CAR-NK cells, part 0." in text
    assert re.search(r"Searches ran .*, \d+ of \d+ fine\.", text)


def test_a_quiet_week_and_a_blind_one_differ(fresh: Collection) -> None:
    place = fresh.place
    place.clock.set(NOW + timedelta(days=30))
    member = place.client("member")
    ran = place.clock.now() - timedelta(hours=2)
    with place.house.database.write() as session:
        session.execute(update(PollRow).values(finished_at=ran, started_at=ran))
    assert "No new papers this week. All" in words(page(member, "/"))
    with place.house.database.write() as session:
        one = session.scalars(select(PollRow.id).limit(1)).one()
        session.execute(update(PollRow).where(PollRow.id == one).values(state="failed", error="timeout"))
    text = words(page(member, "/"))
    assert re.search(r"We cannot say whether anything is new: 1 of \d+ searches failed\.", text)
    assert "the last search failed" in text


def test_before_the_first_search_nothing_is_claimed(place: Desk) -> None:
    member, admin = page(place.client("member"), "/"), page(place.client("admin"), "/")
    assert "No searches yet. Pick starter topics to see the last 30 days." in member
    assert "Start setup" in admin
    assert "Start setup" not in member
    assert "Nothing has been collected yet." in page(place.client("member"), "/papers")


def test_what_was_put_aside_is_no_key_paper(fresh: Collection) -> None:
    member = fresh.place.client("member")
    assert "part 0." in page(member, "/")
    member.post(f"/papers/{fresh.plain[0]}/mark", data={"kind": "not-for-me", "on": "1"})
    assert "part 0." not in page(member, "/")
    assert "part 0." in page(fresh.place.client("curator"), "/")


# ---- corrections


def test_the_list_of_corrections_says_what_happened_and_who_was_sent_it(fresh: Collection) -> None:
    with fresh.place.house.database.write() as session:
        session.execute(update(DeliveryRow).values(state="sent", sent_at=NOW - timedelta(days=6)))
    member = fresh.place.client("member")
    text = words(page(member, "/integrity"))
    assert "Invented CAR-NK cells, part 2." in text
    assert "Sent to 1 person from 17 Nov 2026 on. Sent to you on 17 Nov 2026." in text
    assert "Nobody told yet: it goes into the next digest." in text
    assert "already so when first seen here" in text
    assert "Acknowledge" not in text
    assert "Acknowledge in the queue" in page(fresh.place.client("curator"), "/integrity")
    assert "Doubted cells." not in page(member, "/integrity?kind=retracted")
    assert "Doubted cells." in page(member, "/integrity?kind=concern")
    assert "part 2." in page(member, "/integrity?matters=mine")
    assert "None of these." in page(member, "/integrity?matters=kept")
    assert page(member, "/integrity?kind=odd", 422)
    # Two topics find it, one curator kept it in one of them: no page says that it was kept in both.
    curator = fresh.place.house.screening.curator("curator@lab.example")
    fresh.place.house.screening.decide([fresh.plain[2]], "keep", topics=["nk-adoptive"], actor=curator)
    kept = words(page(member, "/integrity?matters=kept"))
    assert "Kept in NK-cell adoptive therapy (unmodified or any). " in kept
    rows = list(csv.DictReader(io.StringIO(member.get("/integrity/export").content.decode("utf-8-sig"))))
    assert {(int(row["pmid"]), row["what"], row["sent_to"]) for row in rows} >= {
        (fresh.plain[2], "retracted", "1"),
        (fresh.pmid("concern"), "concern", "1"),
    }


def test_a_correction_that_was_mailed_says_so(fresh: Collection) -> None:
    place = fresh.place
    with place.house.database.write() as session:
        session.execute(update(DeliveryRow).values(state="sent", sent_at=NOW - timedelta(days=6)))
    place.house.publishing.publish()
    with place.house.database.write() as session:
        session.execute(update(DeliveryRow).where(DeliveryRow.state == "queued").values(state="sent", sent_at=NOW))
    text = words(page(place.client("member"), "/integrity?kind=retracted"))
    assert "1 person told of it from 23 Nov 2026 on." in text
    assert "You were told of its correction on 23 Nov 2026." in page(
        place.client("member"), f"/papers/{fresh.plain[2]}"
    )


# ---- saved searches


def test_a_search_is_saved_run_renamed_and_forgotten_by_whoever_keeps_it(fresh: Collection) -> None:
    member, curator, place = fresh.place.client("member"), fresh.place.client("curator"), fresh.place
    assert member.post("/searches", data={"name": "Mine", "query": "hands[ti]"}).status_code == 303
    assert curator.post("/searches", data={"name": "Theirs", "query": "doubted[ti]"}).status_code == 303
    mine, theirs = place.house.saved.one("Mine"), place.house.saved.one("Theirs")
    text = page(member, "/searches")
    assert f"/searches/{mine.id}/rename" in text
    assert f"/searches/{theirs.id}/rename" not in text
    assert place.house.links.feed(mine.key) in text
    refused = member.post(f"/searches/{theirs.id}/forget")
    assert refused.status_code == 422
    assert "Nothing was changed" in refused.text
    assert member.post(f"/searches/{theirs.id}/rename", data={"name": "Ours"}).status_code == 422
    assert member.post(f"/searches/{mine.id}/rename", data={"name": "theirs"}).status_code == 422
    assert member.post(f"/searches/{mine.id}/rename", data={"name": "Hands"}).status_code == 303
    assert curator.post(f"/searches/{mine.id}/forget").status_code == 303
    assert [each.name for each in place.house.saved.all()] == ["Theirs"]
    assert member.post(f"/searches/{mine.id}/forget").status_code == 404


def test_a_search_that_cannot_be_saved_is_shown_again_as_typed(held: Collection) -> None:
    answer = held.place.client("member").post("/searches", data={"name": "Odd", "query": "a AND ("})
    assert answer.status_code == 422
    assert 'value="a AND ("' in answer.text
    assert 'value="Odd"' in answer.text


# ---- roles (M-01)


def test_a_member_who_opens_an_admins_page_reads_of_roles_and_nothing_else(held: Collection) -> None:
    text = page(held.place.client("member"), "/health", 403)
    assert "Not for your role" in text
    assert "You are a member" in text
    assert "Searched" not in text
