"""The invented papers prove every starter line: found by it alone, missed though close, and found in company."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.core.citation import Citation
from monitor.core.query import document, matches, parse
from monitor.pubmed.parse import read_records
from monitor.resources import load_mesh_tree

SEED = Path(__file__).resolve().parents[2] / "db" / "seed"
SOURCE: dict[str, Any] = yaml.safe_load((SEED / "demo.yaml").read_text(encoding="utf-8"))
QUERIES: dict[str, Any] = yaml.safe_load((SEED / "queries.yaml").read_text(encoding="utf-8"))
PAPERS = {paper["n"]: paper for paper in SOURCE["papers"]}
BLOCKS = {name: [line["q"] for line in block["any"]] for name, block in QUERIES["blocks"].items()}


def expand(text: str) -> str:
    for name, lines in BLOCKS.items():
        if f"{{{name}}}" in text:
            text = text.replace(f"{{{name}}}", "(" + " OR ".join(f"({expand(line)})" for line in lines) + ")")
    return text


def all_lines() -> dict[str, str]:
    out = {f"{name}.{n}": line for name, lines in BLOCKS.items() for n, line in enumerate(lines, 1)}
    for topic, each in QUERIES["topics"].items():
        for lane in ("core", "wide"):
            out |= {f"{topic}.{lane}.{n}": line["q"] for n, line in enumerate(each.get(lane, []), 1)}
    return out


LINES = all_lines()


@pytest.fixture(scope="module")
def first_states() -> dict[int, Citation]:
    found: dict[int, Citation] = {}
    for record in read_records([(SEED / "demo_corpus.xml").read_bytes()]):
        if isinstance(record, Citation):
            found.setdefault(record.pmid - 90_000_000, record)
    return found


@pytest.fixture(scope="module")
def found(first_states: dict[int, Citation]) -> dict[str, set[int]]:
    tree = load_mesh_tree()
    documents = {n: document(citation) for n, citation in first_states.items()}
    searches = {name: parse(expand(line)) for name, line in LINES.items()}
    return {name: {n for n, doc in documents.items() if matches(query, doc, tree)} for name, query in searches.items()}


def block(line: str) -> str:
    return line.rpartition(".")[0]


@pytest.mark.parametrize("line", sorted(LINES))
def test_every_line_has_a_paper_of_its_own_a_near_miss_and_three_in_all(line: str, found: dict[str, set[int]]) -> None:
    rivals = [found[other] for other in LINES if block(other) == block(line) and other != line]
    alone = found[line] - set().union(*rivals)
    near = {n for n, paper in PAPERS.items() if line in paper.get("near", [])}
    assert alone, "no paper is found by this line alone"
    assert near, "no near miss"
    assert not near & found[line]
    assert len(found[line] | near) >= 3


@pytest.mark.parametrize("n", [n for n, paper in PAPERS.items() if {"only", "near", "also"} & set(paper)])
def test_a_probe_says_the_truth_about_itself(n: int, found: dict[str, set[int]]) -> None:
    paper = PAPERS[n]
    for line in paper.get("only", []):
        assert [other for other in LINES if block(other) == block(line) and n in found[other]] == [line]
    for line in paper.get("also", []):
        assert n in found[line]
    for line in paper.get("near", []):
        assert n not in found[line]


def test_the_corpus_is_whole_and_marked_as_invented(first_states: dict[int, Citation]) -> None:
    assert len(first_states) >= 120
    assert set(first_states) == set(PAPERS)
    assert all(90_000_000 < citation.pmid < 90_001_000 for citation in first_states.values())
    assert all("nvented" in (citation.journal.title or "") for citation in first_states.values() if citation.journal)


def test_the_corpus_is_in_step_with_its_source() -> None:
    spec = importlib.util.spec_from_file_location("write_demo_corpus", SEED / "write_demo_corpus.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.corpus(SOURCE) == (SEED / "demo_corpus.xml").read_text(encoding="utf-8")
