"""Cursors: nothing twice, nothing left out, whatever arrives while somebody reads."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.citation import InlineXml
from monitor.web.api import cursors
from monitor.web.problems import WrongParameter
from tests.factories import FIRST_PMID, citation
from tests.web.api.conforming import Description, Program
from tests.web.desk import NOW, desk
from tests.web.members import found


@settings(max_examples=8, deadline=None)
@given(
    size=st.integers(1, 7),
    there=st.sets(st.integers(0, 60), min_size=1, max_size=20),
    arrivals=st.lists(st.sets(st.integers(0, 90), max_size=6), max_size=6),
)
def test_pages_shift_by_nothing_that_arrives(
    tmp_path_factory: pytest.TempPathFactory, size: int, there: set[int], arrivals: list[set[int]]
) -> None:
    """Papers come above, below and between the pages that were read."""
    with desk(tmp_path_factory.mktemp("paging")) as place:
        program = Program(place, Description(place), "member", "read")

        def arrive(numbers: set[int]) -> None:
            papers = [
                citation(FIRST_PMID + each, title=InlineXml(f"Invented cells {each}.")) for each in sorted(numbers)
            ]
            found(place, papers, NOW - timedelta(hours=1))

        arrive(there)
        held, read, cursor, waiting = set(there), [], None, list(arrivals)
        while True:
            asked = {"q": "invented cells", "limit": size} | ({"cursor": cursor} if cursor else {})
            page = program.get("/citations", params=asked).json()
            read += [each["pmid"] - FIRST_PMID for each in page["items"]]
            assert len(page["items"]) <= size
            cursor = page["next"]
            if cursor is None:
                break
            fresh = (waiting.pop(0) if waiting else set()) - held
            arrive(fresh)
            held |= fresh
        assert read == sorted(set(read), reverse=True), "each once, from the highest down"
        assert there <= set(read) <= held


@given(st.text(max_size=60), st.integers(1, 2**63 - 1))
def test_a_cursor_comes_back_as_it_went(asked: str, last: int) -> None:
    text = cursors.write(asked, last)
    assert text is not None
    assert cursors.read(asked, text) == last
    with pytest.raises(WrongParameter):
        cursors.read(f"{asked} ", text)


@given(st.from_regex(r"[A-Za-z0-9_-]{1,80}", fullmatch=True))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(WrongParameter):
        cursors.read("citations\n", text)


def test_issues_and_polls_are_read_page_by_page(tmp_path: Path) -> None:
    with desk(tmp_path) as place:
        place.clock.set(NOW - timedelta(days=40))
        place.house.subscribing.subscribe("member@lab.example", ["car-nk"], day=0, hour=7)
        for week in range(4):
            place.clock.set(NOW - timedelta(days=28 - 7 * week, hours=-1))
            found(place, [citation(FIRST_PMID + week)], place.clock.now() - timedelta(hours=3))
            place.house.publishing.publish()
        place.clock.set(NOW)
        program = Program(place, Description(place), "admin", "admin")
        for address, name in (("/issues", "key"), ("/polls", "id")):
            whole = program.get(f"{address}?limit=200").json()["items"]
            assert len(whole) >= 4
            read, cursor = [], None
            while cursor is not None or not read:
                page = program.get(address, params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
                read += page["items"]
                cursor = page["next"]
            assert read == whole
        other = program.get("/polls?limit=1").json()["next"]
        assert program.get(f"/polls?limit=1&topic=car-nk&cursor={other}").status_code == 422
        assert program.get(f"/issues?cursor={other}").status_code == 422
