"""Credential reports for tests of the parser: the row of one plain user, and what a test changes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from hygiene.domain.report import ParsedReport, ReportRow, parse

NUMBER = "111122223333"
MADE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ARNS = f"arn:aws:iam::{NUMBER}"
ANN: dict[str, str] = {
    "user": "ann",
    "arn": f"{ARNS}:user/ann",
    "user_creation_time": "2020-01-02T03:04:05+00:00",
    "password_enabled": "false",
    "password_last_used": "N/A",
    "password_last_changed": "N/A",
    "password_next_rotation": "N/A",
    "mfa_active": "false",
    "access_key_1_active": "false",
    "access_key_1_last_rotated": "N/A",
    "access_key_1_last_used_date": "N/A",
    "access_key_1_last_used_region": "N/A",
    "access_key_1_last_used_service": "N/A",
    "access_key_2_active": "false",
    "access_key_2_last_rotated": "N/A",
    "access_key_2_last_used_date": "N/A",
    "access_key_2_last_used_region": "N/A",
    "access_key_2_last_used_service": "N/A",
    "cert_1_active": "false",
    "cert_1_last_rotated": "N/A",
    "cert_2_active": "false",
    "cert_2_last_rotated": "N/A",
}
ROOT = {**ANN, "user": "<root_account>", "arn": f"{ARNS}:root"}


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0) -> datetime:
    """A moment in UTC."""
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)


def named(name: str, /, **cells: str) -> dict[str, str]:
    """The row of a user of this name."""
    return {**ANN, "user": name, "arn": f"{ARNS}:user/{name}", **cells}


def without(row: Mapping[str, str], *columns: str) -> dict[str, str]:
    """The row of a report that lacks these columns."""
    return {name: cell for name, cell in row.items() if name not in columns}


def line(row: Mapping[str, str]) -> str:
    """One line as AWS writes it, unquoted."""
    return ",".join(row.values())


def written(*rows: Mapping[str, str], end: str = "") -> bytes:
    """A report of these rows; the first one's columns are its header. Like AWS's it has no newline at its end."""
    return ("\n".join([",".join(rows[0]), *map(line, rows)]) + end).encode()


def read(content: bytes, *, generated_at: datetime | None = MADE) -> ParsedReport:
    """The report of account 111122223333, made on 23 November 2026."""
    return parse(content, account_id=NUMBER, generated_at=generated_at)


def read_user(row: Mapping[str, str] = ANN, /, **cells: str) -> ReportRow:
    """The only user of a report, in which ann's cells are changed like this."""
    (user,) = read(written({**row, **cells}, end="\n")).users
    return user
