"""The archive of issues, what was sent to me, and the studio: what is shown is what is sent, and reading changes nothing."""

from __future__ import annotations

import email
import email.policy
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import func, select, update

from monitor.core.delivery import NoticeKind
from monitor.services.delivering import Delivering
from monitor.storage import bounces, people
from monitor.storage.tables import AttemptRow, Base, DeliveryRow, EventRow, SuppressionRow
from tests.acceptance.publishing_world import World
from tests.acceptance.test_curated_digests import judged, labelled
from tests.factories import FIRST_PMID
from tests.web.desk import NOW, Desk, desk

MEMBER, ADMIN = "member@lab.example", "admin@lab.example"
WEEK = timedelta(days=7)


@dataclass
class Weeks:
    """A desk where three readers follow CAR-NK and papers came every day."""

    place: Desk
    world: World

    def later(self, days: int = 7) -> None:
        self.place.clock.set(self.place.clock.now() + timedelta(days=days))
        self.world.moment = self.place.clock.now()

    def publish(self) -> None:
        self.world.polled("car-nk")
        self.place.house.publishing.publish()

    def sent(self, state: str = "sent") -> None:
        self.world.delivered(state)

    def rows(self) -> dict[str, int]:
        """Count the rows of every table but those that note who looked."""
        with self.place.house.database.read() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.tables.values()
            }


def opened(place: Desk) -> Weeks:
    world = World.__new__(World)
    world.database, world.moment = place.house.database, place.clock.now()
    world.subscribing, world.publishing = place.house.subscribing, place.house.publishing
    place.clock.set(NOW - 3 * WEEK)
    for role in place.ids:
        place.house.subscribing.subscribe(f"{role}@lab.example", ["car-nk"], day=0, hour=7)
    weeks = Weeks(place, world)
    weeks.later(1)
    weeks.world.found(1)
    weeks.world.found(2)
    judged(world, 1, "keep", "car-nk", note="Read <b>table 2</b>.", by="curator@lab.example")
    labelled(world, 1, "level", "B1")
    return weeks


@pytest.fixture
def weeks(place: Desk) -> Weeks:
    return opened(place)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weeks]:
    """Weeks that no test changes."""
    with desk(tmp_path_factory.mktemp("weeks")) as place:
        found = opened(place)
        found.later(6)
        found.publish()
        found.sent()
        found.later(1)
        found.world.retracted(1)
        found.world.found(3)
        found.later(6)
        found.publish()
        yield found


def test_a_catch_up_of_many_weeks_stays_in_the_order_of_days(weeks: Weeks) -> None:
    weeks.later(6)
    for _ in range(4):
        weeks.publish()
        weeks.later()
    weeks.place.house.publishing.publish(on=(NOW - WEEK).date())
    client = weeks.place.client("member")
    slots = re.findall(r'<time datetime="([^"]+)"', client.get("/digests").text)
    assert slots == sorted(slots, reverse=True)
    assert len(slots) == len(set(slots)) == 4


def test_the_archive_names_issues_by_day_with_topics_and_whether_they_are_mine(shown: Weeks) -> None:
    page = shown.place.client("member").get("/digests").text
    for part in ("Monday, 9 November 2026", "2026-W46", "CAR-NK", "3 readers", "yours"):
        assert part in page
    keys = re.findall(r'href="/issues/([^"]+)"', page)
    assert len(keys) == 2
    for key in keys:
        assert shown.place.client().get(f"/issues/{key}").status_code == 200
    assert ADMIN not in page


def test_the_archive_is_paged(shown: Weeks, monkeypatch: pytest.MonkeyPatch) -> None:
    from monitor.web.views import digests

    monkeypatch.setattr(digests, "PAGE", 1)
    client = shown.place.client("member")
    first = client.get("/digests").text
    older = re.search(r'href="(/digests\?before=\d+)"', first)
    assert older is not None
    second = client.get(older[1]).text
    keys = [re.findall(r'href="/issues/([^"]+)"', page) for page in (first, second)]
    assert [len(each) for each in keys] == [1, 1]
    assert keys[0] != keys[1]
    assert ">Older<" not in second


def test_what_was_sent_to_me_says_what_happened_to_it_since(shown: Weeks) -> None:
    page = shown.place.client("member").get("/digests/mine").text
    assert page.count('class="issue-day"') == 2
    assert "Waiting" in page
    assert "Sent" in page
    assert "1 of its papers has changed since:" in page
    assert page.count("Retracted since") == 2, "in the notice and in the list of its issue; the later issue tells it"
    assert "told as a correction" in page
    assert MEMBER in page
    assert ADMIN not in page


def test_the_preview_is_what_is_sent_to_the_octet(weeks: Weeks) -> None:
    weeks.later(6)
    weeks.world.polled("car-nk")
    client = weeks.place.client("admin")
    preview = client.get(f"/admin/digests/letter?for={quote('person:' + MEMBER)}")
    assert preview.status_code == 200
    assert "style-src 'unsafe-inline'" in preview.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in preview.headers["content-security-policy"]
    assert "Read &lt;b&gt;table 2&lt;/b&gt;." in preview.text
    before = weeks.rows()
    text = client.get(f"/admin/digests?view=text&for={quote('person:' + MEMBER)}").text
    assert "kept in CAR-NK cells by Curator" in " ".join(text.split())
    assert weeks.rows() == before, "looking changes nothing"
    weeks.place.house.publishing.publish()
    weeks.place.house.delivering.run()
    (mail,) = (
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in Path(weeks.place.house.settings.home).rglob("*.eml")
        if MEMBER.encode() in path.read_bytes()
    )
    part = mail.get_body(("html",))
    assert part is not None
    assert part.get_payload(decode=True).replace(b"\r\n", b"\n") == preview.content
    assert isinstance(weeks.place.house.delivering, Delivering)


def test_the_studio_shows_subject_preheader_size_and_kinds(shown: Weeks) -> None:
    client = shown.place.client("admin")
    page = client.get("/admin/digests").text
    for part in ("Somebody new who follows every topic", "3 readers", "of at most 80 KB", "of at most 60 characters"):
        assert part in page
    kind = re.search(r'value="(kind:\d+)"', page)
    assert kind is not None
    chosen = client.get(f"/admin/digests?for={kind[1]}&view=phone").text
    assert f'value="{kind[1]}" selected' in chosen
    assert 'class="letter phone"' in chosen
    dark = client.get(f"/admin/digests/letter?for={kind[1]}&view=dark").text
    assert "prefers-color-scheme" not in dark
    assert "prefers-color-scheme" in client.get(f"/admin/digests/letter?for={kind[1]}").text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("for=person:nobody@lab.example", "receives no digest"),
        ("for=kind:999", "of that kind any more"),
        ("on=2030-01-01", "has not begun yet"),
    ],
)
def test_what_cannot_be_previewed_says_why(shown: Weeks, query: str, said: str) -> None:
    client = shown.place.client("admin")
    answer = client.get(f"/admin/digests?{query}")
    assert (answer.status_code, said in answer.text) == (422, True)
    for odd in ("on=soon", "on=0001-01-01", "on=9999-12-31", "for=kind:x", "for=kind:²", f"for=kind:{'9' * 5000}"):
        for path in ("/admin/digests", "/admin/digests/letter"):
            assert client.get(f"{path}?{odd}").status_code == 422, odd


def test_a_test_is_sent_as_shown_and_recorded_nowhere_but_in_the_log(weeks: Weeks) -> None:
    weeks.later(6)
    weeks.world.polled("car-nk")
    client = weeks.place.client("admin")
    answer = client.post("/admin/digests/test", data={"for": f"person:{MEMBER}", "to": "try@lab.example", "on": ""})
    assert answer.status_code == 303
    assert "A test went to try@lab.example" in client.get(answer.headers["location"]).text
    (mail,) = Path(weeks.place.house.settings.home).rglob("*.eml")
    text = mail.read_text()
    assert "To: try@lab.example" in text
    assert "[Test]" in text
    with weeks.place.house.database.read() as session:
        assert session.scalars(select(EventRow.action).order_by(EventRow.id.desc()).limit(1)).one() == "digest.test"
        assert session.scalar(select(func.count()).select_from(DeliveryRow)) == 0
    wrong = client.post("/admin/digests/test", data={"for": "", "to": "no address", "on": ""})
    assert wrong.status_code == 422
    assert 'value="no address"' in wrong.text


def test_the_outbox_tells_every_state_and_hurries_only_what_waits(weeks: Weeks) -> None:
    weeks.later(6)
    weeks.publish()
    now = weeks.place.clock.now()
    with weeks.place.house.database.write() as session:
        first, second, third = session.scalars(select(DeliveryRow.id).order_by(DeliveryRow.id))
        later = {"next_at": now + timedelta(hours=1), "tries": 2, "error": "rcpt: 451 mailbox full"}
        session.execute(update(DeliveryRow).where(DeliveryRow.id == first).values(**later))
        session.execute(update(DeliveryRow).where(DeliveryRow.id == second).values(state="failed", error="550 gone"))
        session.execute(update(DeliveryRow).where(DeliveryRow.id == third).values(state="in_doubt"))
        session.add(
            AttemptRow(
                delivery_id=first, fence=1, at=now, outcome="full", phase="rcpt", code=451, text="full", seconds=1
            )
        )
    client = weeks.place.client("admin")
    page = client.get("/admin/digests/outbox").text
    for part in ("Waiting", "Failed", "In doubt", "451 mailbox full", "550 gone", "next try"):
        assert part in page
    assert "550 gone" not in client.get("/admin/digests/outbox?state=queued").text
    assert client.get("/admin/digests/outbox?state=lost").status_code == 422
    one = client.get(f"/admin/digests/outbox/{first}").text
    assert "mailbox full, later again" in one
    assert f'action="/admin/digests/outbox/{first}/hurry"' in one
    assert client.post(f"/admin/digests/outbox/{first}/hurry").status_code == 303
    with weeks.place.house.database.read() as session:
        assert session.scalars(select(DeliveryRow.next_at).where(DeliveryRow.id == first)).one() == now
        event = session.scalars(select(EventRow).order_by(EventRow.id.desc()).limit(1)).one()
        assert (event.action, event.subject, event.actor) == ("delivery.hurry", f"delivery:{first}", ADMIN)
    for number in (first, second, third):
        assert client.post(f"/admin/digests/outbox/{number}/hurry").status_code == 422
    assert client.post("/admin/digests/outbox/999/hurry").status_code == 404
    assert "would come twice" in client.get(f"/admin/digests/outbox/{second}").text


def test_addresses_that_bounced_are_counted_and_paused_and_lifted_at_their_owners_wish(weeks: Weeks) -> None:
    weeks.later(6)
    weeks.publish()
    weeks.later(1)
    now = weeks.place.clock.now()
    with weeks.place.house.database.write() as session:
        for number, (address, at) in enumerate(
            ((MEMBER, now), (MEMBER, now), (ADMIN, now), ("curator@lab.example", now - WEEK))
        ):
            bounces.keep_notice(
                session, at=at, kind=NoticeKind.SOFT, fingerprint=str(number), address_key=address, text="full"
            )
        people.suppress(session, "gone@lab.example", "hard bounce", now)
    client = weeks.place.client("admin")
    assert "2 addresses bounced since Monday." in client.get("/admin/digests").text
    page = client.get("/admin/digests/addresses").text
    assert "2 addresses bounced since Monday." in page
    assert "curator@lab.example" not in page
    answer = client.post("/admin/digests/addresses/pause", data={"address": [MEMBER, "curator@lab.example"]})
    assert answer.headers["location"] == "/admin/digests/addresses?paused=1"
    with weeks.place.house.database.read() as session:
        assert set(session.scalars(select(SuppressionRow.address_key))) == {MEMBER, "gone@lab.example"}
    page = client.get("/admin/digests/addresses").text
    assert "1 address bounced since Monday." in page
    assert "paused by an admin" in page
    unsure = client.post("/admin/digests/addresses/lift", data={"address": MEMBER})
    assert unsure.status_code == 422
    assert "only when its owner wishes it" in unsure.text
    assert client.post("/admin/digests/addresses/lift", data={"address": MEMBER, "wish": "yes"}).status_code == 303
    assert client.post("/admin/digests/addresses/lift", data={"address": MEMBER, "wish": "yes"}).status_code == 404
    with weeks.place.house.database.read() as session:
        assert session.scalars(select(SuppressionRow.address_key)).all() == ["gone@lab.example"]
        assert (
            session.scalars(select(EventRow.action).order_by(EventRow.id.desc()).limit(1)).one() == "suppression.lift"
        )


def test_no_link_of_a_mail_changes_anything_when_it_is_fetched(weeks: Weeks) -> None:
    weeks.later(6)
    weeks.publish()
    weeks.place.house.delivering.run()
    scanner = weeks.place.client()
    before = weeks.rows()
    fetched = 0
    for path in Path(weeks.place.house.settings.home).rglob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for kind in ("html", "plain"):
            body = mail.get_body((kind,))
            assert body is not None
            for address in set(re.findall(r"http://127\.0\.0\.1:8000(/[^\s\"<>]*)", body.get_content())):
                answer = scanner.get(address)
                asks = answer.headers.get("location", "").startswith("/sign-in?next=")
                assert answer.status_code == 200 or asks, address
                fetched += 1
    assert fetched >= 6
    assert weeks.rows() == before


def test_members_and_curators_find_no_studio(shown: Weeks) -> None:
    for role in ("member", "curator"):
        answer = shown.place.client(role).get("/admin/digests/outbox")
        assert answer.status_code == 403
        assert ADMIN not in answer.text


def test_what_a_curator_does_at_the_desk_is_in_the_next_digest_and_out_of_it_when_taken_back(weeks: Weeks) -> None:
    house = weeks.place.house
    curator = house.screening.curator("curator@lab.example")
    pmid = FIRST_PMID + 2
    house.screening.decide(
        [pmid], "keep", topics=["car-nk"], note="A desk note.", tags=["car-nk", "crs/absent"], level="B3", actor=curator
    )
    house.vocabularies.refresh()
    weeks.later(6)
    weeks.world.polled("car-nk")

    def text() -> str:
        page = weeks.place.client("admin").get(f"/admin/digests?view=text&for={quote('person:' + MEMBER)}").text
        return " ".join(html.unescape(page).split())

    shown = text()
    for part in (
        "[Kept] [B3 uncontrolled, five or more treated]",
        "Note by Curator: A desk note.",
        "kept in CAR-NK cells by Curator; level B3 confirmed by Curator",
        "Cytokine release syndrome (reported absent)",
    ):
        assert part in shown
    house.steps.undo(curator)
    again = text()
    assert "A desk note." not in again
    assert f"pubmed.ncbi.nlm.nih.gov/{pmid}/" in again, "undecided, so among the others"
    house.screening.decide([pmid], "dismiss", reason="duplicate", actor=curator)
    assert f"pubmed.ncbi.nlm.nih.gov/{pmid}/" not in text()
    assert "Found and left out: 1 paper that curators dismissed." in text()
