"""Settings from the environment: good values are read, bad ones stop the start with a sentence that names the setting."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import time
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from hygiene.environment import Environment, read_env_file

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def env() -> Environment:
    return Environment()


def database(env: Environment) -> dict[str, object]:
    return env.database("DATABASE_URL", default_path=Path("unused"))


@pytest.mark.parametrize(("word", "value"), [("true", True), ("1", True), ("YES", True), ("off", False), ("", False), ("0", False)])
def test_a_flag_reads_the_usual_words(env: Environment, monkeypatch: pytest.MonkeyPatch, word: str, value: bool) -> None:
    monkeypatch.setenv("A_FLAG", word)
    assert env.flag("A_FLAG", default=not value) is value


@pytest.mark.parametrize(
    ("name", "word", "read"),
    [
        ("A_FLAG", "perhaps", lambda env: env.flag("A_FLAG", default=False)),
        ("A_NUMBER", "five", lambda env: env.number("A_NUMBER", default=5, least=0, most=10)),
        ("A_NUMBER", "11", lambda env: env.number("A_NUMBER", default=5, least=0, most=10)),
        ("A_NUMBER", "nan", lambda env: env.number("A_NUMBER", default=5, least=0, most=10)),
        ("A_CHOICE", "blue", lambda env: env.choice("A_CHOICE", default="red", allowed=("red",))),
        ("SITE_ROOT", "keys.example.com", lambda env: env.url("SITE_ROOT", default="http://127.0.0.1")),
        ("DATABASE_URL", "mysql://x", lambda env: env.database("DATABASE_URL", default_path=Path("unused"))),
        ("CELERY_BROKER_URL", "amqp://x", lambda env: env.broker("CELERY_BROKER_URL", fallback_dir=Path("unused"))),
        ("EMAIL_URL", "mail.example.com", lambda env: env.mail("EMAIL_URL")),
        ("DATABASE_URL", "postgres://u:p@db:abc/keys", database),
        ("DATABASE_URL", "postgres://u:p@[::1/keys", database),
        ("DATABASE_URL", "postgres://u:p#w@db/keys", database),
        ("DATABASE_URL", "postgres://", database),
        ("DATABASE_URL", "sqlite:////proc/nowhere/keys.sqlite3", database),
        ("CELERY_BROKER_URL", "redis://:p/w@broker:6379/0", lambda env: env.broker("CELERY_BROKER_URL", fallback_dir=Path("unused"))),
        ("CELERY_BROKER_URL", "redis://broker:abc/0", lambda env: env.broker("CELERY_BROKER_URL", fallback_dir=Path("unused"))),
        ("EMAIL_URL", "smtp://mail:abc", lambda env: env.mail("EMAIL_URL")),
        ("EMAIL_URL", "smtp://[::1", lambda env: env.mail("EMAIL_URL")),
        ("SITE_ROOT", "https://keys.example.com:99999/", lambda env: env.url("SITE_ROOT", default="http://x")),
        ("OIDC_ISSUER", "sso", lambda env: env.openid_connect()),
        ("AUDIT_RETENTION_DAYS", "²", lambda env: env.days("AUDIT_RETENTION_DAYS", default=0, least=365, most=36500)),
        ("AWS_ENDPOINT_URL", "http://[x", lambda env: env.url("AWS_ENDPOINT_URL", default="")),
        ("AWS_ENDPOINT_URL", "127.0.0.1:5000", lambda env: env.url("AWS_ENDPOINT_URL", default="")),
        ("DIGEST_SCHEDULE", "someday 08:00", lambda env: env.digest_slot("DIGEST_SCHEDULE", default="mon 08:00")),
        ("DIGEST_SCHEDULE", "mon 25:00", lambda env: env.digest_slot("DIGEST_SCHEDULE", default="mon 08:00")),
        ("DIGEST_SCHEDULE", "mon 08:00 Mars/Base", lambda env: env.digest_slot("DIGEST_SCHEDULE", default="mon 08:00")),
    ],
)
def test_a_bad_value_is_refused_by_name(env: Environment, monkeypatch: pytest.MonkeyPatch, name: str, word: str, read: object) -> None:
    monkeypatch.setenv(name, word)
    with pytest.raises(ImproperlyConfigured, match=name):
        read(env)  # type: ignore[operator]  # a lambda of the table above


@pytest.mark.parametrize(
    ("name", "word", "read"),
    [
        ("DATABASE_URL", "postgres://keys:Hunter2/Secret@db/keys", database),
        ("EMAIL_URL", "smtp://keys:Hunter2/Secret@mail:25", lambda env: env.mail("EMAIL_URL")),
        ("CELERY_BROKER_URL", "redis://:Hunter2/Secret@h:6379/0", lambda env: env.broker("CELERY_BROKER_URL", fallback_dir=Path("unused"))),
    ],
)
def test_nothing_of_a_password_is_in_the_sentence(
    env: Environment, monkeypatch: pytest.MonkeyPatch, name: str, word: str, read: object
) -> None:
    monkeypatch.setenv(name, word)
    with pytest.raises(ImproperlyConfigured, match="In a password write / as %2F") as caught:
        read(env)  # type: ignore[operator]  # a function of the table above
    assert "Hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_secret_can_be_given_as_a_file(env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))
    assert env.secret_key("SECRET_KEY", debug=False) == "from-a-file"


def test_a_file_wins_over_the_variable(env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file")
    monkeypatch.setenv("SECRET_KEY", "from-the-variable")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))
    assert env.secret_key("SECRET_KEY", debug=False) == "from-a-file"


@pytest.mark.parametrize("word", ["", "http://127.0.0.1:5000"])
def test_an_address_may_be_unset_where_nothing_stands_in_for_it(env: Environment, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", word)
    assert env.url("AWS_ENDPOINT_URL", default="") == word


def test_a_secret_file_that_is_missing_is_named(env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE"):
        env.secret_key("SECRET_KEY", debug=False)


def test_the_env_file_does_not_win_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ALPHA_SETTING=file\nBETA_SETTING=file\n")
    monkeypatch.setenv("ALPHA_SETTING", "environment")
    monkeypatch.setenv("BETA_SETTING", "removed at the end")
    monkeypatch.delenv("BETA_SETTING")
    read_env_file(tmp_path / ".env")
    assert os.environ["ALPHA_SETTING"] == "environment"
    assert os.environ["BETA_SETTING"] == "file"


def test_a_digest_slot_has_its_zone(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SCHEDULE", "Wed 7:30 Europe/London")
    slot = env.digest_slot("DIGEST_SCHEDULE", default="mon 08:00")
    assert (slot.weekday, slot.at, slot.zone.key) == (2, time(7, 30), "Europe/London")


def test_mail_settings_come_from_one_address(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp://me:secret@mail.example.com:2525?tls=true")
    mail = env.mail("EMAIL_URL")
    assert (mail["EMAIL_HOST"], mail["EMAIL_PORT"], mail["EMAIL_HOST_USER"], mail["EMAIL_USE_TLS"]) == (
        "mail.example.com",
        2525,
        "me",
        True,
    )


def test_sqlite_writes_with_immediate_transactions(env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    config = env.database("DATABASE_URL", default_path=tmp_path / "deep" / "db.sqlite3")
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert (tmp_path / "deep").is_dir()


@pytest.mark.parametrize("folder", ["a#b", "a?b", "a%20b", "a b", "ä"])
def test_the_own_database_lies_in_the_projects_folder_whatever_its_name(
    env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    path = tmp_path / folder / "db.sqlite3"
    assert env.database("DATABASE_URL", default_path=path)["NAME"] == str(path)
    assert path.parent.is_dir()


def test_single_sign_on_is_all_or_nothing(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OIDC_ISSUER", raising=False)
    assert env.openid_connect() == {}
    monkeypatch.setenv("OIDC_ISSUER", "https://idp.example.com")
    with pytest.raises(ImproperlyConfigured, match="OIDC_CLIENT_ID"):
        env.openid_connect()


def run_manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ALLOW_", "DJANGO_SETTINGS"))}
    inherited.pop("SECRET_KEY", None)
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, check=False)


def test_a_start_with_a_bad_setting_ends_with_one_sentence() -> None:
    ended = run_manage("check", SECRET_KEY="x" * 60, POLL_INTERVAL_HOURS="often")
    assert ended.returncode != 0
    assert ended.stderr.strip() == "key-hygiene cannot start: POLL_INTERVAL_HOURS must be a number from 0.05 to 24, not 'often'."


def test_a_start_without_a_secret_key_says_how_to_make_one() -> None:
    ended = run_manage("check", DEBUG="false")
    assert ended.returncode != 0
    assert "SECRET_KEY is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_another_endpoint_than_aws_is_refused_unless_it_is_allowed() -> None:
    refused = run_manage("check", SECRET_KEY="x" * 60, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert refused.returncode != 0
    assert "ALLOW_CUSTOM_AWS_ENDPOINT" in refused.stderr
    allowed = run_manage("check", SECRET_KEY="x" * 60, AWS_ENDPOINT_URL="http://127.0.0.1:1", ALLOW_CUSTOM_AWS_ENDPOINT="1")
    assert allowed.returncode == 0, allowed.stderr
