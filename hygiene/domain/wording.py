"""Words for values: status sentences, ages, relative times. The same in pages, mails and exports. Pure.

A missing value is said to be missing; it is never an empty cell and never a good-looking default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hygiene.domain.ages import is_in_future, whole_days
from hygiene.domain.facts import KeyStatus, LastUse, UseState

YOUNG = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Words:
    """A cell of two lines."""

    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.first}, {self.second}"


def number(value: int) -> str:
    """1204 -> "1,204"."""
    return f"{value:,}"


def plural(count: int, noun: str, many: str = "") -> str:
    """1 key, 2 keys."""
    return f"{number(count)} {noun if count == 1 else many or noun + 's'}"


def listed(found: Sequence[str], *, most: int, total: int | None = None) -> str:
    """The first names with commas, and how many more: "ann, bob and 1,204 more". `total`: of how many, if not all are in `found`."""
    shown = ", ".join(found[:most])
    rest = (len(found) if total is None else total) - min(len(found), most)
    return f"{shown} and {number(rest)} more" if rest > 0 else shown


def day(moment: datetime) -> str:
    """8 Feb 2021, in the moment's own zone."""
    return f"{moment.day} {moment:%b %Y}"


def relative(moment: datetime, now: datetime) -> str:
    """How long ago: "just now", "14 min ago", "3 h ago", "yesterday", "203 days ago". Never months."""
    if is_in_future(moment, now):
        return f"on {day(moment)} (in the future)"
    seconds = int((now - moment).total_seconds())  # less than none when clocks differ a little
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    days = whole_days(moment, now)
    if days == 0:
        return f"{seconds // 3600} h ago"
    return "yesterday" if days == 1 else f"{number(days)} days ago"


def used_when(moment: datetime, now: datetime) -> str:
    """For sentences: "used today", "last used yesterday", "last used 203 days ago"."""
    if is_in_future(moment, now):
        return f"last used {relative(moment, now)}"
    days = whole_days(moment, now)
    if days == 0:
        return "used today"
    return "last used yesterday" if days == 1 else f"last used {number(days)} days ago"


def place(use: LastUse) -> str:
    """Service and region as AWS recorded them: "s3, eu-west-1", "s3, no region", "no service, no region"."""
    if not use.service and not use.region:
        return "no service, no region"
    return f"{use.service or 'no service'}, {use.region or 'no region'}"


def is_young(created_at: datetime | None, now: datetime) -> bool:
    """Whether a key is too young for "never used": AWS tells of a use hours later."""
    return created_at is not None and not is_in_future(created_at, now) and now - created_at < YOUNG


def last_used_words(use: LastUse, *, created_at: datetime | None, now: datetime, is_reporting: bool = True) -> Words:
    """Two lines for a key's last use. `is_reporting` False: the account has no current report."""
    if use.at is not None:
        return Words(relative(use.at, now), place(use))
    if use.state is UseState.UNKNOWN:
        return Words("unknown", "not read" if is_reporting else "account not reporting")
    if use.state is UseState.NO_DATA:
        return Words("no data", "none since 22 Apr 2015")
    if created_at is not None and is_young(created_at, now):
        return Words("not yet", f"created {relative(created_at, now)}")
    return Words("never", "no use since created")


def sign_in_words(use: LastUse, *, now: datetime) -> Words:
    """Two lines for a password's last use."""
    if use.at is not None:
        is_past = use.state is UseState.NOT_APPLICABLE
        return Words(relative(use.at, now), "no password now" if is_past else day(use.at))
    return {
        UseState.NEVER: Words("never", "no sign-in on record"),
        UseState.NO_DATA: Words("never", "none since 20 Oct 2014"),
        UseState.NOT_APPLICABLE: Words("n/a", "no console password"),
    }.get(use.state, Words("unknown", "not read"))


def age_words(created_at: datetime | None, now: datetime) -> Words:
    """Whole days and the date of birth."""
    if created_at is None:
        return Words("unknown", "creation not known")
    if is_in_future(created_at, now):
        return Words("unknown", f"dated {day(created_at)}, in the future")
    return Words(number(whole_days(created_at, now)), day(created_at))


def status_word(status: KeyStatus, raw: str = "") -> str:
    """The chip's word: active, disabled, or AWS's own word."""
    return {KeyStatus.ACTIVE: "active", KeyStatus.INACTIVE: "disabled"}.get(status, raw.lower() or "other")


def key_sentence(
    *,
    status: KeyStatus,
    created_at: datetime | None,
    last_use: LastUse,
    now: datetime,
    is_root: bool = False,
    inactive_since: datetime | None = None,
    limit_days: int | None = None,
    is_gone: bool = False,
    status_raw: str = "",
) -> str:
    """`<status>, <use>, <age>`, such as "Active, never used, 412 days old". `limit_days` is said of a key beyond it still in use."""
    if is_gone:
        return f"Deleted, {_use(last_use, now)}"
    use = _use(last_use, now, with_place=status is KeyStatus.ACTIVE, may_follow=is_young(created_at, now))
    if status is KeyStatus.INACTIVE:
        since = "" if inactive_since is None else f" {relative(inactive_since, now)}"
        return f"{'Root key disabled' if is_root else 'Disabled'}{since}, {use}"
    head = status_word(status, status_raw).capitalize()
    if is_root:
        return f"Root key {head.lower()}, {use}"
    return f"{head}, {use}, {_age(created_at, last_use, now, limit_days)}"


def _use(use: LastUse, now: datetime, *, with_place: bool = False, may_follow: bool = False) -> str:
    if use.at is not None:
        words = used_when(use.at, now)
        return f"{words} ({place(use)})" if with_place and words != "used today" and use.service else words
    if use.state is UseState.NEVER and may_follow:
        return "not used yet"
    return {UseState.NEVER: "never used", UseState.NO_DATA: "no use on record since 22 Apr 2015"}.get(use.state, "last use unknown")


def _age(created_at: datetime | None, use: LastUse, now: datetime, limit_days: int | None) -> str:
    if created_at is None or is_in_future(created_at, now):
        return "age unknown"
    days = whole_days(created_at, now)
    words = f"{plural(days, 'day')} old"
    is_said = limit_days is not None and days > limit_days and use.at is not None and whole_days(use.at, now) <= limit_days
    return f"{words}, limit {limit_days}" if is_said else words


def short_key_id(access_key_id: str | None) -> str:
    """AKIA…EGXD; a key whose id is not known is called so."""
    return "ID not known" if not access_key_id else f"{access_key_id[:4]}…{access_key_id[-4:]}"


def grouped_account(account_id: str) -> str:
    """204811779021 -> "2048 1177 9021"."""
    return " ".join(account_id[start : start + 4] for start in range(0, len(account_id), 4))
