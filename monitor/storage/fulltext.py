"""The search index over citations: its words, how they are written, and its health.

SQLite: `citation_fts`, FTS5 without content. PostgreSQL: `citation_index.search`, a `tsvector` with a GIN index. What
stands in them is decided here and in `storage.tokens`, word by word as `core.query` sees a citation; neither database
cuts, folds or stems anything. `docs/decisions/search-index.md` says why.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.markup import loose
from monitor.core.query import MeshTree
from monitor.core.query.dates import citation_days
from monitor.core.query.document import TIERS
from monitor.core.query.words import words_of
from monitor.core.revision import has_concern, is_retracted
from monitor.resources import load_mesh_tree
from monitor.storage.bulk import insert, is_sqlite, raw_postgres
from monitor.storage.tables import IndexRow
from monitor.storage.tokens import tokens
from monitor.storage.tsvector import LONGEST_WORD, tsvector

COLUMNS: Final = ("title", "body", "terms", "rest", "facets")
LETTERS: Final = {"title": "t", "body": "b", "terms": "m", "rest": "r", "facets": "f"}
"""On PostgreSQL a lexeme is the letter of its column and the word."""
BOUNDARY: Final = "ø"
"""Stands between two texts of a column, so that no phrase crosses; no folded word is this."""
FACT: Final = BOUNDARY
"""Begins every token on SQLite."""
TABLE: Final = "citation_fts"
MIRROR: Final = 2**28
"""A citation's row in `citation_fts` is this less its PMID: FTS5 reads forwards sooner than backwards, and the newest come first.

No PMID has more than eight digits; so FTS5 writes such a number in four bytes, and in nine a negative one.
"""

SIGNS: Final = "–—−‐‑±×·•≥≤“”‘’′″°®™©…\u2009\u202f\xa0"
"""Not ASCII, often seen, and in no word."""

_BREAK = "\x01"
_END = "\x02"
_BYTES = bytes(
    byte if byte >= 128 or chr(byte) in _BREAK + _END else ord(chr(byte).lower()) if chr(byte).isalnum() else ord(" ")
    for byte in range(256)
)
"""Turns what is folded already, in UTF-8, into words: small letters, and blanks for the rest of ASCII."""


class Entry(NamedTuple):
    """What the index holds of one citation: words divided by blanks, one string a column."""

    title: str
    body: str
    terms: str
    rest: str
    facets: str


def entry(citation: Citation, added_on: date, tree: MeshTree) -> Entry:
    """Return what is written of a citation that came into the library on a UTC day, as `tree` explodes headings."""
    columns = [
        list(dict.fromkeys([text for _, _, texts in tier(citation, loose) for text in texts if text]))
        for tier in _TIERS
    ]
    title, body, terms, rest = _words(columns)
    return Entry(title, body, terms, rest, " ".join(dict.fromkeys(tokens(citation, added_on, tree))))


def shown(citation: Citation) -> str:
    """Return what facets count of a citation: a letter for the kind, then the value as people read it.

    The journal has a line of its own, all else stands in one, divided by tabs: few of these differ, and are counted whole.
    """
    found = [f"y{year}" for year in dict.fromkeys(day[0] for day in citation_days(citation, "dp"))]
    found += [f"t{each.name}" for each in citation.publication_types]
    found += [f"l{language}" for language in citation.languages]
    if is_retracted(citation):
        found.append("fretracted")
    if has_concern(citation):
        found.append("fconcern")
    lines = ["\t".join(dict.fromkeys([each if each.isprintable() else _one_line(each) for each in found]))]
    journal = citation.journal
    if journal is not None and (name := journal.medline_ta or journal.title):
        lines.append("j" + (name if name.isprintable() else _one_line(name)))
    return "\n".join(filter(None, lines))


def sqlite_row(pmid: int, words: Entry) -> tuple[int | str, ...]:
    """Return what FTS5 is given: each fact has a letter before it, so that no word of a text is one.

    What is looked for in every text then needs no column named, which FTS5 answers a third sooner.
    """
    title, body, terms, rest, facets = words
    return MIRROR - pmid, title, body, terms, rest, FACT + facets.replace(" ", f" {FACT}")


def write(session: Session, citations: Sequence[tuple[Citation, datetime]]) -> None:
    """Index citations, each with the moment it came into the library, that are not in the index."""
    if not citations:
        return
    tree = load_mesh_tree()
    if is_sqlite(session):
        insert(session, IndexRow, ("pmid", "facets"), [(each.pmid, shown(each)) for each, _ in citations])
        entries = [sqlite_row(each.pmid, entry(each, _day(added_at), tree)) for each, added_at in citations]
        # In order: at every row below the one before it FTS5 writes out what it has gathered.
        session.connection().exec_driver_sql(_INSERT, sorted(entries))
        return
    letters = tuple(LETTERS.values())
    with raw_postgres(session) as connection, connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(["int8", "text", "bytea"])  # a binary COPY does not say types: the bytes are the vector
        for each, added_at in citations:  # the server indexes the first while the last are made
            vector = tsvector(entry(each, _day(added_at), tree), letters, BOUNDARY)
            copy.write_row((each.pmid, shown(each), vector))


def remove(session: Session, citations: Sequence[tuple[Citation, datetime]]) -> None:
    """Take citations out of the index; they must be given exactly as they were written."""
    if not citations:
        return
    if is_sqlite(session):
        # Without content FTS5 cannot know what it holds of a row; SQLite before 3.43 has no contentless_delete either.
        tree = load_mesh_tree()
        old = [sqlite_row(each.pmid, entry(each, _day(added_at), tree)) for each, added_at in citations]
        session.connection().exec_driver_sql(_DELETE, sorted(old))
    session.execute(delete(IndexRow).where(IndexRow.pmid.in_([each.pmid for each, _ in citations])))


def forget(session: Session, pmids: Sequence[int]) -> None:
    """Take citations out of the index of which nobody knows any more what was written, if they are in it.

    On SQLite their words must be found among all others first: some two seconds for a hundred thousand citations.
    """
    if is_sqlite(session) and (old := _written(session, pmids)):
        session.connection().exec_driver_sql(_DELETE, old)
    session.execute(delete(IndexRow).where(IndexRow.pmid.in_(pmids)))


def _written(session: Session, pmids: Sequence[int]) -> list[tuple[int | str, ...]]:
    """Return what FTS5 was given of citations, read back from the index itself."""
    asked = {"rows": json.dumps([MIRROR - pmid for pmid in pmids])}
    among = "(SELECT value FROM json_each(:rows))"
    there = session.scalars(text(f"SELECT id FROM {TABLE}_docsize WHERE id IN {among} ORDER BY id"), asked).all()  # noqa: S608
    if not there:
        return []
    session.execute(text(f"CREATE VIRTUAL TABLE temp.citation_words USING fts5vocab(main, {TABLE}, instance)"))
    sql = f"SELECT doc, col, term FROM temp.citation_words WHERE doc IN {among} ORDER BY doc, col, offset"  # noqa: S608
    found: dict[tuple[int, str], list[str]] = {}
    for row, column, word in session.execute(text(sql), asked).all():
        found.setdefault((row, column), []).append(word)
    session.execute(text("DROP TABLE temp.citation_words"))
    return [(row, *(" ".join(found.get((row, column), ())) for column in COLUMNS)) for row in there]


def clear(session: Session) -> None:
    """Empty the index."""
    if is_sqlite(session):
        session.execute(text(f"INSERT INTO {TABLE}({TABLE}) VALUES ('delete-all')"))  # noqa: S608
    # On PostgreSQL, TRUNCATE would empty it even for those who began to read before.
    session.execute(delete(IndexRow))


def parts(session: Session) -> int:
    """Return of how many parts (segments) the index consists; PostgreSQL has one, which it keeps in order itself."""
    if not is_sqlite(session):
        return 1
    return session.scalar(text(f"SELECT count(DISTINCT segid) FROM {TABLE}_idx")) or 0  # noqa: S608


def merge(session: Session, *, begin: bool) -> bool:
    """Merge the parts of an index on SQLite for some hundredths of a second; say whether there is more to merge.

    `begin` with all parts there are; what is left half merged FTS5 itself goes on with, whenever words are written.
    """
    done = "SELECT total_changes()"
    before = session.scalar(text(done)) or 0
    pages = -_MERGED if begin else _MERGED
    session.execute(text(f"INSERT INTO {TABLE}({TABLE}, rank) VALUES ('merge', :pages)"), {"pages": pages})  # noqa: S608
    return (session.scalar(text(done)) or 0) - before > 1  # sqlite.org/fts5.html, "The 'merge' Command"


def count(session: Session) -> int:
    """Return how many citations the index holds, once it is known to be whole; raises DatabaseDamaged if it is not."""
    if not is_sqlite(session):
        return session.scalar(select(func.count()).select_from(IndexRow)) or 0
    session.execute(text(f"INSERT INTO {TABLE}({TABLE}) VALUES ('integrity-check')"))  # noqa: S608
    rows, listed = (
        session.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
        for table in (f"{TABLE}_docsize", "citation_index")
    )
    return int(min(rows, listed))


def holds(session: Session, citation: Citation, added_at: datetime) -> bool:
    """Say whether the index finds a citation by its own words, and lists what it shows."""
    words = entry(citation, _day(added_at), load_mesh_tree())
    listed = session.scalar(select(IndexRow.facets).where(IndexRow.pmid == citation.pmid))
    if listed != shown(citation):
        return False
    own = {name: [*dict.fromkeys(column.split())][:_TRIED] for name, column in zip(COLUMNS, words, strict=True)}
    if is_sqlite(session):
        own["facets"] = [FACT + word for word in own["facets"]]
        asked = " AND ".join(f'{name} : "{word}"' for name, some in own.items() for word in some)
        query = f"SELECT 1 FROM {TABLE} WHERE {TABLE} MATCH :asked AND rowid = {MIRROR} - :pmid"  # noqa: S608
    else:
        asked = " & ".join(
            f"'{LETTERS[name]}{word}'"
            for name, some in own.items()
            for word in some
            if word != BOUNDARY and len(word.encode()) <= LONGEST_WORD
        )
        query = "SELECT 1 FROM citation_index WHERE search @@ CAST(:asked AS tsquery) AND pmid = :pmid"
    return session.scalar(text(query), {"asked": asked, "pmid": citation.pmid}) is not None


_MERGED = 1000
"""Pages of 4 KB that one step writes."""

_TRIED = 20
_KNOWN = 30_000
_COPY = b"COPY citation_index (pmid, facets, search) FROM STDIN (FORMAT BINARY)"
_NAMES = ", ".join(COLUMNS)
_MARKS = ", ".join("?" * len(COLUMNS))
_INSERT = f"INSERT INTO {TABLE}(rowid, {_NAMES}) VALUES (?, {_MARKS})"  # noqa: S608
_DELETE = f"INSERT INTO {TABLE}({TABLE}, rowid, {_NAMES}) VALUES ('delete', ?, {_MARKS})"  # noqa: S608


_TIERS = tuple(TIERS.values())
_BETWEEN_TEXTS = f" {_BREAK} "
_BETWEEN_COLUMNS = f" {_END} "


def _words(columns: list[list[str]]) -> list[str]:
    """Cut all texts at once into words, each column into one string."""
    joined = _BETWEEN_COLUMNS.join([_BETWEEN_TEXTS.join(texts) for texts in columns])
    if (
        joined.count(_BREAK) + joined.count(_END)
        > sum([max(0, len(texts) - 1) for texts in columns]) + len(columns) - 1
    ):
        return _words([[text.replace(_BREAK, " ").replace(_END, " ") for text in texts] for texts in columns])
    if not joined.isascii():
        joined = _folded(joined)
    return joined.encode().translate(_BYTES).decode().replace(_BREAK, BOUNDARY).split(_END)


def _folded(joined: str) -> str:
    """Replace what is not ASCII by its words; most of it is one of a few signs."""
    for sign in SIGNS:
        joined = joined.replace(sign, " ")
    if joined.isascii():
        return joined
    return _BREAK.join([each if each.isascii() else _folded_text(each) for each in joined.split(_BREAK)])


def _folded_text(text: str) -> str:
    return " ".join([each if each.isascii() else _folded_word(each) for each in text.split(" ")])


@lru_cache(_KNOWN)
def _folded_word(word: str) -> str:
    return " ".join(words_of(word))


def _one_line(value: str) -> str:
    return " ".join("".join([c if c.isprintable() else " " for c in value]).split())


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
