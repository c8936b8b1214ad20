"""`monitor person`: who is here and what each receives."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from monitor.cli.frame import Json, app, house, print_json, read_date, tell
from monitor.core.people import COMMAND_LINE, Person, Subscription
from monitor.core.slots import DAYS, day_number
from monitor.errors import UsageError

group = typer.Typer(help="Members, curators and admins, and what each receives.", no_args_is_help=True)
app.add_typer(group, name="person")

Address = Annotated[str, typer.Argument(metavar="ADDRESS")]


@group.command("add")
def add(
    address: Address,
    name: Annotated[str, typer.Option(help="How the person is called.")] = "",
    role: Annotated[str, typer.Option(help="member, curator or admin.")] = "member",
    language: Annotated[str | None, typer.Option(help="Language of mails: en or zh-Hans.")] = None,
) -> None:
    """Add a person; a disabled one comes back."""
    with house() as here:
        person = here.subscribing.add(address, name, role, language)
    typer.echo(f"{person.address} is here as {person.role}. Next: monitor person subscribe {person.address} TOPIC...")


@group.command("list")
def list_people(as_json: Json = False) -> None:
    """List everybody with what they receive."""
    with house() as here:
        people, today = here.subscribing.everyone(), here.clock.now().date()
    if as_json:
        print_json([_object(person) for person in people])
        return
    for person in people:
        typer.echo(f"{person.address:<36} {person.role:<8} {_receives(person, today)}")
    if not people:
        typer.echo("Nobody yet. Add the first person: monitor person add ADDRESS")


@group.command("subscribe")
def subscribe(
    address: Address,
    topics: Annotated[
        list[str] | None, typer.Argument(metavar="TOPIC", help="As `monitor topic list` names them.")
    ] = None,
    day: Annotated[str | None, typer.Option(help="Weekday of the digest: monday ... sunday.")] = None,
    hour: Annotated[int | None, typer.Option(help="Local hour, 0 to 23.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone, like Europe/Berlin.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the digest: en or zh-Hans.")] = None,
    limit: Annotated[int | None, typer.Option(help="Most papers shown in full; the rest is listed.")] = None,
    floor: Annotated[
        str | None, typer.Option(help="Lowest level of evidence that is told, like B3; `all` for any and none.")
    ] = None,
    pause_until: Annotated[
        str | None, typer.Option(metavar="DATE", help="No issue before that day; then one about all days since.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="End a pause today.")] = False,
    opt_in: Annotated[
        bool, typer.Option("--opt-in", help="The owner asked again after having unsubscribed or bounced.")
    ] = False,
) -> None:
    """Send a person the weekly digest of some topics, or change what they receive."""
    with house() as here:
        held = here.subscribing.subscribe(
            address,
            topics or (),
            day=_weekday(day),
            hour=hour,
            zone=zone,
            language=language,
            limit=limit,
            floor=floor,
            pause_until=read_date(pause_until, "--pause-until"),
            resume=resume,
            opt_in=opt_in,
        )
    typer.echo(f"{address} receives {_what(held, here.clock.now().date())}.")


@group.command("unsubscribe")
def unsubscribe(
    address: Address,
    topics: Annotated[
        list[str] | None, typer.Argument(metavar="TOPIC", help="Only these; all when none is named.")
    ] = None,
) -> None:
    """Stop a person's digest, or some topics of it."""
    with house() as here:
        left = here.subscribing.unsubscribe(address, topics or ())
    typer.echo(
        f"{left.address or address} receives nothing."
        if left.already or not topics
        else f"{left.address} no longer receives {', '.join(topics)}."
    )


@group.command("role")
def role(
    address: Address, role: Annotated[str, typer.Argument(metavar="ROLE", help="member, curator or admin.")]
) -> None:
    """Give a person another role; it holds at once, and they sign in again."""
    with house() as here:
        person = here.people.set_role(address, role)
    typer.echo(f"{person.address} is {person.role}.")


@group.command("link")
def link(address: Address, as_json: Json = False) -> None:
    """Print a link that lets a person choose a password, once: an invitation, or a reset where there is one."""
    with house() as here:
        made = here.one_time.make(here.people.by_address(address).id, COMMAND_LINE)
        until = made.expires_at.astimezone(here.settings.zone)
    if as_json:
        print_json(
            {"address": made.person.address, "purpose": made.purpose.value, "url": made.url, "expires_at": until}
        )
        return
    typer.echo(made.url)
    tell(
        f"{'An invitation' if made.purpose == 'invitation' else 'A reset'} for {made.person.address}. "
        f"It works once, until {until:%Y-%m-%d %H:%M %Z}, and replaces older ones; pass it on yourself."
    )


@group.command("disable")
def disable(address: Address) -> None:
    """Take a person out; kept for the log, and `person add` brings them back."""
    with house() as here:
        person = here.subscribing.disable(address)
    typer.echo(f"{person.address} is disabled and receives nothing.")


def _weekday(text: str | None) -> int | None:
    if text is None:
        return None
    number = day_number(text)
    if number is None:
        raise UsageError(f"--day: {text!r} is not one of {', '.join(DAYS)}")
    return number


def _what(held: Subscription, today: date) -> str:
    topics = ", ".join(f"{each.topic} (retired)" if each.retired else each.topic for each in held.topics)
    told = f"{topics} on {DAYS[held.day].capitalize()}s at {held.hour:02d}:00 {held.zone}, at most {held.card_limit} papers in full"
    if held.level_floor is not None:
        told += f", level {held.level_floor} or better"
    if held.paused_until is not None and held.paused_until > today:
        told += f"; paused until {held.paused_until}"
    return told


def _receives(person: Person, today: date) -> str:
    if person.disabled_at is not None:
        return "disabled"
    if person.subscription is None:
        return "nothing" + (f" ({person.suppressed})" if person.suppressed else "")
    return _what(person.subscription, today) + (f"; no mail: {person.suppressed}" if person.suppressed else "")


def _object(person: Person) -> dict[str, Any]:
    held = person.subscription
    return {
        "address": person.address,
        "name": person.name,
        "role": person.role,
        "language": person.language,
        "disabled_at": person.disabled_at,
        "suppressed": person.suppressed,
        "subscription": held
        and {
            "topics": [each.topic for each in held.topics],
            "retired_topics": [each.topic for each in held.topics if each.retired],
            "day": DAYS[held.day],
            "hour": held.hour,
            "zone": held.zone,
            "language": held.language,
            "limit": held.card_limit,
            "floor": held.level_floor,
            "paused_until": held.paused_until,
        },
    }
