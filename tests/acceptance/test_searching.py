"""Searching, saving searches, exporting by search, judging and tagging at the terminal."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from monitor.build import build
from monitor.core.citation import Correction, InlineXml
from monitor.settings import load
from monitor.storage import checks, citations, events
from monitor.storage.tables import CitationRow, DecisionRow, SavedSearchRow
from tests.acceptance.cli_world import FIRST, Cli, new_home, process
from tests.factories import citation

TITLES = (
    "CAR-NK cells of invented donors",
    "A review of invented CAR-NK cells",
    "Cytokine-induced killer cells, invented",
    "肝癌与细胞因子诱导的杀伤细胞",
)
RETRACTED = {
    "publication_types": {"D016428": "Journal Article", "D016441": "Retracted Publication"},
    "corrections": (Correction("RetractionIn", "Invented J. 2026 Jan;1(1):1", FIRST + 900),),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = new_home(tmp_path_factory.mktemp("template") / "home")
    papers = [citation(FIRST + place, title=InlineXml(title)) for place, title in enumerate(TITLES)]
    papers.append(citation(FIRST + 4, title=InlineXml("CAR-NK cells that never were"), **RETRACTED))
    concern = (Correction("ExpressionOfConcernIn", "Invented J. 2026 Feb;1(2):2", FIRST + 901),)
    papers.append(citation(FIRST + 5, title=InlineXml("CAR-NK cells in doubt"), corrections=concern))
    with build(load(environ={}, home=home)) as here, here.database.write() as session:
        citations.keep(session, papers, datetime(2026, 11, 20, 9, tzinfo=UTC))
    return home


@pytest.fixture
def cli(terminal: Cli, template: Path) -> Cli:
    shutil.copytree(template, terminal.home)
    return terminal


def pmids(out: str) -> list[int]:
    return [int(line.rpartition("PMID: ")[2][:8]) for line in out.splitlines()]


# ---- search


def test_hits_come_newest_first_a_line_each_with_what_stands_against_them(cli: Cli) -> None:
    said = cli("search", '"CAR-NK"[ti]')
    assert said.code == 0
    lines = said.out.splitlines()
    assert pmids(said.out) == [FIRST + 5, FIRST + 4, FIRST + 1, FIRST]
    assert lines[0].startswith("EXPRESSION OF CONCERN. ")
    assert lines[1].startswith("RETRACTED. ")
    assert "CAR-NK cells of invented donors. Invented J Cell Ther." in lines[3]
    assert said.err == "4 of 4\n"


def test_pages_follow_each_other_to_the_end(cli: Cli) -> None:
    first = cli("search", "CAR-NK[ti]", "--limit", 3)
    assert first.err == f"3 of 4; next: --before {FIRST + 1}\n"
    second = cli("search", "CAR-NK[ti]", "--limit", 3, "--before", FIRST + 1)
    assert (pmids(second.out), second.err) == ([FIRST], "1 of 4\n")


def test_no_hits_are_no_failure(cli: Cli) -> None:
    said = cli("search", "zebrafish")
    assert (said.code, said.out, said.err) == (0, "", "Nothing in the library matches.\n")
    assert cli("search", "zebrafish", "--json").json["hits"] == []
    assert cli("search", "zebrafish", "--count").out == "0\n"


def test_a_query_may_stand_in_several_words_and_in_chinese(cli: Cli) -> None:
    assert pmids(cli("search", "invented", "AND", "killer", "NOT", "donors[ti]").out) == [FIRST + 2]
    assert pmids(cli("search", "肝癌").out) == [FIRST + 3]


def test_a_hit_as_json_has_what_is_known_of_it_here(cli: Cli) -> None:
    cli("screen", FIRST, "keep", "--topic", "car-nk")
    cli("tag", FIRST, "--add", "HCC", "--level", "B2", "--claim", "C7")
    found = cli("search", "hcc[tag]", "--json").json
    assert (found["query"], found["count"], found["next_before"], found["notes"]) == ("hcc[tag]", 1, None, [])
    (hit,) = found["hits"]
    assert hit.pop("citation").endswith(f"PMID: {FIRST}.")
    assert hit == {
        "pmid": FIRST,
        "retracted": False,
        "concern": False,
        "withdrawn": False,
        "provisional": False,
        "added_on": "2026-11-20",
        "topics": ["car-nk"],
        "tags": ["hcc"],
        "level": "B2",
        "claims": ["C07"],
        "decision": "keep",
    }


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("car-nk[topic]", [0]),
        ("keep[decision]", [0]),
        ("open[decision] AND CAR-NK[ti]", [5, 4, 1]),
        ("b2[level] OR c07[claim]", [0]),
        ("hc*[tag]", [0]),
        ("isretracted", [4]),
        ("hasconcern", [5]),
        ("2026/11/20[added] AND CAR-NK[ti]", [5, 4, 1, 0]),
        ("2026/11/21[added]", []),
        (f"{FIRST} {FIRST + 2}", [2, 0]),
    ],
)
def test_fields_of_ours_are_searched_like_pubmeds(cli: Cli, query: str, numbers: list[int]) -> None:
    cli("screen", FIRST, "keep", "--topic", "car-nk")
    cli("tag", FIRST, "--add", "HCC", "--level", "B2", "--claim", "C7")
    said = cli("search", query)
    assert (said.code, pmids(said.out)) == (0, [FIRST + number for number in numbers]), said.err


def test_relevance_puts_the_best_first_on_one_page(cli: Cli) -> None:
    said = cli("search", "review OR CAR-NK[ti]", "--relevance", "--limit", 1)
    assert pmids(said.out) == [FIRST + 1]
    assert said.err == "1 of 4\n"


def test_facets_count_and_say_how_to_narrow(cli: Cli) -> None:
    cli("tag", FIRST, FIRST + 1, "--add", "invented", "--level", "D")
    said = cli("search", "CAR-NK[ti]", "--facets")
    assert said.code == 0
    assert "year\n        4  2024\n" in said.out
    assert "flag\n        1  concern\n        1  retracted\n" in said.out or "        1  retracted\n" in said.out
    found = cli("search", "CAR-NK[ti]", "--facets", "--json").json
    assert (found["counted"], found["whole"]) == (4, True)
    assert found["facets"]["tag"][0]["count"] == 2
    for kind, values in found["facets"].items():
        for each in values:
            narrowed = cli("search", f"(CAR-NK[ti]) AND {each['query']}", "--count")
            assert narrowed.out == f"{each['count']}\n", (kind, each)


def test_why_a_search_finds_a_paper_or_does_not_is_told_part_by_part(cli: Cli) -> None:
    said = cli("search", '"CAR-NK"[ti] AND donors NOT (mice OR review[ti])', "--explain", FIRST)
    assert (said.code, said.out.splitlines()) == (
        0,
        [
            f"PMID {FIRST} is found; all of these parts must fit:",
            '  "CAR-NK"[ti]: fits',
            "      title: CAR-NK",
            "  donors: fits",
            "      title: donors",
            "  mice OR review[ti]: NOT, and it does not fit",
        ],
    )
    other = cli("search", '"CAR-NK"[ti] AND donors NOT (mice OR review[ti])', "--explain", FIRST + 1)
    assert "is not found" in other.out
    assert "  donors: does not fit\n" in other.out
    assert "  mice OR review[ti]: NOT, and it fits\n" in other.out
    either = cli("search", "mice OR donors OR the", "--explain", FIRST, "--json").json
    assert (either["found"], either["joined"]) == (True, "any")
    assert [(each["query"], each["fits"], each["ignored"]) for each in either["parts"]] == [
        ("mice", False, False),
        ("donors", True, False),
        ("the", False, True),
    ]
    assert either["parts"][1]["matches"][0]["words"] == "donors"
    assert cli("search", "cells", "--explain", 1).code == 1


def test_of_untagged_words_each_is_explained(cli: Cli) -> None:
    said = cli("search", "donors and zebrafish", "--explain", FIRST)
    assert said.out == (
        f"PMID {FIRST} is not found; all of these parts must fit:\n"
        "  donors: fits\n      title: donors\n  and: ignored\n  zebrafish: does not fit\n"
    )
    either = cli("search", "(mermaid OR killer cells)", "--explain", FIRST + 2, "--json").json
    assert [(each["query"], each["fits"]) for each in either["parts"]] == [("mermaid", False), ("killer cells", True)]


def test_a_search_loads_nothing_that_it_does_not_need(cli: Cli) -> None:
    """What each of these takes to load, every search would take."""
    code = """import sys
from monitor.__main__ import main
sys.argv = ["monitor", "--home", sys.argv[1], "search", "donors"]
try:
    main()
except SystemExit as error:
    print(error.code, sorted({"alembic", "lxml", "fastapi", "jinja2", "Bio", "apscheduler", "yaml"} & set(sys.modules)))
"""
    said = subprocess.run([sys.executable, "-c", code, cli.home], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "0 []"


def test_what_no_record_can_answer_is_said(cli: Cli) -> None:
    said = cli("search", "CAR-NK[ti] OR antineoplastic agents[pa]")
    assert said.code == 0
    assert "[pa] finds nothing here: records do not hold pharmacological actions" in said.err


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("donors or killer", "or in lower case is ignored, as PubMed does, and all words must fit; write OR"),
        ("donors not killer", "not in lower case is ignored, as PubMed does, and all words must fit; write NOT"),
        ("car* donors", "the * of car* is ignored: it goes to the very end, behind 4 letters or more"),
        ("nosuch[topic]", "nosuch[topic] finds nothing here: no topic is called so; there are car-nk, ipsc-nk,"),
        ("nosuch[wide]", "nosuch[wide] finds nothing here: no wide is called so; there are car-nk, ipsc-nk,"),
        ("Z[level]", "Z[level] finds nothing here: no level is called so; there are A, B1, B2,"),
    ],
)
def test_what_is_read_otherwise_than_it_may_be_meant_is_said(cli: Cli, query: str, says: str) -> None:
    said = cli("search", query)
    assert (said.code, says in said.err) == (0, True), said.err
    assert any(says in each for each in cli("search", query, "--json").json["notes"])
    for words in (("--count",), ("--facets",), ("--save", "x"), ("--explain", FIRST)):
        assert says in cli("search", query, *words).err
    assert says in cli("export", query).err


@pytest.mark.parametrize("query", ["donors AND killer", "invent* cell*", '"or"[ti]', "car*[topic]", "b*[level]"])
def test_what_is_read_as_it_is_meant_needs_no_note(cli: Cli, query: str) -> None:
    assert cli("search", query, "--json").json["notes"] == []


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("donors zebrafish", {"donors": 1, "zebrafish": 0}),
        ("donors[ti] AND review AND (zebrafish OR killer)", {"donors[ti]": 1, "review": 1, "zebrafish OR killer": 1}),
        ("donors NOT cells", {"donors": 1}),
        ("cells donors NOT CAR-NK[ti]", {"cells": 6, "donors": 1, "cells donors": 1}),
        ("zebrafish OR mermaid", {}),
    ],
)
def test_a_search_without_hits_says_what_each_part_finds_alone(cli: Cli, query: str, parts: dict[str, int]) -> None:
    alone = cli("search", query, "--json").json["alone"]
    assert {each["query"]: each["count"] for each in alone} == parts
    said = cli("search", query).err.splitlines()
    assert said[said.index("Nothing in the library matches.") + 1 :] == [f"  {n:>7,}  {q}" for q, n in parts.items()]


def test_a_hit_that_pubmed_took_back_or_that_was_never_fetched_says_so(cli: Cli) -> None:
    with build(load(environ={}, home=cli.home)) as here, here.database.write() as session:
        moment = datetime(2026, 11, 21, 9, tzinfo=UTC)
        checks.withdraw(session, [FIRST], moment)
        session.execute(update(CitationRow).where(CitationRow.pmid == FIRST + 1).values(provisional=True))
    lines = cli("search", "CAR-NK[ti] NOT isretracted NOT hasconcern").out.splitlines()
    assert [line.partition(". ")[0] for line in lines] == ["PROVISIONAL", "WITHDRAWN FROM PUBMED"]
    hits = cli("search", f"{FIRST} {FIRST + 1}", "--json").json["hits"]
    assert [(each["withdrawn"], each["provisional"]) for each in hits] == [(False, True), (True, False)]


def test_a_query_that_cannot_be_read_is_shown_with_the_place(cli: Cli) -> None:
    said = cli("search", "CAR-NK[ti] AND (donors OR")
    assert said.code == 2
    text, caret = said.err.splitlines()[-2:]
    assert text == "  CAR-NK[ti] AND (donors OR"
    assert caret.strip() == "^"
    unknown = cli("export", "donors[nosuch]")
    assert (unknown.code, unknown.out) == (2, "")
    assert unknown.err.splitlines()[-1].index("^") == "  donors[".index("[")


# ---- saved searches


def test_a_search_is_saved_run_renamed_and_forgotten(cli: Cli) -> None:
    assert "No search is saved" in cli("search", "--list").err
    saved = cli("search", "CAR-NK[ti]", "NOT", "isretracted", "--save", "Sound CAR-NK", "--json").json
    assert saved["query"] == "CAR-NK[ti] NOT isretracted"
    assert saved["feeds"]["atom"].startswith("http://127.0.0.1:8000/feeds/")
    assert pmids(cli("search", "@Sound CAR-NK").out) == [FIRST + 5, FIRST + 1, FIRST]
    assert cli("search", "@sound", "car-nk", "--count").out == "3\n"
    listed = cli("search", "--list")
    assert listed.out == f"@Sound CAR-NK: CAR-NK[ti] NOT isretracted\n  feed: {saved['feeds']['atom']}\n"
    clash = cli("search", "zebrafish", "--save", "sound car-nk")
    assert (clash.code, "is kept already, for CAR-NK[ti] NOT isretracted" in clash.err) == (2, True)
    assert cli("search", "zebrafish", "--save", "sound car-nk", "--replace").code == 0
    renamed = cli("search", "@Sound CAR-NK", "--rename", "Fish")
    assert (renamed.code, renamed.out.splitlines()[0]) == (0, "@Fish: zebrafish")
    assert saved["feeds"]["atom"] in renamed.out
    assert cli("search", "--list", "--json").json[0]["name"] == "Fish"
    assert cli("search", "--forget", "fish").out == "Fish is forgotten; its feed has ended.\n"
    gone = cli("search", "@Fish")
    assert (gone.code, "no saved search is called 'Fish'" in gone.err) == (2, True)


def test_a_search_that_fails_is_not_saved(cli: Cli) -> None:
    for query in ("(donors", "#3 AND donors"):
        assert cli("search", query, "--save", "x").code == 2
    assert cli("search", "--list", "--json").json == []


def test_a_saved_search_that_can_no_longer_be_read_says_how_to_put_it_right(cli: Cli) -> None:
    cli("search", "donors", "--save", "my own")
    with build(load(environ={}, home=cli.home)) as here, here.database.write() as session:
        session.execute(update(SavedSearchRow).values(query="(donors"))
    for command in ("search", "export"):
        said = cli(command, "@my own")
        assert (said.code, said.out) == (2, "")
        assert said.err.endswith(
            "@my own stands for that. Put it right, its feed stays: monitor search QUERY --save 'my own' --replace\n"
        )
    assert cli("search", "donors", "--save", "my own", "--replace").code == 0
    assert pmids(cli("search", "@my own").out) == [FIRST]


def test_a_saved_search_can_be_saved_under_another_name(cli: Cli) -> None:
    cli("search", "donors", "--save", "one")
    assert cli("search", "@one", "--save", "two").out.splitlines()[0] == "@two: donors"


def test_the_printed_addresses_lead_to_feeds(cli: Cli) -> None:
    """As a reader asks, over a socket: the file, then only whether it is still the same."""
    saved = cli("search", "CAR-NK[ti]", "--save", "mine", "--json").json
    shown = cli("topic", "show", "car-nk")
    (topic,) = re.findall(r"^feed: (\S+)$", shown.out, re.MULTILINE)
    assert cli("topic", "show", "car-nk", "--json").json["feeds"]["atom"] == topic
    with process(cli.home, "web", "--port", "0") as running:
        here = running.until(r"Pages: (http://\S+?)/?\s")[1]
        for address in (*saved["feeds"].values(), topic):
            url = address.replace("http://127.0.0.1:8000", here)
            with urllib.request.urlopen(url, timeout=30) as answer:
                body, etag = answer.read(), answer.headers["etag"]
            assert (b"RETRACTED: CAR-NK cells that never were" in body) == (address != topic)
            again = urllib.request.Request(url, headers={"If-None-Match": etag})
            with pytest.raises(urllib.error.HTTPError) as same:
                urllib.request.urlopen(again, timeout=30)
            assert (same.value.code, same.value.read()) == (304, b"")
            same.value.close()
        assert running.stop(signal.SIGINT) == 0


# ---- export


def test_what_a_search_finds_can_be_exported(cli: Cli) -> None:
    cli("search", "CAR-NK[ti]", "--save", "mine")
    for words in (["CAR-NK[ti]"], ["@mine"]):
        lines = cli("export", *words).out.splitlines()
        assert [json.loads(line)["pmid"] for line in lines] == [FIRST + 5, FIRST + 4, FIRST + 1, FIRST]
    assert cli("export", "donors", "--format", "ris").out.count("TY  - ") == 1
    target = cli.home.parent / "found.bib"
    assert cli("export", "killer[ti] OR donors[ti]", "--format", "bibtex", "-o", target).code == 0
    assert target.read_text(encoding="utf-8").count("@article{") == 2


def test_numbers_alone_are_pmids_in_their_order_and_unknown_ones_are_named(cli: Cli) -> None:
    for words in ([FIRST + 2, FIRST, 1], [f"{FIRST + 2}, {FIRST} 1"]):
        said = cli("export", *words)
        assert [json.loads(line)["pmid"] for line in said.out.splitlines()] == [FIRST + 2, FIRST]
        assert (said.code, said.err) == (1, "PMID 1 is not in the library.\n")


def test_an_export_that_finds_nothing_says_so(cli: Cli) -> None:
    said = cli("export", "zebrafish")
    assert (said.code, said.out, said.err) == (0, "", "Nothing in the library matches.\n")
    assert cli("export", "@nosuch").code == 2


# ---- screen and tag


def test_papers_are_judged_shown_and_taken_back(cli: Cli) -> None:
    said = cli("screen", FIRST, FIRST + 1, "keep", "--topic", "car-nk", "--topic", "cik")
    assert (said.code, said.out) == (0, f"{FIRST}  keep in car-nk, cik\n{FIRST + 1}  keep in car-nk, cik\n")
    dismissed = cli("screen", FIRST, "dismiss", "--reason", "other", "--note", "a poster", "--json").json
    assert dismissed == [
        {
            "pmid": FIRST,
            "verdict": "dismiss",
            "topics": [],
            "reason": "other",
            "note": "a poster",
            "until": None,
            "asked": None,
            "tags": [],
            "level": None,
            "claims": [],
            "reopened": False,
            "changed": True,
        }
    ]
    assert cli("screen", FIRST).out == f"{FIRST}  dismiss as other: another reason, told in a note; note: a poster\n"
    assert cli("screen", FIRST, "undo").out == f"{FIRST}  keep in car-nk, cik\n"
    assert cli("screen", FIRST, "undo").out == f"{FIRST}  not screened\n"
    assert cli("screen", FIRST, "undo").code == 2


def test_a_paper_is_put_aside_until_a_day_and_for_somebody(cli: Cli) -> None:
    cli("person", "add", "curator@lab.example", "--role", "curator")
    said = cli("screen", FIRST, "maybe", "--until", "2099-01-31", "--ask", "curator@lab.example")
    assert said.out == f"{FIRST}  maybe; put aside until 2099-01-31; waits for somebody who was asked\n"
    assert cli("screen", FIRST, "--json").json[0]["until"] == "2099-01-31"
    for words, says in (
        (("maybe", "--until", "2001-01-31"), "2001-01-31 is not a day to come"),
        (("maybe", "--until", "soon"), "--until: 'soon' is not a date"),
        (("maybe", "--ask", "nobody@lab.example"), "nobody here has the address"),
        (("keep", "--topic", "cik", "--until", "2099-01-31"), "goes with maybe"),
        (("undo", "--until", "2099-01-31"), "--until and --ask go with maybe"),
    ):
        wrong = cli("screen", FIRST, *words)
        assert (wrong.code, wrong.out, says in wrong.err) == (2, "", True), wrong.err


def test_tags_levels_and_claims_are_put_on_shown_and_taken_off(cli: Cli) -> None:
    said = cli("tag", FIRST, "--add", "HCC", "--add", "review", "--level", "b1", "--claim", "c12")
    assert (said.code, said.out) == (0, f"{FIRST}  tags hcc, review; level B1 (randomised); claims C12\n")
    changed = cli("tag", FIRST, "--remove", "review", "--no-level", "--no-claim", "C12", "--note", "not a trial")
    assert changed.out == f"{FIRST}  tags hcc\n"
    assert cli("tag", FIRST, FIRST + 1).out == f"{FIRST}  tags hcc\n{FIRST + 1}  not screened\n"
    shown = cli("show", FIRST)
    assert "\nScreening: tags hcc\nProposed: " in shown.out
    assert cli("show", FIRST, "--json").json["screening"]["tags"] == ["hcc"]


def test_a_paper_whose_abstract_changed_is_listed_to_be_read_again(cli: Cli) -> None:
    assert "No verdict rests" in cli("screen", "--reopened").err
    cli("screen", FIRST, FIRST + 1, "maybe")
    with build(load(environ={}, home=cli.home)) as here, here.database.write() as session:
        held = citations.load(session, [FIRST])[FIRST]
        changed = citation(FIRST, title=held.title, abstract="Invented cells did nothing at all.")
        citations.keep(session, [changed], datetime.now(UTC))
    assert cli("screen", "--reopened").out == f"{FIRST}  maybe; title or abstract changed since: read again\n"
    assert cli("screen", "--reopened", "--json").json[0]["reopened"] is True


def test_whoever_decides_is_named_and_has_to_be_allowed(cli: Cli) -> None:
    cli("person", "add", "curator@lab.example", "--role", "curator")
    cli("person", "add", "member@lab.example")
    cli("person", "add", "admin@lab.example", "--role", "admin")
    cli("person", "add", "gone@lab.example", "--role", "admin")
    assert cli("person", "disable", "gone@lab.example").code == 0
    for address, says in (
        ("member@lab.example", "member@lab.example is a member, and papers are judged by curators and admins"),
        ("gone@lab.example", "gone@lab.example is disabled"),
        ("nobody@lab.example", "nobody here has the address nobody@lab.example"),
        ("nobody", "'nobody' is not an address"),
    ):
        for words in (("screen", FIRST, "maybe"), ("screen", FIRST, "undo"), ("tag", FIRST, "--add", "hcc")):
            said = cli(*words, "--by", address)
            assert (said.code, said.out, says in said.err) == (2, "", True), said.err
    assert cli("screen", FIRST).out == f"{FIRST}  not screened\n"
    assert cli("screen", FIRST, "maybe", "--by", "Curator@lab.example").code == 0
    assert cli("tag", FIRST, "--add", "hcc", "--by", "curator@lab.example").code == 0
    assert cli("screen", FIRST, "undo", "--by", "curator@lab.example").code == 0
    assert cli("screen", FIRST, "maybe").code == 0
    with build(load(environ={}, home=cli.home)) as here, here.database.read() as session:
        said_by = [(each.action, each.actor, each.role) for each in events.about(session, f"citation:{FIRST}")]
        people = set(session.scalars(select(DecisionRow.person_id)))
    assert said_by == [
        ("screen.maybe", "curator@lab.example", "curator"),
        ("screen.label", "curator@lab.example", "curator"),
        ("screen.undo", "curator@lab.example", "curator"),
        ("screen.maybe", "command line", "admin"),
    ]
    assert len(people) == 2
    assert None in people


WRONG = [
    "search",
    "search --count",
    "search cells --limit 0",
    "search cells --limit 1001",
    "search cells --before 0",
    "search cells --before 90000001 --relevance",
    "search cells --count --facets",
    "search cells --list",
    "search cells --count --before 90000001",
    "search cells --replace",
    "search cells --rename x",
    "search @nosuch --rename x",
    "search @nosuch",
    "search @",
    "search --forget nosuch",
    "search cells --forget nosuch",
    "search cells --save @",
    "search cells[ti",
    "search #3",
    "search cells --explain 0",
    "search cells --explain x",
    "export cells --format docx",
    "export 0",
    "export 99999999999",
    "export " + "9" * 5000,
    "export (",
    "screen",
    "screen keep",
    "screen 90000001 keep",
    "screen 90000001 keep --topic nosuch",
    "screen 90000001 accept --topic car-nk",
    "screen 90000001 dismiss",
    "screen 90000001 dismiss --reason dull",
    "screen 90000001 dismiss --reason other",
    "screen 90000001 maybe --reason other",
    "screen 90000001 undo --note x",
    "screen 90000001 --topic car-nk",
    "screen 90000001 1 maybe",
    "screen x 90000001 maybe",
    "screen 0 maybe",
    "screen 99999999999 maybe",
    "screen 90000001 --reopened",
    "screen 90000001 undo",
    "tag",
    "tag x",
    "tag 1 --add a",
    "tag 90000001 --add *",
    "tag 90000001 --add a --remove A",
    "tag 90000001 --level Z",
    "tag 90000001 --level A --no-level",
    "tag 90000001 --claim 12",
    "tag 90000001 --note x",
    "tag 90000001 --by curator@lab.example",
    "screen 90000001 --by curator@lab.example",
    "screen --reopened --by curator@lab.example",
]


def test_whatever_is_wrong_is_told_in_a_sentence_and_changes_nothing(cli: Cli) -> None:
    for line in WRONG:
        said = cli(*line.split())
        assert (said.code, said.out) == (2, ""), (line, said.everything)
        assert said.err.strip(), line
        assert "Traceback" not in said.err, line
    assert cli("screen", FIRST).out == f"{FIRST}  not screened\n"
    assert cli("search", "--list", "--json").json == []


def test_unknown_pmids_are_named_and_the_known_ones_shown(cli: Cli) -> None:
    for command in ("screen", "tag"):
        said = cli(command, 1, FIRST)
        assert (said.code, said.out) == (1, f"{FIRST}  not screened\n")
        assert said.err == "PMID 1 is not in the library.\n"
