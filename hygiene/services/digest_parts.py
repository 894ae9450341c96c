"""What a digest is made of: figures, lines and sections, and full addresses. Pure data; `digest_content` fills it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from hygiene.domain.wording import listed, number

MOST_LINES = 10
MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, None when no account reports. `delta` None: nothing to compare with. `exempt` is counted apart."""

    name: str
    value: int | None
    delta: int | None
    url: str
    exempt: int = 0

    @property
    def change(self) -> str:
        """Fewer, more, no change; "" where there is nothing to compare with."""
        if self.delta is None:
            return ""
        return "no change" if self.delta == 0 else f"{number(abs(self.delta))} {'more' if self.delta > 0 else 'fewer'}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a section."""

    level: str
    title: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True)
class Section:
    """At most ten lines, how many more there are, and where."""

    title: str
    lines: tuple[Line, ...]
    more: int
    url: str
    empty: str


def section(title: str, lines: Sequence[Line], total: int, url: str, empty: str) -> Section:
    """A section of the first lines out of `total`."""
    shown = tuple(lines[:MOST_LINES])
    return Section(title, shown, max(0, total - len(shown)), url, empty)


def names(found: Sequence[str], total: int) -> str:
    """The first three, and how many more."""
    return listed(found, most=MOST_NAMES, total=total)


def link(name: str, *arguments: object, **query: str) -> str:
    """A full address of a page."""
    address = f"{settings.SITE_ROOT}{reverse(name, args=arguments)}"
    words = {word: value for word, value in query.items() if value}
    return f"{address}?{urlencode(words)}" if words else address
