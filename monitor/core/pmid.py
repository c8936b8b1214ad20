"""PMIDs as people write them."""

from __future__ import annotations

from typing import Final

LARGEST_PMID: Final = 2**31 - 1
"""What a column of the database holds; PubMed's have eight digits."""


def read_pmid(text: str) -> int | None:
    """Return the PMID that plain digits name; None for any other text."""
    plain = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_PMID))
    return int(text) if plain and 1 <= int(text) <= LARGEST_PMID else None
