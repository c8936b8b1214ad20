"""Links and roles at the command line."""

from __future__ import annotations

import pytest

from monitor.services.signing_in import Entered
from tests.acceptance.cli_world import Cli


def test_the_first_admin_gets_a_link_and_stays_an_admin(cli: Cli) -> None:
    cli("person", "add", "admin@lab.example", "--role", "admin")
    made = cli("person", "link", "admin@lab.example")
    assert made.code == 0
    link = made.out.strip()
    assert link.startswith("http://127.0.0.1:8000/link/"), "nothing but the link on standard output"
    assert "works once" in made.err
    assert link not in made.err
    told = cli("person", "link", "ADMIN@lab.example", "--json").json
    assert (told["address"], told["purpose"]) == ("admin@lab.example", "invitation")

    from monitor.build import build
    from monitor.settings import load

    with build(load(environ={}, home=cli.home)) as house:
        found = house.one_time.use(told["url"].rpartition("/")[2], "gravel otter lantern", "gravel otter lantern")
        assert isinstance(found, Entered)
    assert cli("person", "link", "admin@lab.example", "--json").json["purpose"] == "reset"
    for refused in (
        cli("person", "role", "admin@lab.example", "member"),
        cli("person", "disable", "admin@lab.example"),
    ):
        assert refused.code == 2
        assert "only admin" in refused.err
    cli("person", "add", "member@lab.example")
    raised = cli("person", "role", "member@lab.example", "admin")
    assert (raised.code, raised.out) == (0, "member@lab.example is admin.\n")
    assert cli("person", "role", "admin@lab.example", "member").code == 0
    cli("person", "disable", "admin@lab.example")
    assert "is disabled" in cli("person", "link", "admin@lab.example").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("link", "nobody@lab.example"), "nobody here has the address"),
        (("role", "nobody@lab.example", "admin"), "nobody here has the address"),
        (("role", "nobody@lab.example", "king"), "no role"),
        (("link", "no address"), "is not an address"),
    ],
)
def test_wrong_usage_is_a_sentence(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    answer = cli("person", *arguments)
    assert answer.code == 2
    assert said in answer.err
