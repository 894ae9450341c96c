"""What a user's policies reach: administrator or not, which services, which policies hang on the user itself. Pure.

Reads policy documents as IAM's grammar has them (IAM User Guide, "Grammar of the IAM JSON policy language"). It tells what is
granted, not what every request would come to: conditions, boundaries and service control policies can only take away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.gateway import AttachedPolicy, UserDetails
from hygiene.domain.wording import listed

ADMINISTRATOR = ":iam::aws:policy/AdministratorAccess"
QUARANTINE = "AWSCompromisedKeyQuarantine"
EVERYTHING = ("*", "*:*")
READING = ("batchget", "describe", "get", "head", "list", "lookup", "query", "read", "scan", "search", "select", "view")
MOST_SERVICES = 6  # named in a summary
NOT_READ = "part of its policies could not be read"


@dataclass(frozen=True, slots=True)
class Reach:
    """What one user may do. `is_admin` None: a document could not be read, so it cannot be told.

    `services` are prefixes of actions, sorted; "*" is every service. `reading` are those of which actions only read.
    `direct`: names of policies attached to or embedded in the user itself. `quarantine`: name of AWS's quarantine policy, or "".
    """

    is_admin: bool | None
    admin_via: str = ""
    services: tuple[str, ...] = ()
    reading: frozenset[str] = frozenset()
    direct: tuple[str, ...] = ()
    quarantine: str = ""
    boundary: str = ""
    is_complete: bool = True

    @property
    def summary(self) -> str:
        """A short line such as "Administrator through group ops" or "ec2 (read), s3"."""
        if self.is_admin:
            words = f"Administrator {self.admin_via}"
        else:
            words = self._services() or ("nothing by its policies" if self.is_complete else "not known")
        limits = [f"limited by the boundary {self.boundary}"] if self.boundary else []
        limits += [] if self.is_complete or self.is_admin else [NOT_READ]
        return f"{words}; {'; '.join(limits)}" if limits else words

    def _services(self) -> str:
        named = [f"{name} (read)" if name in self.reading else name for name in self.services]
        if "*" in self.services:
            named = ["every service (read)" if "*" in self.reading else "every service"]
        return listed(named, most=MOST_SERVICES)


@dataclass(frozen=True, slots=True)
class Granted:
    """What one policy's document allows: everything, and whether each service's actions only read."""

    is_everything: bool
    services: Mapping[str, bool]


class Reader:
    """Reads each document once, however many users share it; documents are known by identity, so keep one reader for one account."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Mapping[str, Any], Granted]] = {}

    def granted(self, policy: AttachedPolicy) -> Granted:
        """What the policy allows; nothing where its document is not known."""
        if policy.document is None:
            return Granted(False, {})
        known = self._known.get(id(policy.document))
        if known is None:
            known = self._known[id(policy.document)] = (policy.document, _read(policy.document))  # kept, so that its identity stays its own
        return known[1]


def reach_of(user: UserDetails, reader: Reader | None = None) -> Reach:
    """The reach of one user of GetAccountAuthorizationDetails."""
    reader = reader or Reader()
    granted = [(policy, reader.granted(policy)) for policy in user.policies]
    admin = next((policy for policy, found in granted if found.is_everything or policy.arn.endswith(ADMINISTRATOR)), None)
    is_complete = all(policy.document is not None for policy in user.policies if not policy.arn.endswith(ADMINISTRATOR))
    services: dict[str, bool] = {}
    for _, found in granted:
        for name, only_reads in found.services.items():
            services[name] = only_reads and services.get(name, True)
    return Reach(
        is_admin=True if admin else (False if is_complete else None),
        admin_via=via_words(admin.via) if admin else "",
        services=("*",) if admin else tuple(sorted(services)),
        reading=frozenset() if admin else frozenset(name for name, only_reads in services.items() if only_reads),
        direct=tuple(policy.name for policy in user.policies if policy.via in ("user", "inline")),
        quarantine=quarantine_of((policy.name, policy.via) for policy in user.policies),
        boundary=user.boundary_arn.rpartition("/")[2],
        is_complete=is_complete,
    )


def quarantine_of(policies: Iterable[tuple[str, str]]) -> str:
    """Name of the first quarantine policy on the user itself, by (name, via); "" when there is none."""
    return next((name for name, via in policies if name.startswith(QUARANTINE) and via in ("user", "inline")), "")


def via_words(via: str) -> str:
    """How a policy comes to a user, in words."""
    return {"user": "by a policy attached to the user", "inline": "by an inline policy of the user"}.get(via, f"through {via}")


def _read(document: Mapping[str, Any]) -> Granted:
    """Statements that allow. Every action on every resource without a condition is everything; NotAction grants something everywhere."""
    is_everything = False
    services: dict[str, bool] = {}
    for statement in _allowing(document):
        actions = [action.lower() for action in _words(statement.get("Action"))]
        is_bare = not statement.get("Condition") and "*" in _words(statement.get("Resource"))
        is_everything = is_everything or (is_bare and any(action in EVERYTHING for action in actions))
        if "NotAction" in statement:
            services["*"] = False
        for action in actions:
            service, _, name = action.rpartition(":")
            service = service or "*"
            services[service] = services.get(service, True) and name.startswith(READING)
    return Granted(is_everything, services)


def _allowing(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    statements = document.get("Statement") or []
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        if isinstance(statement, Mapping) and statement.get("Effect") == "Allow":
            yield statement


def _words(value: Any) -> Sequence[str]:
    """One string or a list of them, as the grammar allows both."""
    if isinstance(value, str):
        return (value,)
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()
