"""What the shipped vocabulary must propose: invented sentences that hold the false friends of the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.core.citation import Abstract, AbstractSection, Citation, InlineXml, MeshHeading, MeshTerm, PublicationType
from monitor.core.vocabulary import propose
from monitor.resources import load_mesh_tree
from tests.factories import citation
from tests.unit.vocabulary.shipped import vocabulary

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("golden.yaml").read_text("utf-8"))["cases"]


def of(case: dict[str, Any]) -> Citation:
    return citation(
        title=InlineXml(case["t"]),
        abstract=Abstract((AbstractSection(InlineXml(case["a"])),)),
        author_lists=(),
        publication_types=tuple(PublicationType(None, name) for name in case.get("pt", ())),
        mesh_headings=tuple(MeshHeading(MeshTerm(ui, ui)) for ui in case.get("mesh", ())),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["t"][:40])
def test_golden_case(case: dict[str, Any]) -> None:
    found = propose(vocabulary(), of(case), load_mesh_tree())
    offered = {each.term for each in found.tags}
    assert set(case["has"]) <= offered
    assert not set(case["not"]) & offered
    off_topic = {each.id for each in found.off_topic}
    assert set(case.get("offtopic", ())) <= off_topic
    assert not set(case.get("not_offtopic", ())) & off_topic
    assert all(each.reasons or each.implied_by for each in (*found.tags, *found.hidden))
