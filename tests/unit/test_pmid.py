"""PMIDs as people write them."""

import pytest

from monitor.core.pmid import LARGEST_PMID, read_pmid


@pytest.mark.parametrize("pmid", [1, 90000001, LARGEST_PMID])
def test_plain_digits_are_a_pmid(pmid: int) -> None:
    assert read_pmid(str(pmid)) == pmid


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "+1", " 1", "1.0", "x", "９", "²", "1_0", str(LARGEST_PMID + 1), "9" * 5000]
)
def test_anything_else_is_none(text: str) -> None:
    assert read_pmid(text) is None
