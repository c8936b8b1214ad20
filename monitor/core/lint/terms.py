"""Single terms: truncation, tags, quotation marks, acronyms that mean many things."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from monitor.core.lint.findings import Finding, shown
from monitor.core.lint.limits import is_limit
from monitor.core.lint.reading import Placed, Reading
from monitor.core.query import And, EarlierSearch, Not, Or, Proximity, Query, Term, ignored
from monitor.core.query.document import TEXT_FIELDS
from monitor.core.query.flags import OWN_FLAGS
from monitor.core.query.words import MIN_STEM, search_words
from monitor.core.strategy import Block

_WILDCARD: Final = re.compile(r"\w[?#$]\w|[a-z]{3}[#$]$")
_CAPITALS: Final = re.compile(r"\s(AND|OR|NOT)\s")
_BLANKS: Final = re.compile(r"\s+")
_THEIR_FLAGS: Final = {"isretracted": "hasretractionin", "hasconcern": "hasexpressionofconcernin"}

_AMBIGUOUS: Final[Mapping[str, tuple[str, str]]] = {
    "car": (
        "the CRP-to-albumin ratio of cancer prognosis papers, the constitutive androstane receptor, the cortisol "
        "awakening response, the Central African Republic and vehicles",
        "chimeric antigen receptor*",
    ),
    "cart": (
        "a neuropeptide (cocaine- and amphetamine-regulated transcript) and cART, HIV treatment",
        "CART cell*",
    ),
    "cik": (
        "a grass-carp kidney cell line of fish virology, the yeast protein Cik1 and an adaptor called CIKS",
        "CIK cell*",
    ),
    "nk": ("neurokinin, NK/T-cell lymphoma, normal-karyotype leukaemia (NK-AML) and product codes", "NK cell*"),
    "ink": ("immature NK cells of mice, INK4a and the word ink", "iNK cell*"),
    "crs": ("chronic rhinosinusitis and cytoreductive surgery", "cytokine release syndrome*"),
    "bike": ("the bicycle, for PubMed does not see capitals", "killer engager*"),
    "trike": ("the tricycle, for PubMed does not see capitals", "killer engager*"),
}
"""What bare acronyms also mean, and the phrase to search instead."""


def truncation(reading: Reading) -> Iterator[Finding]:
    """`*` that PubMed drops, or that switches something off (User Guide, "Truncation" and "Proximity searching")."""
    for placed in reading.placed:
        leaf, body = placed.leaf, reading.words_of(placed)
        if isinstance(leaf, Term | Proximity) and "*" in body:
            found = _truncated(reading, placed, leaf, body)
            if found is not None:
                yield found
        elif isinstance(leaf, Term) and (leaf.field is None or leaf.field in TEXT_FIELDS):
            wild = _WILDCARD.search(body.strip('"'))
            if wild is not None:
                yield reading.finding(
                    "wildcard",
                    "error",
                    placed.start,
                    f"{shown(body)}: PubMed has one wildcard, * at the end of a word; every other sign is a blank and "
                    "cuts the word in two. Write the spellings out and join them with OR.",
                )


def tags(reading: Reading) -> Iterator[Finding]:
    """Terms without a tag, or in [all]: PubMed's term mapping decides what they mean, and changes with MeSH."""
    for placed in reading.placed:
        leaf, body = placed.leaf, reading.words_of(placed)
        if isinstance(leaf, EarlierSearch):
            yield reading.finding(
                "earlier-search",
                "error",
                placed.start,
                f"#{leaf.number} is a search of somebody's session at PubMed; the monitor has no such session. Write the "
                "search itself.",
            )
        elif isinstance(leaf, Term) and not ignored(leaf):
            if leaf.field is None and leaf.text.lower() in OWN_FLAGS:
                theirs = _THEIR_FLAGS[leaf.text.lower()]
                yield reading.finding(
                    "own-field",
                    "error",
                    placed.start,
                    f"{leaf.text} is a word of this library; PubMed would search it as text. PubMed's own is {theirs}.",
                    reading.repair(f"Write {theirs}", reading.edited(placed.start, placed.end, theirs)),
                )
            elif leaf.field is None:
                yield _untagged(reading, placed, body)
            elif leaf.field == "all":
                yield reading.finding(
                    "all-fields",
                    "warning",
                    placed.start,
                    f"{shown(body)}[all] is mapped to MeSH, journals and authors as if it had no tag, and what it is mapped "
                    "to changes every year.",
                    reading.repair("Search title, abstract and keywords", _retagged(reading, placed, body)),
                )


def quotation(reading: Reading) -> Iterator[Finding]:
    """Several words with one tag and no quotation marks; apostrophes for them; Booleans inside them."""
    for placed in reading.placed:
        leaf, body = placed.leaf, reading.words_of(placed)
        if isinstance(leaf, Term | Proximity) and (found := _CAPITALS.search(leaf.text)) and body.startswith('"'):
            yield reading.finding(
                "boolean-in-phrase",
                "warning",
                placed.start,
                f"Between quotation marks {found[1]} is an ordinary word: PubMed looks for {shown(body)} as it stands.",
                reading.repair("Make a term of each part", _parted(reading, placed, leaf)),
            )
        if not isinstance(leaf, Term) or leaf.quoted or leaf.field is None:
            continue
        if body.startswith("'") and body.rstrip("*").endswith("'"):
            plain = body.replace("'", "")
            yield reading.finding(
                "single-quotes",
                "error",
                placed.start,
                f"Apostrophes are blanks to PubMed, so {shown(body)} is no phrase.",
                reading.repair("Use quotation marks", reading.edited(placed.start, placed.tag, f'"{plain}"')),
            )
        elif len(leaf.text.split()) > 1 and leaf.field in TEXT_FIELDS | {"mh", "majr"} and "*" not in body[:-1]:
            yield reading.finding(
                "unquoted-phrase",
                "note",
                placed.start,
                f"{shown(body)} has no quotation marks: PubMed tries it as a phrase, and takes the words apart when it does "
                "not know it.",
                reading.repair("Put quotation marks round it", reading.edited(placed.start, placed.tag, f'"{body}"')),
            )


def stopwords(reading: Reading) -> Iterator[Finding]:
    """Terms that PubMed leaves out (User Guide, "Stopwords")."""
    for level, at in reading.operands():
        operand = level.operands[at]
        if operand.placed is None or not operand.dropped:
            continue
        body = reading.words_of(operand.placed)
        if {*body.lower().split()} <= {"and", "or", "not"}:
            continue
        yield reading.finding(
            "stopword",
            "note",
            operand.start,
            f"{shown(body)} is a word PubMed ignores everywhere; the line means the same without it.",
            reading.repair("Remove it", reading.without(level, at)),
        )


def acronyms(reading: Reading, blocks: Mapping[str, Block]) -> Iterator[Finding]:
    """Short acronyms alone: PubMed is blind to case, and most papers they find are about something else."""
    block = blocks.get(reading.block)
    joined = block is not None and block.joined == "all" and sum(line.enabled for line in block.lines) > 1
    if reading.query is None or joined:
        return
    alone = {id(leaf) for leaf in _alone(reading.query)}
    for placed in reading.placed:
        leaf = placed.leaf
        if not isinstance(leaf, Term) or id(leaf) not in alone:
            continue
        meaning = _meaning(leaf)
        if meaning is None:
            continue
        others, phrase = meaning
        body = reading.words_of(placed)
        new = f'"{phrase}"[{leaf.field if leaf.field in {"ti", "tiab", "tw"} else "tiab"}]'
        yield reading.finding(
            "bare-acronym",
            "warning",
            placed.start,
            f"{body.strip(chr(34))} alone also finds {others}. Bind it to a word, or join a second concept with AND.",
            reading.repair(f"Search {new} instead", reading.edited(placed.start, placed.end, new)),
        )


def _truncated(reading: Reading, placed: Placed, leaf: Term | Proximity, body: str) -> Finding | None:
    text = body.strip('"').strip()
    plain = body.replace("*", "")
    no_star = reading.edited(placed.start, placed.tag, plain)
    if isinstance(leaf, Proximity):
        return reading.finding(
            "truncation-in-proximity",
            "error",
            placed.start,
            f"{shown(body)}: with a * inside, PubMed ignores the proximity and looks for the phrase as it stands. Write "
            "the endings out, one proximity search for each.",
            reading.repair("Remove the *", no_star),
        )
    loose = leaf.field is None and not leaf.quoted
    words = text.split()
    each = words if loose else [text]
    if any(
        "*" in word.rstrip("*") and (loose or "*" in re.sub(r"(?<=\w)\*+(?=\s)", "", word.rstrip("*"))) for word in each
    ):
        ends = _BLANKS.sub(" ", " ".join(re.sub(r"^\*+", "", word) for word in words))
        return reading.finding(
            "truncation-in-word",
            "error",
            placed.start,
            f"{shown(body)}: PubMed truncates only at the end of a word; a * in front or in the middle is a blank and cuts "
            "the word in two. Write the spellings out and join them with OR.",
            reading.repair("Remove the * in front", reading.edited(placed.start, placed.tag, body.replace(text, ends)))
            if "*" not in ends[:-1] and not ends.endswith("*")
            else None,
        )
    if not loose and "*" in text.rstrip("*"):
        last = text.rstrip("*").replace("*", "") + ("*" if text.endswith("*") else "")
        return reading.finding(
            "truncation-in-phrase",
            "error",
            placed.start,
            f"{shown(body)}: in a phrase PubMed truncates the last word only; the other * is dropped and the word before it "
            "is searched as it stands.",
            reading.repair(
                "Keep the * at the end only", reading.edited(placed.start, placed.tag, body.replace(text, last))
            ),
        )
    short = [word for word in each if word.endswith("*") and not search_words(word).truncated]
    if short:
        words_left = [word.rstrip("*") if word in short else word for word in words] if loose else [text.rstrip("*")]
        new = body.replace(text, " ".join(words_left)) if loose else body.replace(text, words_left[0].rstrip())
        return reading.finding(
            "short-stem",
            "error",
            placed.start,
            f"{shown(body)}: PubMed needs {MIN_STEM} letters or digits before a *. It drops this one and finds only the word "
            "as it stands, without a warning. Write the endings out.",
            reading.repair("Search the word as it stands", reading.edited(placed.start, placed.tag, new)),
        )
    return None


def _untagged(reading: Reading, placed: Placed, body: str) -> Finding:
    hyphen = "-" in body.strip("-") and not body.startswith('"') and len(body.split()) == 1
    if not body.startswith('"') and {"and", "or", "not"}.intersection(body.lower().split()):
        repair = None  # whether it is a phrase is not known before the Boolean in it is put right
    else:
        repair = reading.repair("Search title, abstract and keywords", _retagged(reading, placed, body))
    alternative = None
    if repair is not None and not body.startswith('"') and len(body.split()) > 1:
        apart = " AND ".join(f"{word}[tiab]" for word in body.split())
        alternative = reading.repair("Search the words apart", reading.edited(placed.start, placed.end, f"({apart})"))
    if hyphen:
        message = (
            f"{shown(body)} has no tag: PubMed takes it as a phrase over all fields, and finds nothing at all when its phrase "
            "index does not hold it."
        )
    else:
        message = (
            f"{shown(body)} has no tag: PubMed maps it to MeSH, journals and authors and searches all fields. What it maps to "
            "changes when MeSH does, and nobody is told."
        )
    return reading.finding(
        "untagged-hyphen" if hyphen else "untagged", "warning", placed.start, message, repair, alternative
    )


def _retagged(reading: Reading, placed: Placed, body: str) -> str:
    one = body.startswith('"') or len(search_words(body).words) == 1
    return reading.edited(placed.start, placed.end, f"{body}[tiab]" if one else f'"{body}"[tiab]')


def _parted(reading: Reading, placed: Placed, leaf: Term | Proximity) -> str | None:
    parts = _CAPITALS.split(leaf.text)
    if isinstance(leaf, Proximity) or len(set(parts[1::2])) != 1:
        return None
    tag = reading.tag_of(placed)
    joined = f" {parts[1]} ".join(f'"{part.strip()}"{tag}' for part in parts[::2])
    return reading.edited(placed.start, placed.end, f"({joined})")


def _meaning(leaf: Term) -> tuple[str, str] | None:
    if leaf.field is not None and leaf.field not in {"ti", "tiab", "tw", "all", "ot"}:
        return None
    words, truncated = search_words(leaf.text)
    if len(words) != 1 or truncated:
        return None
    return _AMBIGUOUS.get(words[0]) or _AMBIGUOUS.get(words[0].removesuffix("s"))


def _alone(query: Query) -> Iterator[Term]:
    """Yield the terms that no other concept narrows; a limit to people or a language is no concept."""
    if isinstance(query, And):
        concepts = [part for part in query.parts if not is_limit(part) and not _is_dropped(part)]
        if len(concepts) == 1:
            yield from _alone(concepts[0])
    elif isinstance(query, Or):
        for part in query.parts:
            yield from _alone(part)
    elif isinstance(query, Not):
        yield from _alone(query.base)
    elif isinstance(query, Term):
        yield query


def _is_dropped(query: Query) -> bool:
    return isinstance(query, Term) and ignored(query)
