"""PubMed's query language: text to tree, tree to text, and whether and why a citation matches.

What is supported, and what is not, stands in `docs/query-language.md`.
"""

from monitor.core.query.document import Document, abstract_text, document
from monitor.core.query.matching import Match, explain, ignored, matches, undecidable
from monitor.core.query.mesh import Heading, MeshRow, MeshTree
from monitor.core.query.own import Own
from monitor.core.query.parser import UnknownField, parse
from monitor.core.query.renderer import render
from monitor.core.query.tree import (
    And,
    DateRange,
    EarlierSearch,
    Flag,
    Leaf,
    Not,
    Or,
    PmidRange,
    Pmids,
    Proximity,
    Query,
    Recent,
    SearchDate,
    Term,
    children,
    map_leaves,
    terms,
)
from monitor.errors import QuerySyntaxError

__all__ = [
    "And",
    "DateRange",
    "Document",
    "EarlierSearch",
    "Flag",
    "Heading",
    "Leaf",
    "Match",
    "MeshRow",
    "MeshTree",
    "Not",
    "Or",
    "Own",
    "PmidRange",
    "Pmids",
    "Proximity",
    "Query",
    "QuerySyntaxError",
    "Recent",
    "SearchDate",
    "Term",
    "UnknownField",
    "abstract_text",
    "children",
    "document",
    "explain",
    "ignored",
    "map_leaves",
    "matches",
    "parse",
    "render",
    "terms",
    "undecidable",
]
