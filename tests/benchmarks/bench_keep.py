"""Keep: storing citations on SQLite and PostgreSQL, against plain scripts over the same tables and against an ORM."""

from __future__ import annotations

import dataclasses
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import ForeignKey, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from monitor.core.citation import Citation
from monitor.core.markup import bare
from monitor.core.query import abstract_text
from monitor.core.recheck import next_check
from monitor.core.revision import has_concern, is_retracted
from monitor.pubmed.parse import open_records, read_records
from monitor.resources import load_mesh_tree
from monitor.storage import codec, fulltext
from monitor.storage.bulk import insert
from monitor.storage.citations import keep
from monitor.storage.engine import SQLITE, Database, connect, sqlite_url
from monitor.storage.keeping import link_key, links
from monitor.storage.migrations import upgrade
from monitor.storage.tables import IndexRow
from monitor.storage.tsvector import tsvector
from tests.benchmarks.corpus import invented_xml
from tests.benchmarks.harness import Row, cpu_seconds
from tests.postgres import CannotStart, PostgresServer
from tests.shared import SHARED

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
BATCH = 500


def corpus(count: int) -> tuple[list[Citation], str]:
    """Half of the 1970s, half of 2021: real records where they are, else invented ones of their shape."""
    files = [SHARED / "pubmed" / name for name in ("pubmed20n0014-dev.xml.gz", "pubmed21n1298-dev.xml.gz")]
    if all(each.is_file() for each in files):
        sources, kind = [open_records(each) for each in files], "real"
    else:
        sources, kind = (
            [invented_xml(count // 2, 1, modern=False), invented_xml(count // 2, 2, modern=True)],
            "invented",
        )
    found: list[Citation] = []
    for at, source in enumerate(sources):
        citations = (each for each in read_records(source) if isinstance(each, Citation))
        for each in itertools.islice(citations, count // 2):
            # Invented halves share their numbers, and the files of NLM may repeat one.
            found.append(dataclasses.replace(each, pmid=each.pmid + 100_000_000 * at))
    return list({each.pmid: each for each in found}.values()), kind


def rows(*, large: bool) -> Iterator[Row]:
    citations, kind = corpus(24_000)
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as name:
        folder = Path(name)
        yield from _sqlite_rows(folder, citations if large else citations[::4], kind)
        database = _fresh(folder)
        _store(database, citations)
        size = _size(database) / len(citations)
        database.dispose()
        words = f"  a citation, {len(citations):,} of them, half 1970s, half 2021"
        yield Row(words, f"{size / 1000:.2f} KB", "at most 4.5 KB", size <= 4500)
        yield from _orm_rows(folder, citations)
    try:
        server = PostgresServer()
    except CannotStart as error:
        yield Row("PostgreSQL", f"does not start: {error}")
        return
    try:
        yield from _postgres_rows(server, citations[:: max(1, len(citations) // 4000)], kind)
    finally:
        server.stop()


def _store(database: Database, citations: list[Citation]) -> None:
    for at in range(0, len(citations), BATCH):
        with database.write() as session:
            keep(session, citations[at : at + BATCH], NOW)


def _fresh(folder: Path) -> Database:
    path = folder / "keep.db"
    for each in folder.glob("keep.db*"):
        each.unlink()
    database = connect(sqlite_url(path))
    upgrade(database)
    return database


def _sqlite_rows(folder: Path, citations: list[Citation], kind: str) -> Iterator[Row]:
    ratios, first, again = [], [], []
    for _ in range(3):
        database = _fresh(folder)
        ours = cpu_seconds(lambda database=database: _store(database, citations))
        repeated = cpu_seconds(lambda database=database: _store(database, citations))
        database.dispose()
        database = _fresh(folder)
        path = str(database.path)
        database.dispose()
        plain = cpu_seconds(lambda path=path: _plain_script(path, citations))
        ratios.append(ours / plain)
        first.append(ours)
        again.append(repeated)
    seconds = statistics.median(first)
    ratio = statistics.median(ratios)
    repeat = statistics.median(a / b for a, b in zip(first, again, strict=True))
    yield Row(f"keep {len(citations):,} {kind} citations, SQLite, index on", f"{len(citations) / seconds:,.0f}/s CPU")
    yield Row("  CPU against a plain sqlite3 script, same tables", f"{ratio:.2f}x", "at most 1.3x", ratio <= 1.3)
    yield Row("  the same again, unchanged", f"{repeat:.1f}x faster", "at least 3x", repeat >= 3)


def _size(database: Database) -> int:
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return database.path.stat().st_size if database.path else 0


def _plain_values(citation: Citation, moment: Callable[[datetime], Any]) -> tuple[Any, ...]:
    content = codec.encode(citation)
    published = citation.pub_date
    return (
        citation.pmid,
        citation.version,
        False,
        published.year if published else None,
        citation.doi,
        citation.pmcid,
        is_retracted(citation),
        has_concern(citation),
        codec.digest(content),
        codec.CURRENT,
        codec.pack(content),
        moment(NOW),
        moment(NOW),
    )


def _plain_script(path: str, citations: list[Citation]) -> None:
    """What somebody would write who trusts that every citation is new: the same rows and words, and nothing else."""
    tree = load_mesh_tree()
    connection = SQLITE.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-32768")
    connection.execute("PRAGMA foreign_keys=ON")

    def moment(value: datetime) -> str:
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")

    for at in range(0, len(citations), BATCH):
        main, versions, checks, relations, listed, words = [], [], [], [], [], []
        for each in citations[at : at + BATCH]:
            values = _plain_values(each, moment)
            due = next_check(each, NOW, retracted=values[6], concern=values[7], sent=False)
            main.append(values)
            listed.append((each.pmid, fulltext.shown(each)))
            words.append(fulltext.sqlite_row(each.pmid, fulltext.entry(each, NOW.date(), tree)))
            versions.append((each.pmid, each.version, values[8], moment(NOW), json.dumps([])))
            checks.append((each.pmid, moment(NOW), moment(due), 0))
            relations += [(each.pmid, *link, link_key(link), "pubmed", moment(NOW)) for link in links(each)]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"INSERT INTO citation VALUES ({', '.join('?' * 13)})", main)
        connection.executemany("INSERT INTO citation_index (pmid, facets) VALUES (?, ?)", listed)
        connection.executemany(
            "INSERT INTO citation_fts (rowid, title, body, terms, rest, facets) VALUES (?, ?, ?, ?, ?, ?)",
            sorted(words),
        )
        connection.executemany(
            "INSERT INTO citation_version (pmid, version, hash, seen_at, changes) VALUES (?, ?, ?, ?, ?)", versions
        )
        connection.executemany(
            "INSERT INTO citation_check (pmid, fetched_at, due_at, misses) VALUES (?, ?, ?, ?)", checks
        )
        connection.executemany(
            "INSERT INTO relation (pmid, kind, other_pmid, source, link_key, origin, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            relations,
        )
        connection.execute("COMMIT")
    connection.close()


# The peer: a normalised graph as an ORM tutorial draws it ---------------------------------------------------------


class Peer(DeclarativeBase):
    pass


class Article(Peer):
    __tablename__ = "article"
    pmid: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str | None]
    journal: Mapped[str | None]
    year: Mapped[int | None]
    abstract: Mapped[list[Section]] = relationship(cascade="all, delete-orphan")
    authors: Mapped[list[Writer]] = relationship(cascade="all, delete-orphan")
    headings: Mapped[list[Heading]] = relationship(cascade="all, delete-orphan")
    types: Mapped[list[Kind]] = relationship(cascade="all, delete-orphan")
    ids: Mapped[list[Number]] = relationship(cascade="all, delete-orphan")
    dates: Mapped[list[Day]] = relationship(cascade="all, delete-orphan")
    cited: Mapped[list[Cited]] = relationship(cascade="all, delete-orphan")
    qualifiers: Mapped[list[Qualifier]] = relationship(cascade="all, delete-orphan")
    keywords: Mapped[list[Keyword]] = relationship(cascade="all, delete-orphan")
    chemicals: Mapped[list[Chemical]] = relationship(cascade="all, delete-orphan")
    grants: Mapped[list[Grant]] = relationship(cascade="all, delete-orphan")
    links: Mapped[list[Link]] = relationship(cascade="all, delete-orphan")
    languages: Mapped[list[Language]] = relationship(cascade="all, delete-orphan")
    places: Mapped[list[Place]] = relationship(cascade="all, delete-orphan")
    cited_ids: Mapped[list[CitedId]] = relationship(cascade="all, delete-orphan")
    identifiers: Mapped[list[Identifier]] = relationship(cascade="all, delete-orphan")


class Part:
    article_pmid: Mapped[int] = mapped_column(ForeignKey("article.pmid"), primary_key=True)
    at: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str | None]


class Section(Part, Peer):
    __tablename__ = "section"


class Heading(Part, Peer):
    __tablename__ = "heading"


class Kind(Part, Peer):
    __tablename__ = "kind"


class Number(Part, Peer):
    __tablename__ = "number"


class Day(Part, Peer):
    __tablename__ = "day"


class Cited(Part, Peer):
    __tablename__ = "cited"


class Writer(Part, Peer):
    __tablename__ = "writer"


class Qualifier(Part, Peer):
    __tablename__ = "qualifier"


class Keyword(Part, Peer):
    __tablename__ = "keyword"


class Chemical(Part, Peer):
    __tablename__ = "chemical"


class Grant(Part, Peer):
    __tablename__ = "grant_"


class Link(Part, Peer):
    __tablename__ = "link"


class Language(Part, Peer):
    __tablename__ = "language"


class Place(Part, Peer):
    __tablename__ = "place"


class CitedId(Part, Peer):
    __tablename__ = "cited_id"


class Identifier(Part, Peer):
    __tablename__ = "identifier"


def _graph(each: Citation) -> Article:
    def parts(cls: type[Any], values: Iterator[Any]) -> list[Any]:
        return [cls(article_pmid=each.pmid, at=at, value=str(value)) for at, value in enumerate(values)]

    journal = each.journal
    return Article(
        pmid=each.pmid,
        title=each.title,
        journal=journal.medline_ta if journal else None,
        year=each.pub_date.year if each.pub_date else None,
        abstract=parts(Section, (s.text for s in each.abstract.sections) if each.abstract else iter(())),
        authors=parts(Writer, (a.last_name for a in each.authors)),
        places=parts(Place, (p.text for a in each.authors for p in a.affiliations)),
        identifiers=parts(Identifier, (i.value for a in each.authors for i in a.identifiers)),
        qualifiers=parts(Qualifier, (q.name for h in each.mesh_headings for q in h.qualifiers)),
        keywords=parts(Keyword, (k.text for part in each.keyword_lists for k in part.keywords)),
        chemicals=parts(Chemical, (c.name for c in each.chemicals)),
        grants=parts(Grant, (g.id for g in each.grants)),
        links=parts(Link, (c.source for c in each.corrections)),
        languages=parts(Language, iter(each.languages)),
        cited_ids=parts(CitedId, (i.value for p in each.reference_lists for r in p.references for i in r.ids)),
        headings=parts(Heading, (h.descriptor.name for h in each.mesh_headings)),
        types=parts(Kind, (t.name for t in each.publication_types)),
        ids=parts(Number, (i.value for i in each.article_ids)),
        dates=parts(Day, (d.date for d in each.history)),
        cited=parts(Cited, (r.citation for part in each.reference_lists for r in part.references)),
    )


def _orm_rows(folder: Path, citations: list[Citation]) -> Iterator[Row]:
    sample = citations[:: max(1, len(citations) // 600)][:600]
    ratios = []
    for _ in range(3):
        database = _fresh(folder)
        ours = cpu_seconds(lambda database=database: _store(database, sample))
        database.dispose()
        (folder / "orm.db").unlink(missing_ok=True)
        engine = create_engine(f"sqlite:///{folder / 'orm.db'}")
        Peer.metadata.create_all(engine)

        def merge(engine: Any = engine) -> None:
            for at in range(0, len(sample), BATCH):
                with Session(engine) as session, session.begin():
                    for each in sample[at : at + BATCH]:
                        session.merge(_graph(each))

        ratios.append(cpu_seconds(merge) / ours)
        engine.dispose()
    ratio = statistics.median(ratios)
    yield Row(
        f"  CPU of an ORM merge of a normalised graph, n={len(sample)}", f"{ratio:.0f}x", "at least 20x", ratio >= 20
    )


# PostgreSQL -------------------------------------------------------------------------------------------------------


@contextmanager
def _postgres(server: PostgresServer, *, index: bool) -> Iterator[Database]:
    """A database at the head of the migrations; without the index, nothing writes or holds words."""
    name = server.fresh()
    database = connect(server.url(name))
    upgrade(database)
    write = fulltext.write
    try:
        if not index:
            with database.write() as session:
                session.execute(text("ALTER TABLE citation_index DROP COLUMN search"))
            fulltext.write = _only_shown
        yield database
    finally:
        fulltext.write = write
    database.dispose()
    server.drop(name)


def _only_shown(session: Session, citations: Sequence[tuple[Citation, datetime]]) -> None:
    insert(session, IndexRow, ("pmid", "facets"), ((each.pmid, fulltext.shown(each)) for each, _ in citations))


def _facets(each: Citation) -> Iterator[tuple[int, str, str]]:
    """What a faithful plain layout links to a citation: journal, types, headings, languages, keywords, ORCIDs."""
    found = [("journal", each.journal.medline_ta or "")] if each.journal else []
    found += [("type", kind.name) for kind in each.publication_types]
    found += [("mesh", heading.descriptor.name) for heading in each.mesh_headings]
    found += [("major", heading.descriptor.name) for heading in each.mesh_headings if heading.major]
    found += [("language", language) for language in each.languages]
    found += [("keyword", keyword.text) for several in each.keyword_lists for keyword in several.keywords]
    found += [("author", name.value) for author in each.authors for name in author.identifiers]
    return ((each.pmid, kind, value) for kind, value in dict.fromkeys(found))


def _texts(each: Citation) -> tuple[str, ...]:
    """Title, abstract, keywords, authors, places, journal, terms: what a plain layout has in columns of their own."""
    return (
        bare(each.title),
        abstract_text(each.abstract.sections) if each.abstract else "",
        "; ".join(bare(keyword.text) for several in each.keyword_lists for keyword in several.keywords),
        "; ".join(f"{author.last_name} {author.initials}" for author in each.authors),
        "; ".join(dict.fromkeys(bare(place.text) for author in each.authors for place in author.affiliations)),
        (each.journal.title or "") if each.journal else "",
        "; ".join(heading.descriptor.name for heading in each.mesh_headings),
    )


class _Vector(bytes):
    """A vector of ours as a parameter."""


class _VectorDumper(Dumper):
    oid = 3614
    format = Format.BINARY

    def dump(self, value: Any) -> bytes:
        return bytes(value)


def _executemany(database: Database, citations: list[Citation], *, linked: bool, index: bool) -> None:
    """The plain way: psycopg's executemany, an upsert for citations.

    `linked` is the layout that the targets were measured on: texts in columns, which the server turns into a
    `tsvector` where there is an index, and a row for each facet. Else the rows and words are those of ours.
    """
    url = make_url(database.url)
    connection = psycopg.connect(f"host={url.query['host']} user={url.username} dbname={url.database}")
    connection.adapters.register_dumper(_Vector, _VectorDumper)
    tree = load_mesh_tree()
    columns = "pmid version provisional year doi pmcid retracted concern hash codec doc added_at changed_at".split()  # noqa: SIM905
    upsert = (
        f"INSERT INTO citation ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) "
        f"ON CONFLICT (pmid) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in columns[1:])}"
    )
    letters = tuple(fulltext.LETTERS.values())
    for at in range(0, len(citations), BATCH):
        batch = citations[at : at + BATCH]
        values = [_plain_values(each, lambda value: value) for each in batch]
        with connection.cursor() as cursor:
            cursor.executemany(upsert, values)
            cursor.executemany(
                "INSERT INTO citation_version (pmid, version, hash, seen_at, changes) VALUES (%s, %s, %s, %s, %s)",
                [(v[0], v[1], v[8], NOW, "[]") for v in values],
            )
            cursor.executemany(
                "INSERT INTO citation_check (pmid, fetched_at, due_at, misses) VALUES (%s, %s, %s, 0)",
                [
                    (v[0], NOW, next_check(each, NOW, retracted=v[6], concern=v[7], sent=False))
                    for each, v in zip(batch, values, strict=True)
                ],
            )
            cursor.executemany(
                "INSERT INTO relation (pmid, kind, other_pmid, source, link_key, origin, seen_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [(each.pmid, *link, link_key(link), "pubmed", NOW) for each in batch for link in links(each)],
            )
            if linked:
                cursor.executemany(
                    "INSERT INTO plain_text VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                    [(each.pmid, *_texts(each)) for each in batch],
                )
                cursor.executemany(
                    "INSERT INTO facet_link (pmid, kind, value) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                    [facet for each in batch for facet in _facets(each)],
                )
            elif index:
                cursor.executemany(
                    "INSERT INTO citation_index (pmid, facets, search) VALUES (%s, %s, %s)",
                    [
                        (
                            each.pmid,
                            fulltext.shown(each),
                            _Vector(tsvector(fulltext.entry(each, NOW.date(), tree), letters, fulltext.BOUNDARY)),
                        )
                        for each in batch
                    ],
                )
            else:
                cursor.executemany(
                    "INSERT INTO citation_index (pmid, facets) VALUES (%s, %s)",
                    [(each.pmid, fulltext.shown(each)) for each in batch],
                )
        connection.commit()
    connection.close()


def _postgres_rows(server: PostgresServer, citations: list[Citation], kind: str) -> Iterator[Row]:
    for index, target in ((True, 1.6), (False, 2.4)):
        seconds: dict[str, list[float]] = {"ours": [], "linked": [], "plain": []}
        for _ in range(3):
            for way, took in seconds.items():
                with _postgres(server, index=index) as database:
                    if way == "linked":
                        with database.write() as session:
                            for statement in (_FACET_LINK, _PLAIN_TEXT, *(_PLAIN_SEARCH if index else ())):
                                session.execute(text(statement))
                    started = time.perf_counter()
                    if way == "ours":
                        _store(database, citations)
                    else:
                        _executemany(database, citations, linked=way == "linked", index=index)
                    took.append(time.perf_counter() - started)
        words = "index on" if index else "without index"
        rate = len(citations) / statistics.median(seconds["ours"])
        linked, plain = (
            statistics.median(b / a for a, b in zip(seconds["ours"], seconds[way], strict=True))
            for way in ("linked", "plain")
        )
        yield Row(f"keep {len(citations):,} {kind} citations, PostgreSQL, {words}", f"{rate:,.0f}/s wall")
        made = "texts, to_tsvector, facets linked" if index else "texts, facets linked"
        yield Row(f"  wall of executemany, {made}", f"{linked:.2f}x", f"at least {target}x", linked >= target)
        yield Row("  wall of executemany, our own rows and words", f"{plain:.2f}x")


_FACET_LINK = "CREATE TABLE facet_link (pmid bigint, kind text, value text, PRIMARY KEY (pmid, kind, value))"
_PLAIN_TEXT = (
    "CREATE TABLE plain_text (pmid bigint PRIMARY KEY, title text, abstract text, keywords text, authors text, "
    "places text, journal text, terms text)"
)
_PLAIN_SEARCH = (
    "ALTER TABLE plain_text ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple', title || ' ' || "
    "abstract || ' ' || keywords || ' ' || authors || ' ' || places || ' ' || journal || ' ' || terms)) STORED",
    "CREATE INDEX ON plain_text USING gin (search)",
)
