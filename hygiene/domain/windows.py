"""When changes may be made in an account: weekly change windows in local time, and freeze days. Pure.

Grammar: ``mon-fri 09:00-17:00 Europe/London``, several joined by ``;``. Days are ``daily``, one, a range or a list with commas; a
window that ends at or before its start goes on into the next day; without a zone it is UTC. Wall-clock time counts: in the hour that a
change of the clocks repeats a window is open twice, and a time that it leaves out never comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD = 400  # days within which a window must open
_WINDOW = re.compile(r"(?P<days>[a-z,-]+) (?P<start>\d{1,2}:\d{2})-(?P<end>\d{1,2}:\d{2})(?: (?P<zone>\S+))?", re.IGNORECASE)
_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """One weekly window. `start` and `end` are minutes of the local day; an end at or before the start is on the next day."""

    days: frozenset[int]
    start: int
    end: int
    zone: ZoneInfo

    def is_open(self, moment: datetime) -> bool:
        """Whether the wall clock of the zone shows a time within the window."""
        local = moment.astimezone(self.zone)
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        return (today in self.days and minute >= self.start) or ((today - 1) % 7 in self.days and minute < self.end)

    def opening(self, day: date) -> datetime:
        """The first moment of `day` at which the window may be open: its start, or what follows a start that the clocks leave out."""
        wall = datetime.combine(day, time(self.start // 60, self.start % 60))
        moment = wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        regular = wall.replace(tzinfo=self.zone).astimezone(UTC)
        if regular.astimezone(self.zone).replace(tzinfo=None) == wall:
            return regular
        while moment.astimezone(self.zone).replace(tzinfo=None) < wall:
            moment += timedelta(minutes=1)
        return moment


@dataclass(frozen=True, slots=True)
class Freeze:
    """Days, both included, on which nothing is changed by itself."""

    first: date
    last: date

    def covers(self, day: date) -> bool:
        """Whether the day is one of them."""
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return self.first.isoformat() if self.first == self.last else f"{self.first.isoformat()}..{self.last.isoformat()}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Windows of one account and the installation's freeze days. Without windows every time is open that is not frozen."""

    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """Whose local date a freeze day is: that of the first window, else UTC."""
        return self.windows[0].zone if self.windows else ZoneInfo("UTC")

    def why_closed(self, moment: datetime) -> str:
        """A sentence, or "" when changes may be made."""
        day = moment.astimezone(self.zone).date()
        for freeze in self.freezes:
            if freeze.covers(day):
                return f"{day.isoformat()} is a freeze day."
        if self.windows and not any(window.is_open(moment) for window in self.windows):
            return "The account's change window is closed."
        return ""

    def next_open(self, moment: datetime) -> datetime | None:
        """The first moment from `moment` on at which changes may be made (UTC); None when none comes within 400 days."""
        if not self.why_closed(moment):
            return moment.astimezone(UTC)
        today = moment.astimezone(self.zone).date()
        for ahead in range(-2, LOOK_AHEAD):  # windows of one account may be in zones whose dates are two days apart
            days = [today + timedelta(days=ahead + more) for more in range(3)]
            if self._openings(days[:1], moment):
                return min(self._openings(days, moment))
        return None

    def _openings(self, days: Sequence[date], moment: datetime) -> list[datetime]:
        """Moments after `moment`, not closed, at which windows start on the days, and midnights: a window may go on after a freeze day."""
        midnights = [datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC) for day in days]
        starts = [window.opening(day) for day in days for window in self.windows if day.weekday() in window.days]
        return [at for at in (*midnights, *starts) if at > moment and not self.why_closed(at)]


def parse_windows(text: str) -> tuple[Window, ...]:
    """Windows of an account; none for an empty text. ValueError with a sentence for anything else that is not the grammar."""
    return tuple(_window(part.strip()) for part in text.split(";") if part.strip())


def parse_freezes(texts: Iterable[str]) -> tuple[Freeze, ...]:
    """Freeze days from ISO dates, `2026-12-24`, and ranges, `2026-12-24..2027-01-02`. ValueError with a sentence."""
    return tuple(_freeze(text.strip()) for text in texts if text.strip())


def freeze_lines(days: Iterable[date]) -> list[str]:
    """Days as `parse_freezes` reads them, neighbours joined to ranges."""
    found: list[list[date]] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1][1] = day
        else:
            found.append([day, day])
    return [str(Freeze(first, last)) for first, last in found]


def days_of(freezes: Iterable[Freeze]) -> tuple[date, ...]:
    """Every day that is frozen, in order. ValueError for a freeze of more than LOOK_AHEAD days."""
    found: set[date] = set()
    for freeze in freezes:
        length = (freeze.last - freeze.first).days
        if length > LOOK_AHEAD:
            raise ValueError(f"A freeze lasts at most {LOOK_AHEAD} days, not {freeze}.")
        found |= {freeze.first + timedelta(days=ahead) for ahead in range(length + 1)}
    return tuple(sorted(found))


def _window(text: str) -> Window:
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise ValueError(f"A change window looks like 'mon-fri 09:00-17:00 Europe/London', not {text!r}.")
    start, end = _minute(match["start"]), _minute(match["end"])
    if start == _MINUTES:
        raise ValueError(f"A change window cannot start at 24:00: {text!r}.")
    try:
        zone = ZoneInfo(match["zone"] or "UTC")
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(f"{match['zone']!r} is not a time zone such as Europe/London.") from error
    return Window(_days(match["days"].lower()), start, end, zone)


def _minute(text: str) -> int:
    hour, minute = (int(part) for part in text.split(":"))
    if minute > 59 or hour * 60 + minute > _MINUTES:
        raise ValueError(f"{text!r} is not a time of day.")
    return hour * 60 + minute


def _days(text: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS or part.endswith("-"):
            raise ValueError(f"Days are 'daily' or words such as mon, mon-fri or sat,sun, not {text!r}.")
        start, span = DAYS.index(first), (DAYS.index(last or first) - DAYS.index(first)) % 7
        found |= {(start + step) % 7 for step in range(span + 1)}
    return frozenset(found)


def _freeze(text: str) -> Freeze:
    first, dots, last = text.partition("..")
    try:
        freeze = Freeze(date.fromisoformat(first.strip()), date.fromisoformat((last if dots else first).strip()))
    except ValueError as error:
        raise ValueError(f"A freeze day looks like 2026-12-24, and several like 2026-12-24..2027-01-02, not {text!r}.") from error
    if freeze.last < freeze.first:
        raise ValueError(f"{text!r} ends before it begins.")
    return freeze


def calendar(windows: str, freezes: Sequence[str]) -> Calendar:
    """The calendar of an account with this change window in an installation with these freeze days. ValueError with a sentence."""
    return Calendar(parse_windows(windows), parse_freezes(freezes))
