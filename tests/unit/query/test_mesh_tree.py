"""The MeSH tree as a value, and the cut of it that ships."""

from __future__ import annotations

import pytest

from monitor.core.query import MeshTree
from monitor.core.query.qualifiers import qualifier_keys
from monitor.resources import load_mesh_tree, resource_dir
from tests.unit.query.invented import TREE


def test_headings_are_found_by_name_entry_term_and_ui() -> None:
    for text in ("Killer Cells, Natural", "killer cells natural", "NK cells", "D007694", " d007694 "):
        heading = TREE.find(text)
        assert heading is not None
        assert heading.ui == "D007694"
    assert TREE.find("Unheard Cells") is None


def test_explosion_covers_every_place_in_the_tree() -> None:
    assert TREE.explode("D007694") == {"D007694", "D015979"}
    assert TREE.explode("D009369") == {"D009369", "D008175", "D001943"}
    assert TREE.explode("D999999") == {"D999999"}


def test_a_name_wins_over_an_entry_term() -> None:
    tree = MeshTree.from_rows([("D1", "Tales", ("A01",), ("Fables",)), ("D2", "Fables", ("A02",), ())])
    heading = tree.find("fables")
    assert heading is not None
    assert heading.ui == "D2"


def test_a_number_that_begins_alike_is_not_narrower() -> None:
    tree = MeshTree.from_rows([("D1", "Tales", ("A01.1",), ()), ("D2", "Fables", ("A01.11",), ())])
    assert tree.explode("D1") == {"D1"}


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("therapeutic use", "adverse effects"), ("tu", "administration & dosage"), ("tu", "poisoning"),
        ("surgery", "transplantation"), ("therapy", "drug therapy"), ("therapy", "transplantation"),
        ("administration and dosage", "ad"), ("ME", "blood"),
    ],
)  # fmt: skip
def test_subheadings_explode_over_their_family(wide: str, narrow: str) -> None:
    assert qualifier_keys(narrow, explode=False) < qualifier_keys(wide) or qualifier_keys(narrow) == qualifier_keys(
        wide
    )
    assert len(qualifier_keys(wide, explode=False)) == 1


def test_a_word_that_is_no_subheading_has_no_family() -> None:
    assert qualifier_keys("fables") == frozenset()
    assert qualifier_keys("") == frozenset()


def test_the_tree_that_ships_is_small_and_says_where_it_is_from() -> None:
    path = resource_dir("db") / "seed" / "mesh_tree.tsv"
    assert path.stat().st_size < 300_000
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert "National Library of Medicine" in first
    assert "2024" in first


@pytest.mark.parametrize(
    ("heading", "ui", "narrower"),
    [
        ("Killer Cells, Natural", "D007694", {"D015979"}),
        ("Cytokine-Induced Killer Cells", "D055612", {"D013602", "D015979", "D016260"}),
        ("Adoptive Transfer", "D019264", {"D000093522", "D016219"}),
        ("Receptors, Chimeric Antigen", "D000076962", set()),
        ("Neoplasms", "D009369", {"D008175", "D006528"}),
        ("Clinical Trial", "D016430", {"D016449", "D017428"}),
        ("Retraction Notice", "D016440", set()),
        ("Expression of Concern", "D000075742", set()),
        ("Preprint", "D000076942", set()),
        ("Humans", "D006801", set()),
    ],
)  # fmt: skip
def test_what_the_starter_searches_explode(heading: str, ui: str, narrower: set[str]) -> None:
    tree = load_mesh_tree()
    held = tree.find(heading)
    assert held is not None
    assert held.ui == ui
    assert narrower <= tree.explode(ui)
    if not narrower:
        assert tree.explode(ui) == {ui}
