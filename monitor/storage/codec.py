"""A citation as bytes and back: JSON of what differs from the defaults, packed with zstd and a dictionary of ours.

Every stored document names its encoding by a number, so that later encodings live beside earlier ones.
Encoding 1 is UTF-8 JSON, zstd, and `db/seed/record-1.zdict`: field names and values that recur in every record
(MeSH headings, publication types, journals, words of affiliations) as raw dictionary content. That file is part
of the encoding: a changed byte would make stored records unreadable, so its checksum is pinned here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import typing
from functools import cache
from operator import attrgetter
from typing import Final

import msgspec
import zstandard

from monitor.core.citation import Citation
from monitor.errors import DatabaseDamaged
from monitor.resources import resource_dir

CURRENT: Final = 1
_DICTIONARY: Final = ("record-1.zdict", "0c6b7ae5992db315bcf77d169864549a")
_LEVEL: Final = 3
_LARGEST: Final = 256 * 2**20
"""No record is near this many bytes; a damaged header may claim any size."""

_FIELDS: Final = dataclasses.fields(Citation)
_HINTS: Final = typing.get_type_hints(Citation)
# A struct with the fields of Citation, because only structs leave out defaults. Leaving them out keeps the bytes,
# and so the hash, of old records as they were when Citation gains a field.
_Record: Final = msgspec.defstruct(
    "_Record",
    [
        (each.name, _HINTS[each.name])
        if each.default is dataclasses.MISSING
        else (each.name, _HINTS[each.name], each.default)
        for each in _FIELDS
    ],
    omit_defaults=True,
)
_values: Final = attrgetter(*(each.name for each in _FIELDS))
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Citation)
_local: Final = threading.local()


def encode(citation: Citation) -> bytes:
    """Return the encoded form before compression; equal citations give equal bytes."""
    return _encoder.encode(_Record(*_values(citation)))


def digest(encoded: bytes) -> bytes:
    """Return the hash by which versions are told apart."""
    return hashlib.blake2b(encoded, digest_size=16).digest()


def pack(encoded: bytes) -> bytes:
    """Compress an encoded citation as encoding `CURRENT`."""
    # zstd contexts may not be shared by threads at the same time.
    packer: zstandard.ZstdCompressor | None = getattr(_local, "packer", None)
    if packer is None:
        packer = _local.packer = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=_dictionary(), write_checksum=True, write_dict_id=False
        )
    return bytes(packer.compress(encoded))


def unpack(codec: int, doc: bytes) -> bytes:
    """Return the encoded form of a stored document; raises DatabaseDamaged when it cannot be read."""
    if codec != CURRENT:
        raise DatabaseDamaged(f"a record is stored in encoding {codec}, which this version does not know; upgrade")
    unpacker: zstandard.ZstdDecompressor | None = getattr(_local, "unpacker", None)
    if unpacker is None:
        unpacker = _local.unpacker = zstandard.ZstdDecompressor(dict_data=_dictionary())
    try:
        if zstandard.frame_content_size(doc) > _LARGEST:
            raise DatabaseDamaged("a stored record is damaged; restore a backup")
        return bytes(unpacker.decompress(doc))
    except zstandard.ZstdError as error:
        raise DatabaseDamaged(f"a stored record is damaged ({error}); restore a backup") from error


def decode(codec: int, doc: bytes) -> Citation:
    """Return the citation of a stored document; raises DatabaseDamaged when it cannot be read."""
    try:
        return _decoder.decode(unpack(codec, doc))
    except msgspec.MsgspecError as error:
        raise DatabaseDamaged(f"a stored record is damaged ({error}); restore a backup") from error


@cache
def _dictionary() -> zstandard.ZstdCompressionDict:
    name, expected = _DICTIONARY
    path = resource_dir("db") / "seed" / name
    content = path.read_bytes()
    if hashlib.blake2b(content, digest_size=16).hexdigest() != expected:
        raise DatabaseDamaged(f"{path} is not the file that stored records were packed with; install again")
    dictionary = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    dictionary.precompute_compress(level=_LEVEL)
    return dictionary
