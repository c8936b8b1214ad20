"""Citations as bytes: lossless, stable, told apart by hash, and readable for ever."""

from __future__ import annotations

import dataclasses
import threading
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from monitor.core.citation import Author, Citation, InlineXml
from monitor.errors import DatabaseDamaged
from monitor.pubmed.parse import open_records, read_records
from monitor.storage import codec
from tests import factories
from tests.factories import FIRST_PMID, citation
from tests.shared import SHARED, needs_shared


@given(factories.citations())
def test_any_citation_comes_back_equal(each: Citation) -> None:
    encoded = codec.encode(each)
    back = codec.decode(codec.CURRENT, codec.pack(encoded))
    assert back == each
    assert codec.encode(back) == encoded


@settings(max_examples=40)
@given(factories.citations(), factories.citations())
def test_hashes_agree_exactly_with_equality(one: Citation, other: Citation) -> None:
    assert (codec.digest(codec.encode(one)) == codec.digest(codec.encode(other))) == (one == other)


@needs_shared
@pytest.mark.parametrize("path", sorted(SHARED.glob("pubmed/*.xml.gz")), ids=lambda p: p.name)
def test_real_records_come_back_equal(path: Path) -> None:
    seen = 0
    for each in islice(read_records(open_records(path)), 700):
        if isinstance(each, Citation):
            seen += 1
            assert codec.decode(codec.CURRENT, codec.pack(codec.encode(each))) == each
    assert seen


def test_the_types_come_back_too() -> None:
    back = codec.decode(codec.CURRENT, codec.pack(codec.encode(citation())))
    assert type(back) is Citation
    assert type(back.author_lists) is tuple
    assert type(back.authors[0]) is Author


def test_the_encoding_of_a_record_never_changes() -> None:
    """Hashes are kept: were this one to change, every stored citation would look revised."""
    each = Citation(pmid=FIRST_PMID, title=InlineXml("Invented <i>cells</i>."), languages=("eng",))
    encoded = codec.encode(each)
    assert encoded == b'{"pmid":90000001,"title":"Invented <i>cells</i>.","languages":["eng"]}'
    assert codec.digest(encoded).hex() == "ce33bdc9633fbf745a5f49643860eecf"


def test_a_document_packed_by_an_earlier_version_is_read() -> None:
    packed = bytes.fromhex("28b52ffd2432c50000503c693e3c2f693e2e227d030054b4210cbce00c5ff4201086b22b82")
    assert codec.decode(1, packed) == Citation(pmid=FIRST_PMID, title=InlineXml("Invented <i>cells</i>."))


def test_fields_that_a_record_of_an_earlier_version_lacks_have_their_defaults() -> None:
    """A later version adds fields: to the citation, and at the end of its parts."""
    earlier = b'{"pmid":90000001,"author_lists":[[[["Doe"]]]],"journal":["Invented"]}'
    back = codec.decode(codec.CURRENT, codec.pack(earlier))
    assert back.pmid == FIRST_PMID
    assert back.authors == (Author("Doe"),)
    assert back.corrections == ()


def test_fields_at_their_defaults_take_no_room() -> None:
    for field in dataclasses.fields(Citation):
        if field.default is not dataclasses.MISSING:
            assert field.name.encode() not in codec.encode(Citation(pmid=1))


@pytest.mark.parametrize("doc", [b"", b"nonsense", b"\x28\xb5\x2f\xfd\x60\x00\x00", "cut", "flipped", "other"])
def test_a_damaged_document_is_told(doc: bytes | str) -> None:
    sound = codec.pack(codec.encode(citation()))
    flipped = bytearray(sound)
    flipped[len(sound) // 2] ^= 0xFF
    made = {"cut": sound[:-20], "flipped": bytes(flipped), "other": codec.pack(b'{"pmid":"not a number"}')}
    with pytest.raises(DatabaseDamaged, match="damaged"):
        codec.decode(codec.CURRENT, made[doc] if isinstance(doc, str) else doc)


def test_an_encoding_of_a_later_version_is_told() -> None:
    with pytest.raises(DatabaseDamaged, match="encoding 2"):
        codec.decode(2, b"anything")


def test_a_changed_dictionary_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "record-1.zdict").write_bytes(b"something else")
    monkeypatch.setattr(codec, "resource_dir", lambda _: tmp_path)
    codec._dictionary.cache_clear()
    try:
        with pytest.raises(DatabaseDamaged, match="install again"):
            codec._dictionary()
    finally:
        codec._dictionary.cache_clear()


def test_the_dictionary_earns_its_place() -> None:
    import zstandard

    encoded = codec.encode(citation())
    assert len(codec.pack(encoded)) < 0.6 * len(zstandard.ZstdCompressor(level=3).compress(encoded))


def test_threads_pack_and_unpack_at_the_same_time() -> None:
    failures: list[BaseException] = []

    def work(start: int) -> None:
        try:
            for n in range(300):
                each = citation(start + n)
                assert codec.decode(codec.CURRENT, codec.pack(codec.encode(each))) == each
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(FIRST_PMID + 1000 * n,)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []


def test_what_is_stored_is_plain_json() -> None:
    """Without this code, zstd and the dictionary are enough to read a record."""
    assert msgspec.json.decode(codec.unpack(codec.CURRENT, codec.pack(codec.encode(citation()))))["pmid"] == FIRST_PMID
