"""Geometry of the charts: numbers → positions in an SVG, for templates. Each chart has a table twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from hygiene.services.overview import Bar
from hygiene.services.rule_trend import Week
from hygiene.services.trend import Point

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 420, 210, 34, 180, 24
RIGHT = WIDTH - 62  # of a trend, whose numbers stand at its end


class Dated(Protocol):
    """A point of a trend."""

    @property
    def day(self) -> date:
        """Where it stands."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One rectangle of a stack."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One stacked bar."""

    bar: Bar
    x: float
    width: float
    middle: float
    label_y: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Gridline:
    """A horizontal line with its number."""

    y: float
    label: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart, or a trend with one or two lines."""

    columns: tuple[Column, ...] = ()
    gridlines: tuple[Gridline, ...] = ()
    limit_x: float | None = None
    lines: tuple[tuple[str, tuple[str, ...]], ...] = ()
    ends: tuple[tuple[float, int, str], ...] = ()
    months: tuple[tuple[float, str], ...] = ()


def _steps(most: int) -> list[int]:
    """Round numbers up to at least `most`."""
    step = next(size for size in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10**9) if most <= 3 * size)
    return [0, step, 2 * step, 3 * step]


def _y(value: float, top: int) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)


def age_chart(bars: Sequence[Bar]) -> Chart:
    """Stacked bars, with the line of the age limit after the second."""
    steps = _steps(max((bar.total for bar in bars), default=1) or 1)
    slot = (WIDTH - LEFT) / len(bars)
    columns = []
    for place, bar in enumerate(bars):
        x, filled, pieces = LEFT + slot * place + slot * 0.12, 0, []
        for kind, count in (("used", bar.used), ("unused", bar.unused), ("never", bar.never)):
            top = _y(filled + count, steps[-1])
            if count:
                pieces.append(Piece(kind, top, round(_y(filled, steps[-1]) - top, 1)))
            filled += count
        width = slot * 0.76
        columns.append(Column(bar, round(x, 1), round(width, 1), round(x + width / 2, 1), _y(filled, steps[-1]) - 6, tuple(pieces)))
    return Chart(tuple(columns), tuple(Gridline(_y(step, steps[-1]), step) for step in steps), limit_x=round(LEFT + slot * 2, 1))


def trend_chart(points: Sequence[Point]) -> Chart | None:
    """Two lines over days; a day without data breaks the line. None for fewer than two days."""
    if len(points) < 2:
        return None
    steps, x = _steps(max(max(point.unused_90, point.no_mfa) for point in points) or 1), _across(points)
    lines = (
        ("line-a", _segments([(x(point), _y(point.unused_90, steps[-1]), point) for point in points])),
        ("line-b", _segments([(x(point), _y(point.no_mfa, steps[-1]), point) for point in points])),
    )
    end = points[-1]
    ends = ((_y(end.unused_90, steps[-1]), end.unused_90, "keys"), (_y(end.no_mfa, steps[-1]), end.no_mfa, "users"))
    return Chart((), tuple(Gridline(_y(step, steps[-1]), step) for step in steps), None, lines, ends, _months(points, x))


def weeks_chart(weeks: Sequence[Week]) -> Chart | None:
    """One line over weeks; a week without data breaks it. None for fewer than two weeks."""
    if len(weeks) < 2:
        return None
    steps, x = _steps(max(week.open for week in weeks) or 1), _across(weeks)
    lines = (("line-a", _segments([(x(week), _y(week.open, steps[-1]), week) for week in weeks])),)
    ends = ((_y(weeks[-1].open, steps[-1]), weeks[-1].open, "open"),)
    return Chart((), tuple(Gridline(_y(step, steps[-1]), step) for step in steps), None, lines, ends, _months(weeks, x))


def _across(points: Sequence[Dated]) -> Callable[[Dated], float]:
    """From the day of a point to its place between the first and the last one."""
    first = points[0].day
    days = (points[-1].day - first).days or 1
    return lambda point: round(LEFT + (RIGHT - LEFT) * (point.day - first).days / days, 1)


def _months(points: Sequence[Dated], x: Callable[[Dated], float]) -> tuple[tuple[float, str], ...]:
    """Names of months where they begin, without the first."""
    months, seen = [], {points[0].day.month}
    for point in points:
        if point.day.month not in seen:
            seen.add(point.day.month)
            months.append((x(point), f"{point.day:%b}"))
    return tuple(months)


def _segments(places: Sequence[tuple[float, float, Dated]]) -> tuple[str, ...]:
    """Polylines; more than eight days between two points is a gap that stays one."""
    parts: list[list[str]] = [[]]
    before: Dated | None = None
    for x, y, point in places:
        if before is not None and (point.day - before.day).days > 8:
            parts.append([])
        parts[-1].append(f"{x},{y}")
        before = point
    return tuple(" ".join(part) for part in parts)


def spark(values: Sequence[int]) -> str:
    """Points of a small line 62 x 24; "" for fewer than three values. It shows the way, not the size: the number stands beside it."""
    if len(values) < 3:
        return ""
    least, most = min(values), max(values)
    span, step = (most - least) or 1, 60 / (len(values) - 1)
    heights = (22 - 20 * (value - least) / span if most > least else 12 for value in values)
    return " ".join(f"{1 + place * step:.1f},{height:.1f}" for place, height in enumerate(heights))
