"""Settings: how the pages look, keys, the digest, feeds, what is held about oneself, and leaving."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, available_timezones

from fastapi import Depends, FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from monitor.core.curation import FLOORS
from monitor.core.highlights import LAYERS
from monitor.core.people import Person, Preferences, Subscription
from monitor.core.slots import Slot, slots_between
from monitor.errors import UsageError
from monitor.mail.render import LANGUAGES as LETTER_LANGUAGES
from monitor.resources import LANGUAGES
from monitor.services.subscribing import Meanwhile, zone_of
from monitor.services.wishes import MOST_CARDS, Wish
from monitor.storage import people
from monitor.web.entering import Cookie, Known, local_path
from monitor.web.keys import KEYS, clashes, in_force
from monitor.web.pages import Pages
from monitor.web.site import Site


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that was changed in two windows: its name, what stands now, and what this window wants."""

    name: str
    theirs: Any
    mine: Any


async def _form(request: Request) -> FormData:
    return await request.form()


Filled = Annotated[FormData, Depends(_form)]
"""A form whose fields depend on what is known, such as one a key."""


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""
    cookie = Cookie(site.public_url)

    @app.api_route("/settings", methods=["GET", "HEAD"], response_model=None)
    def look(request: Request, who: Known) -> Response:
        return pages.write(request, "settings/look", **_look(request, who.person))

    @app.post("/settings", response_model=None)
    def change_look(
        request: Request,
        who: Known,
        version: Annotated[int, Form()],
        language: Annotated[str, Form()] = "",
        content: Annotated[str, Form()] = "en",
        theme: Annotated[str, Form()] = "auto",
        size: Annotated[str, Form()] = "",
        density: Annotated[str, Form()] = "",
        highlights: Annotated[list[str] | None, Form()] = None,
    ) -> Response:
        wanted = replace(
            who.preferences,
            language=language or None,
            content=content,  # type: ignore[arg-type]
            theme=theme,  # type: ignore[arg-type]
            large=size == "large",
            dense=density == "dense",
            highlights=tuple(highlights or ()),
        )
        try:
            site.personal.prefer(who.person.id, wanted, version, who.actor)
        except Meanwhile as error:
            shown = replace(
                error.person.preferences,
                **{name: getattr(wanted, name) for name in _LOOK},
            )
            return pages.write(
                request,
                "settings/look",
                409,
                **_look(request, error.person, shown, _differences(error.person.preferences, shown, _LOOK)),
            )
        return RedirectResponse(f"{pages.root}/settings?saved=1", 303)

    @app.post("/settings/language", response_model=None)
    def speak(who: Known, language: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/") -> Response:
        site.personal.speak(who.person, language, who.actor)
        return RedirectResponse(f"{pages.root}{local_path(next)}", 303)

    @app.api_route("/settings/keys", methods=["GET", "HEAD"], response_model=None)
    def keys(request: Request, who: Known) -> Response:
        return pages.write(request, "settings/keys", **_keys(request, who.person))

    @app.post("/settings/keys", response_model=None)
    def change_keys(request: Request, who: Known, filled: Filled) -> Response:
        shortcuts = str(filled.get("shortcuts", "on"))
        chosen = {} if "usual" in filled else _chosen(filled)
        wanted = replace(who.preferences, shortcuts=shortcuts, keys=chosen)  # type: ignore[arg-type]
        if found := clashes(chosen):
            return pages.write(request, "settings/keys", 422, **_keys(request, who.person, wanted, clashes=found))
        try:
            site.personal.prefer(who.person.id, wanted, _number(filled.get("version")), who.actor)
        except Meanwhile as error:
            shown = replace(error.person.preferences, shortcuts=wanted.shortcuts, keys=chosen)
            return pages.write(
                request,
                "settings/keys",
                409,
                **_keys(
                    request,
                    error.person,
                    shown,
                    differences=_differences(error.person.preferences, shown, ("shortcuts", "keys")),
                ),
            )
        return RedirectResponse(f"{pages.root}/settings/keys?saved=1", 303)

    @app.api_route("/settings/digest", methods=["GET", "HEAD"], response_model=None)
    def digest(request: Request, who: Known) -> Response:
        return pages.write(request, "settings/digest", **_digest(request, site, who.person))

    @app.post("/settings/digest", response_model=None)
    def change_digest(request: Request, who: Known, filled: Filled) -> Response:
        try:
            wish = _wish(filled)
            site.subscribing.arrange(who.person.id, wish, _number(filled.get("version")), who.actor)
        except Meanwhile as error:
            known = _digest(request, site, error.person, shown=filled)
            held = error.person.subscription
            known["differences"] = _differences(_plain(held), _plain(wish), tuple(_plain(wish))) if held else ()
            return pages.write(request, "settings/digest", 409, **known)
        except UsageError as error:
            return pages.write(
                request, "settings/digest", 422, **_digest(request, site, who.person, shown=filled, wrong=str(error))
            )
        return RedirectResponse(f"{pages.root}/settings/digest?saved=1", 303)

    @app.post("/settings/digest/stop", response_model=None)
    def stop(who: Known) -> Response:
        site.subscribing.unsubscribe(who.person.address, actor=who.actor)
        return RedirectResponse(f"{pages.root}/settings/digest?saved=stopped", 303)

    @app.api_route("/settings/feeds", methods=["GET", "HEAD"], response_model=None)
    def feeds(request: Request, who: Known) -> Response:
        with site.database.read() as session:
            titles = people.living_topics(session)
        followed = _followed(who.person)
        topics = [
            (title, _addresses(site, site.links.topic_feed_key(topic)), topic in followed)
            for topic, title in titles.items()
        ]
        searches = [(each.name, each.query, _addresses(site, each.key)) for each in site.saved.all()]
        return pages.write(
            request, "settings/feeds", topics=sorted(topics, key=lambda each: not each[2]), searches=searches
        )

    @app.api_route("/settings/data", methods=["GET", "HEAD"], response_model=None)
    def data(request: Request) -> Response:
        return pages.write(request, "settings/data", wrong=None)

    @app.api_route("/settings/data/export", methods=["GET", "HEAD"], response_model=None)
    def export(who: Known) -> Response:
        held = site.personal.held(who.person)
        name = f"evidence-monitor-{site.clock.now().date().isoformat()}.json"
        return Response(
            json.dumps(held, ensure_ascii=False, indent=1) + "\n",
            media_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @app.post("/settings/leave", response_model=None)
    def leave(request: Request, who: Known, sure: Annotated[str, Form()] = "") -> Response:
        try:
            if sure != "yes":
                raise UsageError("Nothing was changed: tick the box to say that you are sure.")
            site.personal.leave(who.person, who.actor)
        except UsageError as error:
            return pages.write(request, "settings/data", 422, wrong=str(error))
        request.state.visitor = None
        answer = pages.write(request, "settings/gone", address=who.person.address)
        cookie.clear(answer)
        return answer


_LOOK: Final = ("language", "content", "theme", "large", "dense", "highlights")


def _look(
    request: Request, person: Person, shown: Preferences | None = None, differences: Sequence[Difference] = ()
) -> dict[str, Any]:
    return {
        "person": person,
        "shown": shown or person.preferences,
        "differences": differences,
        "saved": request.query_params.get("saved"),
        "languages": LANGUAGES,
        "layers": LAYERS,
    }


def _keys(
    request: Request,
    person: Person,
    shown: Preferences | None = None,
    *,
    differences: Sequence[Difference] = (),
    clashes: Sequence[Any] = (),
) -> dict[str, Any]:
    shown = shown or person.preferences
    return {
        "person": person,
        "shown": shown,
        "differences": differences,
        "clashes": clashes,
        "saved": request.query_params.get("saved"),
        "known": KEYS,
        "held": {action: keys[0] for action, keys in in_force(shown.keys).items()},
    }


def _chosen(filled: FormData) -> dict[str, str]:
    """Return the keys that differ from the usual ones; an empty field asks for the usual one."""
    found = {}
    for each in KEYS:
        typed = " ".join(str(filled.get(f"key-{each.action}", "")).split())
        if typed and typed != each.usual:
            found[each.action] = read_chord(typed)
    return found


def read_chord(typed: str) -> str:
    """Return a key as the pages name it: `Shift+u`, `g q`, `Ctrl+k`; a capital letter is Shift with it."""
    parts = typed.split(" ")
    if len(parts) > 2:
        raise UsageError(f"{typed!r}: one key, or two one after the other, such as g q")
    return " ".join(_key(part) for part in parts)


def _key(part: str) -> str:
    *held, key = part.split("+") if part != "+" else ["+"]
    held = [each.capitalize() for each in held]
    if len(key) == 1 and key.isupper():
        held, key = [*held, "Shift"], key.lower()
    named = next((each for each in _NAMED if each.casefold() == key.casefold()), None)
    if set(held) - {"Ctrl", "Shift"} or not key or not (len(key) == 1 or named):
        raise UsageError(f"{part!r} is no key: write one sign, such as x, with Shift+ or Ctrl+ before it if need be")
    if named in ("Escape", "Tab"):
        raise UsageError(f"{named} keeps its own meaning on every page")
    return "+".join([*(each for each in ("Ctrl", "Shift") if each in held), named or key])


_NAMED: Final = ("Enter", "Space", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Home", "End", "Escape", "Tab")


def _digest(
    request: Request, site: Site, person: Person, *, shown: FormData | None = None, wrong: str | None = None
) -> dict[str, Any]:
    with site.database.read() as session:
        titles = people.living_topics(session)
    held, now = person.subscription, site.clock.now()
    zone = zone_of(held) if held is not None else None
    today = now.astimezone(zone or ZoneInfo(site.zone)).date()
    values: dict[str, Any] = {
        "topics": _followed(person),
        "day": held.day if held is not None else 0,
        "hour": held.hour if held is not None else 7,
        "zone": held.zone if held is not None else site.zone,
        "language": held.language if held is not None else person.preferences.language or person.language,
        "card_limit": held.card_limit if held is not None else MOST_CARDS,
        "level_floor": held.level_floor if held is not None else None,
        "paused_until": held.paused_until if held is not None and held.paused_until else None,
    }
    if values["paused_until"] is not None and values["paused_until"] <= today:
        values["paused_until"] = None
    if shown is not None:
        values = _typed(shown)
    return {
        "person": person,
        "held": held,
        "values": values,
        "wrong": wrong,
        "differences": (),
        "saved": request.query_params.get("saved"),
        "titles": titles,
        "retired": [each.topic for each in held.topics if each.retired] if held is not None else [],
        "floors": FLOORS,
        "most": MOST_CARDS,
        "zones": _zones(values["zone"]),
        "letter_languages": tuple(LETTER_LANGUAGES),
        "next_at": next_issue(held, now),
        "paused": held is not None and held.paused_until is not None and held.paused_until > today,
        "tomorrow": today + timedelta(days=1),
    }


def next_issue(held: Subscription | None, now: datetime) -> datetime | None:
    """Return when the next issue comes, after a pause if there is one."""
    zone = zone_of(held) if held is not None else None
    if held is None or zone is None or all(each.retired for each in held.topics):
        return None
    coming: tuple[Slot, ...] = slots_between(held.day, held.hour, zone, now, now + timedelta(days=400))
    return next((slot.at for slot in coming if held.paused_until is None or slot.day >= held.paused_until), None)


def _typed(filled: FormData) -> dict[str, Any]:
    """Return a form as it was filled in, to be shown again."""
    return {
        "topics": {str(each) for each in filled.getlist("topics")},
        "day": _number(filled.get("day")),
        "hour": _number(filled.get("hour")),
        "zone": str(filled.get("zone", "")),
        "language": str(filled.get("language", "")),
        "card_limit": _number(filled.get("card_limit")),
        "level_floor": str(filled.get("level_floor", "")) or None,
        "paused_until": _date_or_none(str(filled.get("paused_until", ""))),
    }


def _wish(filled: FormData) -> Wish:
    typed = _typed(filled)
    text = str(filled.get("paused_until", "")).strip()
    if text and typed["paused_until"] is None:
        raise UsageError(f"{text!r} is no day; write it like 2026-12-24")
    return Wish(**{**typed, "topics": tuple(str(each) for each in filled.getlist("topics"))})


def _plain(held: Subscription | Wish) -> dict[str, Any]:
    names = ("topics", "day", "hour", "zone", "language", "card_limit", "level_floor", "paused_until")
    values = {name: getattr(held, name) for name in names}
    if isinstance(held, Subscription):
        values["topics"] = tuple(each.topic for each in held.topics if not each.retired)
    values["topics"] = tuple(sorted(values["topics"]))
    return values


def _differences(theirs: Any, mine: Any, names: Sequence[str]) -> tuple[Difference, ...]:
    read = dict if isinstance(theirs, Mapping) else asdict
    one, other = read(theirs), read(mine)
    return tuple(Difference(name, one[name], other[name]) for name in names if one[name] != other[name])


def _followed(person: Person) -> set[str]:
    held = person.subscription
    return {each.topic for each in held.topics} if held is not None else set()


def _addresses(site: Site, key: str) -> dict[str, str]:
    return {form: site.links.feed(key, form) for form in ("atom", "json")}


def _zones(chosen: str) -> list[str]:
    """Return the zones people live in, and the one that is chosen, whatever it is."""
    lived = {each for each in available_timezones() if "/" in each and not each.startswith(("Etc/", "SystemV/", "US/"))}
    return sorted({*lived, "UTC", chosen} - {""})


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise UsageError(f"{value!r} is no number") from None


def _date_or_none(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
