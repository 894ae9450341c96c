"""Reads settings from the environment, on top of django-environ. Each bad value raises a sentence that names its setting."""

from __future__ import annotations

import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import environ
import structlog
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:role|user)/[\w+=,.@/-]{1,512}", re.ASCII)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AWS_CREDENTIALS = (  # where the SDK's chain finds credentials, or files and addresses that give them
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)
ONE_TIME_LINK = re.compile(r"(/password/reset/key/[0-9A-Za-z]+-)[^/\s\"'?]+")  # what sets somebody's password, in an address
_SLOT = re.compile(r"(?P<day>[a-z]{3}) (?P<hour>\d{1,2}):(?P<minute>\d{2})(?: (?P<zone>\S+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DigestSlot:
    """A weekly moment in local time. `weekday` counts from Monday 0."""

    weekday: int
    at: time
    zone: ZoneInfo


def read_env_file(path: Path) -> None:
    """Read `path` if it exists; variables that are already set win."""
    if path.is_file():
        environ.Env.read_env(path, overwrite=False)


class Environment:
    """Typed access to environment variables; the file that `NAME_FILE` names wins over `NAME`."""

    def __init__(self) -> None:
        self._env = environ.FileAwareEnv()
        self._env.ENVIRON = FileAwareMapping(cache=False)  # the library's own is shared by all instances, and remembers

    def text(self, name: str, default: str = "") -> str:
        """The variable as text, stripped."""
        try:
            return str(self._env.str(name, default=default)).strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror or error}.") from error

    def flag(self, name: str, *, default: bool) -> bool:
        """true/false, 1/0, yes/no, on/off."""
        word = self.text(name, "true" if default else "false").lower()
        if word in ("1", "true", "yes", "on"):
            return True
        if word in ("0", "false", "no", "off", ""):
            return False
        raise ImproperlyConfigured(f"{name} must be true or false, not {word!r}.")

    def words(self, name: str, *, default: str) -> list[str]:
        """A comma-separated list."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def words_of(self, name: str, *, default: str, allowed: tuple[str, ...]) -> list[str]:
        """A comma-separated list of words out of a fixed set, each at most once."""
        found = self.words(name, default=default)
        for word in found:
            if word not in allowed or found.count(word) > 1:
                raise ImproperlyConfigured(f"{name} must be a list of {', '.join(allowed)}, each at most once, not {','.join(found)!r}.")
        return found

    def number(self, name: str, *, default: float, least: float, most: float) -> float:
        """A decimal number within bounds."""
        word = self.text(name, str(default))
        try:
            value = float(word)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ImproperlyConfigured(f"{name} must be a number from {least:g} to {most:g}, not {word!r}.")
        return value

    def days(self, name: str, *, default: int, least: int, most: int) -> int:
        """Whole days within bounds, or 0 for no limit."""
        word = self.text(name, str(default))
        if not (word.isascii() and word.isdigit()) or not (int(word) == 0 or least <= int(word) <= most):
            raise ImproperlyConfigured(f"{name} must be 0, for ever, or a whole number of days from {least} to {most}, not {word!r}.")
        return int(word)

    def choice(self, name: str, *, default: str, allowed: tuple[str, ...]) -> str:
        """One of a fixed set of words."""
        word = self.text(name, default)
        if word not in allowed:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {word!r}.")
        return word

    def url(self, name: str, *, default: str) -> str:
        """An http or https address with a host; with an empty default it may be unset."""
        word = self.text(name, default)
        if not word and not default:
            return ""
        _address(name, word, ("http", "https"), "https://keys.example.com")
        return word

    def principal(self, name: str) -> str:
        """The ARN of an IAM role or user, or nothing."""
        word = self.text(name)
        if word and not PRINCIPAL.fullmatch(word):
            raise ImproperlyConfigured(f"{name} must be the ARN of a role or user, such as arn:aws:iam::111122223333:role/hygiene-worker.")
        return word

    def secret_key(self, name: str, *, debug: bool) -> str:
        """The signing key; only with DEBUG may it be left out, then it is new at every start."""
        key = self.text(name)
        if key:
            return key
        if debug:
            return secrets.token_urlsafe(50)
        raise ImproperlyConfigured(
            f"{name} is not set. Set it, or {name}_FILE, to at least 50 random characters, for example from: "
            "python -c 'import secrets; print(secrets.token_urlsafe(50))'."
        )

    def database(self, name: str, *, default_path: Path) -> dict[str, Any]:
        """DATABASES entry from postgres://… or sqlite:///…; SQLite gets WAL and immediate transactions.

        On PostgreSQL a frozen process loses its transaction, and the locks in it, after a minute; `?options=` in the address replaces that.
        """
        word = self.text(name)
        if not word:  # the path of this folder may hold what means something in an address
            return _sqlite(name, {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default_path)})
        parts = _address(name, word, ("postgres", "postgresql", "sqlite"), "postgres://user:password@host:5432/name")
        if not parts.path.strip("/"):
            raise ImproperlyConfigured(f"{name} must name a database: postgres://user:password@host:5432/name or sqlite:///path.")
        config: dict[str, Any] = dict(self._env.db_url_config(word))
        if parts.scheme == "sqlite":
            return _sqlite(name, config)
        options = {"options": "-c idle_in_transaction_session_timeout=60s", **config.get("OPTIONS", {})}
        return {**config, "OPTIONS": options, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}

    def broker(self, name: str, *, fallback_dir: Path) -> str:
        """redis://, rediss:// or redis+socket:// address; without one the file-system transport in `fallback_dir`."""
        word = self.text(name)
        if not word:
            for folder in ("queue", "processed", "control"):
                (fallback_dir / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
            return "filesystem://"
        _address(name, word, ("redis", "rediss", "redis+socket"), "redis://user:password@host:6379/0")
        return word

    def mail(self, name: str) -> dict[str, Any]:
        """Django's mail settings from smtp://user:pw@host:port?tls=true; without it mails are printed, without their one-time links."""
        word = self.text(name)
        if not word:
            return {"EMAIL_BACKEND": "hygiene.printed_mail.EmailBackend"}
        parts = _address(name, word, ("smtp", "smtps", "smtp+tls"), "smtp://user:password@host:587?tls=true")
        config: dict[str, Any] = dict(self._env.email_url_config(word.split("?")[0]))
        if "tls=true" in parts.query.lower():
            config["EMAIL_USE_TLS"] = True
        return {key: value for key, value in config.items() if key.startswith("EMAIL_")} | {"EMAIL_TIMEOUT": 20}

    def digest_slot(self, name: str, *, default: str) -> DigestSlot:
        """`mon 08:00 Europe/London`: weekday, local time, zone (UTC when left out)."""
        word = self.text(name, default)
        sentence = f"{name} must look like 'mon 08:00 Europe/London', not {word!r}."
        match = _SLOT.fullmatch(word)
        if match is None:
            raise ImproperlyConfigured(sentence)
        try:
            zone = ZoneInfo(match["zone"] or "UTC")
            return DigestSlot(WEEKDAYS.index(match["day"].lower()), time(int(match["hour"]), int(match["minute"])), zone)
        except (ValueError, KeyError, OSError) as error:
            raise ImproperlyConfigured(sentence) from error

    def openid_connect(self) -> dict[str, Any]:
        """Single sign-on by OIDC with PKCE when OIDC_ISSUER is set; needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET."""
        issuer = self.url("OIDC_ISSUER", default="")
        if not issuer:
            return {}
        client_id, secret = self.text("OIDC_CLIENT_ID"), self.text("OIDC_CLIENT_SECRET")
        if not client_id or not secret:
            raise ImproperlyConfigured("OIDC_ISSUER is set, so OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must be set too.")
        app = {
            "provider_id": "sso",
            "name": self.text("OIDC_NAME", "single sign-on"),
            "client_id": client_id,
            "secret": secret,
            "settings": {"server_url": issuer},
        }
        return {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}


def _address(name: str, word: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    """The parts of an address whose scheme, host and port make sense. The sentence repeats nothing of it, which may hold a password."""
    try:
        parts = urlsplit(word)
        is_good = parts.scheme in schemes and not parts.fragment and parts.port != 0
    except ValueError:
        is_good = False
    if is_good and (parts.hostname or parts.scheme in ("sqlite", "redis+socket", "postgres", "postgresql")):
        return parts
    raise ImproperlyConfigured(f"{name} must look like {example}. In a password write / as %2F, # as %23, ? as %3F, @ as %40 and % as %25.")


def _sqlite(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """WAL and immediate transactions, in a folder that is made if need be."""
    folder = Path(config["NAME"]).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name} names a folder that cannot be made: {folder} ({error.strerror}).") from None
    options = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"}
    return {**config, "OPTIONS": options}


env = Environment()


def without_one_time_links(text: str) -> str:
    """The text with every address that sets a password cut short."""
    return ONE_TIME_LINK.sub(r"\1[one-time]", text)


def hide_what_is_private(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No one-time link in a log, and no query string of a request, which may name people and keys."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = without_one_time_links(value.split("?")[0] if name == "request" else value)
    return event


def _for_people() -> structlog.dev.ConsoleRenderer:
    """Plain tracebacks: pretty ones print the values of variables, and those may be secrets."""
    return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)


def logging(style: str, level: str) -> dict[str, Any]:  # the setting's own name
    """LOGGING: one handler on standard error, lines for people (`console`) or for machines (`json`)."""
    renderer: Any = structlog.processors.JSONRenderer() if style == "json" else _for_people()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, hide_what_is_private, renderer],
                "foreign_pre_chain": [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {"botocore": {"level": "WARNING"}, "boto3": {"level": "WARNING"}, "urllib3": {"level": "ERROR"}},
    }


def configure_structlog() -> None:
    """Send structlog through standard logging, with the request or task it belongs to."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
