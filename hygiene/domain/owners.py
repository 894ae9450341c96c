"""Who owns a user: a chain of places to look, the first that tells somebody wins, and how it was found is kept. Pure.

The owner of the account is no part of the chain: it stands in wherever the chain finds nobody, and is shown as such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from hygiene.domain.facts import PasswordState, UserClass

TAGS, DESCRIPTION, MAPPING = "tags", "key-description", "mapping"
SOURCES = (TAGS, DESCRIPTION, MAPPING)
LONGEST = 254
KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{12,124}")
_MAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_NAMED = re.compile(r"\bowner\s*[:=]\s*([^\s,;]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom the chain found and where, such as "tag owner" or "key description"; both "" when it found nobody."""

    name: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list that people keep. `pattern`: a user ARN, a user name (with * in it), or "tag:key=value"."""

    pattern: str
    owner: str
    is_of_account: bool = False  # kept for this account, not for all


@dataclass(frozen=True)
class Chain:
    """Where to look, in this order, and which tags name an owner (whatever their case), in this order."""

    sources: Sequence[str] = SOURCES
    tags: Sequence[str] = ("owner",)
    class_tag: str = ""  # a tag that says "human" or "machine"; "" for none
    entries: Sequence[Entry] = ()

    def owner_of(self, *, arn: str, name: str, tags: Mapping[str, str] | None) -> Owner:
        """The first place that tells somebody. `tags` None: not read."""
        ways = {TAGS: self._by_tag, DESCRIPTION: self._by_description, MAPPING: self._by_list}
        found = (ways[source](arn, name, tags or {}) for source in self.sources)
        return next((owner for owner in found if owner.name), Owner())

    def _by_tag(self, arn: str, name: str, tags: Mapping[str, str]) -> Owner:
        by_name = {key.casefold(): Owner(value.strip()[:LONGEST], f"tag {key}"[:64]) for key, value in tags.items() if value.strip()}
        return next((by_name[name] for name in map(str.casefold, self.tags) if name in by_name), Owner())

    def _by_description(self, arn: str, name: str, tags: Mapping[str, str]) -> Owner:
        for _, text in sorted(descriptions(tags).items()):
            found = _NAMED.search(text) or _MAIL.search(text)
            if found is not None:
                return Owner(found[found.lastindex or 0][:LONGEST], "key description")
        return Owner()

    def _by_list(self, arn: str, name: str, tags: Mapping[str, str]) -> Owner:
        """An ARN before a name before a pattern before a tag; this account before all; the longer before the shorter."""
        exact = self._exact.get(arn) or self._exact.get(name)
        best = exact or next((entry for entry in self._wide if _fits(entry.pattern, name, tags)), None)
        return Owner() if best is None else Owner(best.owner[:LONGEST], f"list, {best.pattern}"[:64])

    @cached_property
    def _exact(self) -> dict[str, Entry]:
        """Entries of one ARN or one name; those of this account win."""
        return {entry.pattern: entry for entry in sorted(self.entries, key=lambda entry: entry.is_of_account) if not _is_wide(entry)}

    @cached_property
    def _wide(self) -> list[Entry]:
        """Entries of many users, the closest first."""
        return sorted(filter(_is_wide, self.entries), key=_farness)

    def class_of(self, state: PasswordState, tags: Mapping[str, str] | None) -> UserClass:
        """What the tag says, else machine without a console password, human with one or where that is not known."""
        said = {key.casefold(): value.strip().lower() for key, value in (tags or {}).items()}.get(self.class_tag.casefold())
        if self.class_tag and said in set(UserClass):
            return UserClass(said)
        return UserClass.MACHINE if state is PasswordState.NONE else UserClass.HUMAN


def descriptions(tags: Mapping[str, str]) -> dict[str, str]:
    """What the console calls a key's description: the user's tag named after the key's id."""
    return {key: value for key, value in tags.items() if KEY_ID.fullmatch(key)}


def _farness(entry: Entry) -> tuple[bool, bool, int, str]:
    return entry.pattern.startswith("tag:"), not entry.is_of_account, -len(entry.pattern), entry.pattern


def _is_wide(entry: Entry) -> bool:
    return entry.pattern.startswith("tag:") or ("*" in entry.pattern and not entry.pattern.startswith("arn:"))


def _fits(pattern: str, name: str, tags: Mapping[str, str]) -> bool:
    if pattern.startswith("tag:"):
        key, has_value, value = pattern.removeprefix("tag:").partition("=")
        return key in tags and (not has_value or tags[key] == value)
    return fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))
