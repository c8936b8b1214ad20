"""Searches people wrote: the starter topics, 24 review searches, a long dated one, and 20 written for Ovid."""

from __future__ import annotations

import json
import re
import tarfile
from typing import Any

import pytest
import yaml

from monitor.core.query import Query, Term, parse, render, terms, undecidable
from monitor.errors import QuerySyntaxError
from monitor.resources import load_mesh_tree
from tests.shared import SHARED, STARTER, needs_shared


def round_trip(text: str) -> Query:
    query = parse(text)
    assert parse(render(query)) == query
    return query


def expanded(text: str, blocks: dict[str, Any]) -> str:
    def block(name: re.Match[str]) -> str:
        lines = blocks[name[1]]
        joint = " OR " if "any" in lines else " AND "
        inner = (f"({expanded(line['q'], blocks)})" for line in lines.get("any") or lines["all"])
        return f"({joint.join(inner)})"

    return re.sub(r"\{(\w+)\}", block, text)


@needs_shared
def test_every_line_of_the_starter_topics() -> None:
    data = yaml.safe_load((STARTER / "queries.yaml").read_text(encoding="utf-8"))
    lines = [
        line["q"] for topic in data["topics"].values() for lane in ("core", "wide") for line in topic.get(lane, [])
    ]
    assert len(lines) > 30
    tree = load_mesh_tree()
    for line in lines:
        query = round_trip(expanded(line, data["blocks"]))
        assert undecidable(query, tree) == ()
        for leaf in terms(query):
            if isinstance(leaf, Term) and leaf.field in {"mh", "majr", "pt"}:
                assert tree.find(leaf.text.partition("/")[0]), f"{leaf.text} is not in the tree that ships"


@needs_shared
def test_review_searches_written_for_pubmed() -> None:
    refused = []
    lines = (SHARED / "searches" / "sysrev-seed-collection-dev.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 24
    for line in map(json.loads, lines):
        for kind in ("query", "edited_search"):
            try:
                round_trip(line[kind])
            except QuerySyntaxError as error:
                refused.append((line["id"], kind, error.message))
    assert refused == [("102", "edited_search", "this ( is never closed")]  # and it is not


@needs_shared
def test_thirty_dated_copies_of_a_very_long_search() -> None:
    with tarfile.open(SHARED / "searches" / "zheln-systematic-subset-queries.tar.gz") as archive:
        texts = [
            file.read().decode()
            for member in archive
            if member.name.endswith(".txt") and (file := archive.extractfile(member))
        ]
    assert len(texts) == 30
    for text in texts:
        assert len(terms(round_trip(text))) == 206


@needs_shared
def test_searches_written_for_ovid_are_refused_as_such() -> None:
    seen = 0
    with tarfile.open(SHARED / "searches" / "clef-tar-2019-task2-training-intervention.tar.gz") as archive:
        for member in archive:
            if "/topics/" not in member.name or not (file := archive.extractfile(member)):
                continue
            seen += 1
            text = file.read().decode().partition("Query:")[2].partition("Pids:")[0]
            with pytest.raises(QuerySyntaxError, match="looks like Ovid"):
                parse(text)
    assert seen == 20


@pytest.mark.parametrize(
    "text",
    [
        '("Fable Cells"[Mesh:NoExp] OR "fable cell*"[tiab] OR "FB-92"[tiab] OR FB92[tiab])',
        '("fable cell therap*"[tiab] AND (fever[tiab] OR "adverse effects"[sh])) NOT (Animals[Mesh] not (Animals[Mesh] and Humans[Mesh]))',
        '"FAB FB"[tiab:~2] OR "invented fable story"[tiab:~3] OR "a b" [Supplementary Concept]',
        "(\n  (\n    \"fable review\"[ti] OR fable review[pt]\n  )\n  AND\n  1865/01/01:2020/09/01[crdt]\n)\nNOT\n(\"comment\"[pt] AND 1865/01/01:2020/09/01[dcom])",
        "hurtle fable[tiab] OR Post-mortem[tiab] OR (face-to-face[tiab]) OR Randomized fable trial[pt] OR “usual care”[tiab]",
        '"retracted publication"[pt] OR hasretractionof OR hasexpressionofconcernin',
        '("2025/01/01"[Date - Create] : "3000"[Date - Create]) AND (humans[Filter]) AND (clinicaltrial[Filter])',
    ],
)  # fmt: skip
def test_the_same_shapes_in_invented_words(text: str) -> None:
    round_trip(text)
