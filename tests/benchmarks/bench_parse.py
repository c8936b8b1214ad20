"""Parsing PubMed XML, every field, against peers that read the same file"""

from __future__ import annotations

import gzip
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from lxml import etree

from monitor.core.citation import Citation
from monitor.pubmed.cutting import Cutter
from monitor.pubmed.inline import Element
from monitor.pubmed.parse import open_records, read_records
from tests.benchmarks.corpus import invented_xml
from tests.benchmarks.harness import Row, cpu_seconds, paired_ratio, peak_memory_of
from tests.shared import SHARED

_MEMORY = """
import sys
from pathlib import Path
from monitor.pubmed.parse import open_records, read_records
print(sum(1 for _ in read_records(open_records(Path(sys.argv[1])))), file=sys.stderr)
"""


def rows(large: bool) -> Iterable[Row]:
    with tempfile.TemporaryDirectory() as folder:
        invented = Path(folder) / "invented.xml"
        _write(invented, _mixed(2_000, 3_000))
        yield from _against_peers(invented, "invented 2021 and 1970s mix")
        real = _real_mix(Path(folder))
        if real is not None:
            yield from _against_peers(real, "real 2021 and 1970s mix")
        big = Path(folder) / "big.xml"
        count = 200_000 if large else 20_000
        _write(big, invented_xml(count, 3))
        megabytes = big.stat().st_size / 2**20
        peak = peak_memory_of(_MEMORY, str(big))
        yield Row(
            f"peak memory, {count:,} invented records, {megabytes:,.0f} MB", f"{peak:.1f} MB", "<= 40 MB", peak <= 40
        )


def _against_peers(path: Path, name: str) -> Iterator[Row]:
    count = sum(1 for _ in read_records(open_records(path)))
    ours = cpu_seconds(lambda: _ours(path))
    size = path.stat().st_size / count / 1000
    yield Row(f"{name}: {count:,} records of {size:.1f} KB", f"{count / ours:,.0f} records/s")

    ratio, _, theirs = paired_ratio(lambda: _ours(path), lambda: _entrez(path))
    yield Row(
        f"{name}: Bio.Entrez.read, {count / theirs:,.0f}/s", f"{ratio:.2f}x ours", ">= 4x (3.5 fault)", ratio >= 4
    )

    packed = path.with_suffix(".xml.gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 6))
    ratio, _, theirs = paired_ratio(lambda: _ours(packed), lambda: _pubmed_parser(packed))
    yield Row(f"{name}: pubmed_parser, all options, {count / theirs:,.0f}/s", f"{ratio:.2f}x ours", ">= 3x", ratio >= 3)

    ratio, _, theirs = paired_ratio(lambda: _ours(path), lambda: _lxml_nothing(path), rounds=5)
    yield Row(
        f"{name}: lxml iterparse, nothing read, {count / theirs:,.0f}/s",
        f"ours {1 / ratio:.2f}x",
        "<= 2.3x",
        1 / ratio <= 2.3,
    )

    ratio, _, theirs = paired_ratio(lambda: _ours(path), lambda: _plain_walk(path))
    yield Row(f"{name}: lxml, all walked, nothing understood, {count / theirs:,.0f}/s", f"ours {1 / ratio:.2f}x")


def _ours(path: Path) -> None:
    for found in read_records(open_records(path)):
        assert isinstance(found, Citation)


def _entrez(path: Path) -> None:
    from Bio import Entrez

    with path.open("rb") as file:
        Entrez.read(file)


def _pubmed_parser(path: Path) -> None:
    import pubmed_parser

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {
            "year_info_only": False,
            "nlm_category": True,
            "author_list": True,
            "reference_list": True,
            "parse_downto_mesh_subterms": True,
        }
        # As for ours, no record is held once it is read: a list of them all would be charged a tenth more.
        for found in pubmed_parser.parse_medline_xml(str(path), **options):
            assert found["pmid"]


def _lxml_nothing(path: Path) -> None:
    for _, element in etree.iterparse(str(path), tag="PubmedArticle", load_dtd=False):
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _plain_walk(path: Path) -> None:
    """What any complete reading on lxml's elements must do at least: take each tag, attribute and text once."""
    cutter = Cutter(open_records(path))
    parser = etree.XMLParser(resolve_entities=False, collect_ids=False)
    for chunk in cutter.chunks():
        assert chunk is not None
        assert _walked(cast(Element, etree.fromstring(cutter.head + chunk + cutter.tail, parser)))


def _walked(element: Element) -> list[object]:
    return [
        (child.tag, child.items(), _walked(child) if len(child) else (child.text or "").strip()) for child in element[:]
    ]


def _mixed(modern: int, old: int) -> Iterator[bytes]:
    """Both shapes in one set."""
    first, second = invented_xml(modern, 1), invented_xml(old, 2, modern=False)
    held = next(first)
    for piece in first:
        yield held
        held = piece
    next(second)
    yield from second


def _real_mix(folder: Path) -> Path | None:
    """Every sixth record of the two large real files, the proportion of a backfill over decades."""
    path = folder / "real.xml"
    sources = [SHARED / "pubmed" / "pubmed21n1298-dev.xml.gz", SHARED / "pubmed" / "pubmed20n0014-dev.xml.gz"]
    if not all(source.is_file() for source in sources):
        return None
    with path.open("wb") as out:
        for place, source in enumerate(sources):
            data = gzip.decompress(source.read_bytes())
            records = data.split(b"<PubmedArticle>")
            out.write(records[0] if place == 0 else b"")
            for record in records[1::6]:
                out.write(b"<PubmedArticle>" + record[: record.rindex(b"</PubmedArticle>") + 16] + b"\n")
        out.write(b"</PubmedArticleSet>\n")
    return path


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as out:
        for piece in pieces:
            out.write(piece)
