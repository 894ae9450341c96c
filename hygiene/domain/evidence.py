"""What CloudTrail's event history and service last accessed tell of one key, and the verdict that follows. Pure.

Follows "Viewing events with CloudTrail event history": 90 days, management events only, one Region at a time. An event proves use;
no event proves nothing, so "unused" is never said of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from accounts.gateway import ServiceUse, TrailEvent, TrailPage
from hygiene.domain.applications import application, place_of_address, place_of_agent
from hygiene.domain.facts import UsageFacts
from hygiene.domain.wording import plural

HISTORY_DAYS = 90  # how far event history reaches back
MOST_KEPT = 20  # names kept of each kind, the most frequent first
GLOBAL_REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1", "aws-eusc": "eusc-de-east-1"}
PREFIXES = {"us-gov-": "aws-us-gov", "cn-": "aws-cn", "eusc-": "aws-eusc"}


@dataclass(frozen=True, slots=True)
class Sighting:
    """One call that CloudTrail recorded. `error_code` "" means that AWS allowed it."""

    at: datetime
    region: str
    source: str
    name: str
    address: str
    user_agent: str
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class RegionLook:
    """What came of asking one Region: how many events were read, whether AWS had more, or why it could not be asked."""

    region: str
    events: int = 0
    is_cut_short: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class RegionAnswer:
    """Both answers of one Region: events by the key's id, and by its user's name. None with `error`: not read."""

    region: str
    by_key: TrailPage | None = None
    by_user: TrailPage | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """One finished look. `services` None: not read, `services_error` says why. Counts are of what was read, see `is_cut_short`."""

    looked_at: datetime
    regions: tuple[RegionLook, ...]
    events: int
    denied: int
    sources: Mapping[str, int]
    addresses: Mapping[str, int]
    user_agents: Mapping[str, int]
    last_success: Sighting | None
    last_denial: Sighting | None
    sessions: int
    last_session: Sighting | None
    services: tuple[ServiceUse, ...] | None
    services_error: str = ""

    @property
    def asked(self) -> tuple[str, ...]:
        """Regions that answered."""
        return tuple(look.region for look in self.regions if not look.error)

    @property
    def failed(self) -> tuple[RegionLook, ...]:
        """Regions that could not be read."""
        return tuple(look for look in self.regions if look.error)

    @property
    def is_cut_short(self) -> bool:
        """Whether CloudTrail had more events than were read."""
        return any(look.is_cut_short for look in self.regions)

    @property
    def last_event(self) -> Sighting | None:
        """Newest call with the key, allowed or not."""
        found = [sighting for sighting in (self.last_success, self.last_denial) if sighting is not None]
        return max(found, key=lambda sighting: sighting.at, default=None)

    @property
    def sentence(self) -> str:
        """`no management events in 90 days in 4 regions`: what the event history says, and no more than that."""
        if not self.asked:
            return "the event history could not be read"
        where = f"in {HISTORY_DAYS} days in {plural(len(self.asked), 'region')}"
        if not self.events:
            return f"no management events {where}"
        more = "at least " if self.is_cut_short else ""
        denied = f", {self.denied} of them denied" if self.denied else ""
        return f"{more}{plural(self.events, 'management event')} {where}{denied}"


def regions_to_ask(partition: str, last_used_region: str, configured: Iterable[str]) -> tuple[str, ...]:
    """Where global services record, where the key was last used, then the configured ones; only Regions of the partition, each once."""
    wanted = [GLOBAL_REGIONS.get(partition), last_used_region, *configured]
    return tuple(dict.fromkeys(region for region in wanted if region and _partition_of(region) == partition))


def _partition_of(region: str) -> str | None:
    if region.count("-") < 2:  # "global", "N/A" and other words that are no Region
        return None
    return next((partition for prefix, partition in PREFIXES.items() if region.startswith(prefix)), "aws")


def collect(answers: Sequence[RegionAnswer], *, services: Sequence[ServiceUse] | None, services_error: str = "") -> dict[str, Any]:
    """A look as JSON, for the row that keeps it. The same event seen in two Regions counts once."""
    events = _once(event for answer in answers if answer.by_key for event in answer.by_key.events)
    sessions = _once(event for answer in answers if answer.by_user for event in answer.by_user.events if _is_session(event))
    allowed = [event for event in events if not event.error_code]
    denied = [event for event in events if event.error_code]
    return {
        "regions": [asdict(_look(answer)) for answer in answers],
        "events": len(events),
        "denied": len(denied),
        "sources": _most(event.source for event in events),
        "addresses": _most(event.source_address for event in events),
        "user_agents": _most(event.user_agent for event in events),
        "last_success": _newest(allowed),
        "last_denial": _newest(denied),
        "sessions": len(sessions),
        "last_session": _newest(sessions),
        "services": None if services is None else [_service(use) for use in services],
        "services_error": services_error,
    }


def _once(events: Iterable[TrailEvent]) -> list[TrailEvent]:
    found = {event.event_id or f"{event.occurred_at.isoformat()} {event.region} {event.name}": event for event in events}
    return sorted(found.values(), key=lambda event: event.occurred_at, reverse=True)


def _is_session(event: TrailEvent) -> bool:
    """Signed with temporary credentials of the user: made from one of its keys, or by its console sign-in."""
    return event.access_key_id.startswith("ASIA")


def _look(answer: RegionAnswer) -> RegionLook:
    page = answer.by_key
    if page is None:
        return RegionLook(answer.region, error=answer.error or "not asked")
    return RegionLook(answer.region, len(page.events), page.is_cut_short, answer.error)


def _most(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(value for value in values if value).most_common(MOST_KEPT))


def _newest(events: Sequence[TrailEvent]) -> dict[str, str] | None:
    if not events:
        return None
    event = events[0]
    return {
        "at": event.occurred_at.isoformat(),
        "region": event.region,
        "source": event.source,
        "name": event.name,
        "address": event.source_address,
        "user_agent": event.user_agent,
        "error_code": event.error_code,
    }


def _service(use: ServiceUse) -> dict[str, str | None]:
    return {"service": use.service, "last_used_at": use.last_used_at.isoformat() if use.last_used_at else None, "region": use.region}


def usage_of(result: Mapping[str, Any], *, looked_at: datetime) -> Usage:
    """What `collect` stored, typed again."""
    services = result["services"]
    return Usage(
        looked_at=looked_at,
        regions=tuple(RegionLook(**look) for look in result["regions"]),
        events=result["events"],
        denied=result["denied"],
        sources=result["sources"],
        addresses=result["addresses"],
        user_agents=result["user_agents"],
        last_success=_sighting(result["last_success"]),
        last_denial=_sighting(result["last_denial"]),
        sessions=result["sessions"],
        last_session=_sighting(result["last_session"]),
        services=None if services is None else tuple(_service_use(use) for use in services),
        services_error=result["services_error"],
    )


def _sighting(stored: Mapping[str, str] | None) -> Sighting | None:
    return None if stored is None else Sighting(**{**stored, "at": datetime.fromisoformat(stored["at"])})  # type: ignore[arg-type]  # "at" is parsed


def _service_use(stored: Mapping[str, Any]) -> ServiceUse:
    at = stored["last_used_at"]
    return ServiceUse(stored["service"], datetime.fromisoformat(at) if at else None, stored["region"] or "")


def usage_facts(usage: Usage) -> UsageFacts:
    """What rules judge: which applications sign with the key, and from where."""
    agents, addresses = tuple(usage.user_agents), tuple(usage.addresses)
    places = [*map(place_of_agent, agents), *map(place_of_address, addresses)]
    return UsageFacts(
        observed_at=usage.looked_at,
        applications=tuple(dict.fromkeys(filter(None, map(application, agents)))),
        places=tuple(dict.fromkeys(filter(None, places))),
        user_agents=agents,
        source_addresses=addresses,
        services=tuple(usage.sources),
        regions=usage.asked,
        is_complete=bool(usage.asked) and not usage.failed and not usage.is_cut_short,
    )
