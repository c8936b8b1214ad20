"""Settings are one value, refused whole."""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import SettingsError
from monitor.kept import Kept
from monitor.mail.transport import FolderRoute, parse_mail_url
from monitor.settings import Settings, Sources, load, read_kept, with_secret_key
from monitor.storage.engine import connect

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_need_nothing(tmp_path: Path) -> None:
    settings = load(environ={})
    assert settings.home == tmp_path / "var"
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path}/var/monitor.db"
    assert settings.mail_url.get_secret_value() == f"file:{tmp_path}/var/mail"
    assert settings.ncbi_email is None


def test_flags_beat_environment_beats_file(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text('language = "en"\npoll_hour = 1\nfirst_poll_days = 10\nreconcile_days = 5\n')
    settings = load(
        environ={"MONITOR_POLL_HOUR": "2", "MONITOR_FIRST_POLL_DAYS": "20"}, first_poll_days=40, poll_hour=None
    )
    assert (settings.reconcile_days, settings.poll_hour, settings.first_poll_days) == (5, 2, 40)


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text('lnguage = "en"\ntimezone = "Europe/Berln"\n')
    environ = {
        "MONITOR_PUBLIC_URL": "ftp://x",
        "MONITOR_NCBI_EMAIL": "nobody",
        "MONITOR_PUBLICURL": "http://x",
        "MONITOR_POLL_HOUR": "25",
        "MONITOR_NCBI_API_KEY_FILE": str(tmp_path / "absent"),
        "MONITOR_DATABASE_URL": "mysql://secret-password@host/x",
    }
    with pytest.raises(SettingsError) as caught:
        load(environ=environ)
    text = str(caught.value)
    assert len(caught.value.problems) == 8
    for part in (
        "did you mean language",
        "did you mean MONITOR_PUBLIC_URL",
        "Europe/Berlin",
        "MONITOR_PUBLIC_URL",
        "MONITOR_NCBI_EMAIL",
        "MONITOR_POLL_HOUR",
        "absent",
    ):
        assert part in text
    assert "secret-password" not in text


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k-123\n")
    settings = load(environ={"MONITOR_NCBI_API_KEY_FILE": str(tmp_path / "key")})
    assert settings.ncbi_api_key is not None
    assert settings.ncbi_api_key.get_secret_value() == "k-123"
    assert "k-123" not in repr(settings)


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a")
    with pytest.raises(SettingsError, match="keep one"):
        load(environ={"MONITOR_NCBI_API_KEY_FILE": str(tmp_path / "key"), "MONITOR_NCBI_API_KEY": "b"})


def test_a_named_config_that_is_absent_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load(tmp_path / "no.toml", environ={})


def test_broken_toml_is_a_problem_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text("home = \n")
    with pytest.raises(SettingsError, match="line 1"):
        load(environ={})


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    first = with_secret_key(load(environ={}))
    second = with_secret_key(load(environ={}))
    assert first.secret_key.get_secret_value() == second.secret_key.get_secret_value() != ""
    assert stat.S_IMODE((tmp_path / "var" / "secret-key").stat().st_mode) == 0o600


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(environ={}).language = "de"


def test_an_empty_variable_is_not_set() -> None:
    assert load(environ={"MONITOR_NCBI_EMAIL": "", "MONITOR_DATABASE_URL": ""}).ncbi_email is None


def test_a_file_may_name_a_secret_file_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k-123\n")
    (tmp_path / "monitor.toml").write_text(
        f'ncbi_api_key_file = "{tmp_path}/key"\nmail_plain_relays = "a.example, b.example"\n'
    )
    settings = load(environ={})
    assert settings.ncbi_api_key is not None
    assert settings.ncbi_api_key.get_secret_value() == "k-123"
    assert settings.mail_plain_relays == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "https://user:canary-password@host.example"),
        ("PUBLIC_URL", "gopher://:canary-password@host"),
        ("PUBLIC_URL", "http://[::1"),
        ("PUBLIC_URL", "http://host:99999"),
        ("PUBLIC_URL", "https://host.example/?a=b"),
        ("EUTILS_URL", "http://eutils.ncbi.nlm.nih.gov/entrez/eutils/"),
        ("NCBI_EMAIL", "Ada <ada@lab.example>"),
        ("MAIL_FROM", "a@b.example\r\nBcc: c@d.example"),
        ("MAIL_FROM", "lab"),
        ("MAIL_REPLY_TO", "ada@@lab.example"),
        ("DATABASE_URL", "mysql://root:canary-password@host/x"),
        ("MAIL_URL", "imap://root:canary-password@host"),
        ("NCBI_API_KEY", "two words"),
        ("SECRET_KEY", "short"),
        ("DIGEST_NAME", "x" * 61),
        ("DIGEST_NAME", " "),
        ("POLL_HOUR", "6.5"),
        ("FIRST_POLL_DAYS", "0"),
        ("RECONCILE_DAYS", "soon"),
        ("LANGUAGE", "zh"),
        ("HOME", "~nobody-of-this-name/var"),
    ],
)
def test_a_wrong_value_is_one_problem_that_shows_no_password(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"MONITOR_{name}: ") as caught:
        load(environ={f"MONITOR_{name}": value})
    assert len(caught.value.problems) == 1
    assert "canary" not in str(caught.value)


def test_a_key_is_not_sent_over_plain_http_to_another_machine() -> None:
    environ = {"MONITOR_NCBI_API_KEY": "k-123", "MONITOR_EUTILS_URL": "http://sandbox.lab.example/"}
    with pytest.raises(SettingsError, match="only sent over https"):
        load(environ=environ)
    assert load(environ=environ | {"MONITOR_EUTILS_URL": "http://127.0.0.1:9/"}).ncbi_api_key is not None


def test_other_checks_see_sound_values_only_and_add_their_problems() -> None:
    seen: dict[str, object] = {}

    def check(values: Mapping[str, object]) -> list[str]:
        seen.update(values)
        return ["and this"]

    with pytest.raises(SettingsError) as caught:
        load(environ={"MONITOR_POLL_HOUR": "99", "MONITOR_MAIL_URL": "smtp://relay"}, also=[check])
    assert seen == {"mail_url": "smtp://relay"}
    assert caught.value.problems[-1] == "and this"


def test_a_home_of_any_name_has_its_database_and_mail(tmp_path: Path) -> None:
    home = tmp_path / "100% of it? #1"
    settings = load(environ={}, home=home)
    assert connect(settings.database_url.get_secret_value()).path == home / "monitor.db"
    route = parse_mail_url(settings.mail_url.get_secret_value())
    assert isinstance(route, FolderRoute)
    assert route.folder == home / "mail"


def test_passwords_within_addresses_are_known_as_secrets() -> None:
    settings = load(
        environ={
            "MONITOR_DATABASE_URL": "postgresql://monitor:p%40ss-word@host/db",
            "MONITOR_MAIL_URL": "smtps://ada:s3cret-word@relay.example",
            "MONITOR_NCBI_API_KEY": "key-of-the-lab",
            "MONITOR_SECRET_KEY": "sixteen-and-more-characters",
        }
    )
    assert set(settings.secrets) == {
        "p%40ss-word", "p@ss-word", "s3cret-word", "key-of-the-lab", "sixteen-and-more-characters"
    }  # fmt: skip


@pytest.mark.parametrize("content", ["", "cut", "\xff" * 20])
def test_a_damaged_secret_key_is_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "var" / "secret-key"
    path.parent.mkdir()
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(SettingsError):
        with_secret_key(load(environ={}))
    assert path.read_bytes() == content.encode("latin-1")


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: with_secret_key(load(environ={})).secret_key.get_secret_value(), range(64)))
    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret-key"]


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_setting_is_documented(name: str) -> None:
    assert f"`MONITOR_{name.upper()}`" in README


def test_what_the_pages_keep_counts_for_less_than_file_and_environment(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_text(
        'mail_from = "kept@lab.example"\nncbi_email = "kept@lab.example"\nmail_url = "smtps://kept.example"\n'
    )
    (tmp_path / "monitor.toml").write_text('ncbi_email = "file@lab.example"\nhome = "home"\n')
    environ = {"MONITOR_MAIL_URL": "smtps://environment.example"}
    sources = Sources(environ=environ)
    settings = sources.load()
    assert settings.home == home
    assert settings.mail_from == "kept@lab.example"
    assert settings.ncbi_email == "file@lab.example"
    assert settings.mail_url.get_secret_value() == "smtps://environment.example"
    assert sources.fixed() == {"ncbi_email": "monitor.toml", "mail_url": "MONITOR_MAIL_URL"}
    assert sources.load({"mail_from": "tried@lab.example"}).mail_from == "tried@lab.example"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('public_url = "http://evil.example"', "public_url is not kept here"),
        ("ncbi_email = 7", "ncbi_email is not kept here"),
        ("mail_from = ", "settings.toml"),
        ('ncbi_email = "nobody"', "MONITOR_NCBI_EMAIL"),
    ],
)
def test_a_kept_file_that_is_wrong_is_told_of_at_start(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(SettingsError, match=told):
        load(environ={}, home=tmp_path)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=60))
def test_what_is_kept_is_read_as_it_was_written(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        sources = Sources(environ={}, flags={"home": home})
        changed: list[int] = []
        kept = Kept(sources.load(), sources, lambda: changed.append(1))
        kept.keep({"ncbi_api_key": text, "mail_from": "first@lab.example"})
        assert read_kept(home) == {"ncbi_api_key": text, "mail_from": "first@lab.example"}
        with pytest.raises(SettingsError):
            kept.keep({"mail_from": "nobody"})
        kept.keep({"mail_from": None})
        assert read_kept(home) == {"ncbi_api_key": text}
        assert len(changed) == 2
        assert [each.name for each in home.iterdir()] == ["settings.toml"]
