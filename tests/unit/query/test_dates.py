"""The days of a citation, field by field and all at once."""

from __future__ import annotations

from hypothesis import given

from monitor.core.citation import Citation
from monitor.core.query.dates import citation_days, days_of
from monitor.storage.tokens import DATES
from tests import factories


@given(factories.citations())
def test_all_days_at_once_are_those_of_each_field(each: Citation) -> None:
    """Writing the index takes them all at once, and must not part from what a search is decided by."""
    assert days_of(each) == {field: days for field in DATES if (days := citation_days(each, field))}
