"""Reading papers by vocabulary and level rules: tags, level, sample size and registry numbers"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from monitor.core.citation import Citation
from monitor.core.proposal import propose_all
from monitor.core.vocabulary import propose
from monitor.core.vocabulary.texts import Texts
from monitor.formats.rulebook import rules_of, vocabulary_of
from monitor.pubmed.parse import open_records, read_records
from monitor.resources import load_mesh_tree
from monitor.services.rulebooks import load_starter, starter
from monitor.services.vocabulary import Vocabularies
from monitor.storage import citations, migrations
from monitor.storage.engine import connect, sqlite_url
from tests.benchmarks.corpus import invented_xml
from tests.benchmarks.harness import Row, cpu_seconds, paired_ratio
from tests.shared import SHARED

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return NOW


def rows(large: bool) -> Iterable[Row]:
    text = starter("vocabulary")
    once = cpu_seconds(lambda: vocabulary_of.__wrapped__(text))
    yield Row("read the vocabulary, once a process and version", f"{1000 * once:.0f} ms")
    with tempfile.TemporaryDirectory() as folder:
        invented = Path(folder) / "invented.xml"
        with invented.open("wb") as out:
            out.writelines(invented_xml(5_000 if large else 1_000, 3))
        yield from _reading(_citations(invented), "invented")
        yield from _keeping(_citations(invented), Path(folder) / "kept.sqlite")
    if SHARED.is_dir():
        names = ("nk-domain", "near-domain", "recent-trials", "special-relations")
        real = [each for name in names for each in _citations(SHARED / "pubmed" / f"{name}.xml.gz")]
        yield from _reading(real, "real, of the field")


def _citations(path: Path) -> list[Citation]:
    return [each for each in read_records(open_records(path)) if isinstance(each, Citation)]


def _reading(found: Sequence[Citation], name: str) -> Iterator[Row]:
    vocabulary, rules, mesh = vocabulary_of(starter("vocabulary")), rules_of(starter("levels")), load_mesh_tree()

    def whole() -> None:
        for each in found:
            propose_all(vocabulary, rules, each, mesh, date(2026, 11, 23))

    def every_pattern() -> None:
        """Hold every pattern against every text, as one would without looking for its letters first."""
        patterns = [each.regex for facet in vocabulary.facets for term in facet.terms for each in term.patterns]
        for each in found:
            for text in Texts(each).main:
                for pattern in patterns:
                    for _ in pattern.finditer(text.text):
                        pass

    tags = cpu_seconds(lambda: [propose(vocabulary, each, mesh) for each in found])
    yield Row(
        f"tags of a citation, {len(found):,} {name}",
        f"{1000 * tags / len(found):.2f} ms",
        "<= 3 ms",
        tags / len(found) <= 0.003,
    )
    ratio, mine, theirs = paired_ratio(whole, every_pattern)
    yield Row(
        f"tags, level, sample and registry, {name}",
        f"{1000 * mine / len(found):.2f} ms",
        f"bare patterns {1000 * theirs / len(found):.2f} ms",
    )
    yield Row("  bare patterns without their letters first / ours", f"{ratio:.1f}x")


def _keeping(found: Sequence[Citation], path: Path) -> Iterator[Row]:
    database = connect(sqlite_url(path))
    try:
        database.create()
        migrations.upgrade(database)
        with database.write() as session:
            load_starter(session, NOW)
            citations.keep(session, list(found), now=NOW)
        service = Vocabularies(database, Clock(), load_mesh_tree)
        seconds = cpu_seconds(lambda: service.refresh(len(found)))
        with database.connection() as connection:
            size = connection.exec_driver_sql("SELECT sum(length(found)) FROM proposal").scalar_one()
        yield Row("propose and keep, SQLite", f"{1000 * seconds / len(found):.2f} ms a paper")
        yield Row("a stored proposal", f"{size / len(found):,.0f} bytes of JSON")
        idle = cpu_seconds(lambda: service.refresh(len(found)))
        yield Row(f"finding that nothing is behind, {len(found):,} papers", f"{1000 * idle:.1f} ms")
    finally:
        database.dispose()
