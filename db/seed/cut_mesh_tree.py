"""Cut the part of NLM's MeSH that the starter searches, vocabulary and levels need into `mesh_tree.tsv`.

    python db/seed/cut_mesh_tree.py mesh-tree-numbers.tsv.gz mesh-terms.tsv.gz OUTPUT YEAR STARTER.yaml...

Both inputs are tab-separated with a header line. Tree numbers: descriptor UI, name, tree number; name and number
of the top of that tree in the sixth and eighth column. Terms: descriptor UI, name, and one term in the fifth. Kept are the headings that the starter
files name (by UI, by name or entry term before a [Mesh], [Majr] or [pt] tag, or by tree number), everything narrower, what
PubMed's species, sex and age filters name, and all publication types. Entry terms are kept for the headings
named and for publication types.
"""

from __future__ import annotations

import csv
import gzip
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

FILTERS = (
    "Humans",
    "Male",
    "Female",
    "Infant",
    "Infant, Newborn",
    "Child",
    "Child, Preschool",
    "Adolescent",
    "Adult",
    "Young Adult",
    "Middle Aged",
    "Aged",
    "Aged, 80 and over",
)
NAMED_ONLY = ("Animals",)
"""Too broad to carry everything narrower: kept as a heading, exploded only over what is here anyway."""

RENAMED = {"D016440": ("Retraction Notice",)}
"""Names that NLM gave since, or that records still carry."""

UI = re.compile(r"\bD\d{6}(?:\d{3})?\b")
TREE_NUMBER = re.compile(r"\b[A-NVZ]\d\d(?:\.\d{3})+\b")
TAGGED = re.compile(r'"([^"]+)"\s*\[(?:mesh|mh|majr)\b|([\w-]+)\[(?:mesh|mh|majr)\b', re.IGNORECASE)


def rows(path: Path) -> Iterator[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(reader)
        yield from reader


def cut(tree_file: Path, terms_file: Path, output: Path, year: str, starters: list[Path]) -> None:
    names: dict[str, str] = {}
    terms: dict[str, set[str]] = defaultdict(set)
    for ui, name, _, _, term, *_ in rows(terms_file):
        names[ui] = name
        terms[ui].add(term)
    for ui, later in RENAMED.items():
        terms[ui].update(later)
    by_name = {term.casefold(): ui for ui, each in terms.items() for term in each}
    by_name |= {name.casefold(): ui for ui, name in names.items()}
    numbers: dict[str, set[str]] = defaultdict(set)
    for ui, name, number, _, _, top_name, _, top, _ in rows(tree_file):
        names[ui] = name
        numbers[ui].add(number)
        if top_ui := by_name.get(top_name.casefold()):  # the table has no rows of their own for C04 and its like
            numbers[top_ui].add(top)

    text = "\n".join(path.read_text(encoding="utf-8") for path in starters)
    named = {ui for ui in UI.findall(text) if ui in names}
    for quoted, bare in TAGGED.findall(text):
        heading = (quoted or bare).partition("/")[0].casefold()
        if heading not in by_name:
            sys.stderr.write(f"not a heading in this table: {heading}\n")
            continue
        named.add(by_name[heading])
    named |= {by_name[name.casefold()] for name in FILTERS}
    alone = {by_name[name.casefold()] for name in NAMED_ONLY}

    prefixes = {number for ui in named - alone for number in numbers[ui]} | set(TREE_NUMBER.findall(text)) | {"V"}
    kept = {
        ui
        for ui, places in numbers.items()
        if any(place[0] == "V" or any(prefix in prefixes for prefix in ancestors(place)) for place in places)
    }
    kept |= alone
    kept |= named
    types = {ui for ui in kept if any(place.startswith("V") for place in numbers[ui])}
    with output.open("w", encoding="utf-8", newline="\n") as out:
        out.write(
            f"# Medical Subject Headings (MeSH), U.S. National Library of Medicine, {year}; "
            "cut by db/seed/cut_mesh_tree.py; UI, heading, tree numbers, entry terms\n"
        )
        for ui in sorted(kept):
            entry_terms = sorted(terms[ui] - {names[ui]}) if ui in named | types | alone else []
            out.write("\t".join((ui, names[ui], " ".join(sorted(numbers[ui])), "|".join(entry_terms))) + "\n")


def ancestors(place: str) -> Iterator[str]:
    steps = place.split(".")
    for depth in range(1, len(steps) + 1):
        yield ".".join(steps[:depth])


if __name__ == "__main__":
    cut(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], [Path(each) for each in sys.argv[5:]])
