"""Settings are one value, refused whole."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from monitor.errors import SettingsError
from monitor.settings import Settings, load, with_secret_key

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


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_setting_is_documented(name: str) -> None:
    assert f"`MONITOR_{name.upper()}`" in README
