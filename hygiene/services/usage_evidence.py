"""Looks into CloudTrail for one key, on demand: asked for by a person, done by a worker, kept as a row, fresh for an hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, QuerySet, Subquery

from accounts import audit
from accounts.gateway import AwsError, ServiceUse, TrailPage
from hygiene.domain.evidence import RegionAnswer, Usage, collect, regions_to_ask, usage_facts, usage_of
from hygiene.domain.facts import UsageFacts
from hygiene.models import AccessKey, RequestState, UsageEvidence
from hygiene.services import looks
from hygiene.services.clock import Clock

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FRESH = timedelta(hours=1)
MOST_BY_KEY = 200  # events read in one Region; four calls at 2 a second
MOST_BY_USER = 50


class TrailGateway(Protocol):
    """What a look asks of AWS."""

    def trail_events(self, *, region: str, access_key_id: str = "", user_name: str = "", most: int = 50) -> TrailPage:
        """cloudtrail:LookupEvents."""

    def service_uses(self, user_arn: str) -> tuple[ServiceUse, ...]:
        """Service last accessed, of a user."""


OpenTrail: TypeAlias = Callable[[UsageEvidence], TrailGateway]


class CannotLook(Exception):
    """There is nothing to look for; the message says why."""


@transaction.atomic
def request(key: AccessKey, *, actor: User, now: datetime) -> tuple[UsageEvidence, bool]:
    """The look that answers: the one under way, one of the last hour, or a new one (True), for which the caller wakes a worker.

    Raises CannotLook for root's keys and for a key whose id is not known: CloudTrail is asked by id.
    """
    if key.principal.is_root or not key.access_key_id:
        raise CannotLook("CloudTrail is asked by the key's ID, and that is not known.")
    found = newest(key)
    if found is not None and (found.state in looks.OPEN or is_fresh(found, now)):
        return found, False
    regions = regions_to_ask(key.account.partition, key.last_used_region, settings.EVIDENCE_REGIONS)
    waiting = [{"region": region, "state": "waiting"} for region in regions]
    try:
        with transaction.atomic():
            made = UsageEvidence.objects.create(key=key, requested_by=actor, requested_at=now, regions=waiting)
    except IntegrityError:  # somebody else asked in the same moment
        return UsageEvidence.objects.get(key=key, state__in=looks.OPEN), False
    target = f"access key {key.access_key_id} of {key.principal.name}"
    audit.record(
        action="key.look_into_trail",
        outcome="requested",
        now=now,
        actor=actor,
        account=key.account,
        target=target,
        after={"regions": list(regions)},
        correlation_id=made.uuid,
    )
    return made, True


def newest(key: AccessKey) -> UsageEvidence | None:
    """The newest look, whatever came of it."""
    return UsageEvidence.objects.filter(key=key).order_by("-requested_at", "-pk").first()


@dataclass(frozen=True, slots=True)
class Look:
    """The newest look of a key, and what the newest finished one found: they differ while a look runs or after one failed."""

    state: str = ""  # empty: nobody ever looked
    regions: Sequence[Mapping[str, Any]] = ()
    error: str = ""
    usage: Usage | None = None

    @property
    def is_open(self) -> bool:
        """Whether a worker looks now, or is about to."""
        return self.state in looks.OPEN

    def is_fresh(self, now: datetime) -> bool:
        """Done within the last hour: AWS is not asked again."""
        return self.state == RequestState.DONE and self.usage is not None and now - self.usage.looked_at < FRESH


def with_looks(keys: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
    """Keys with what `look_of` reads."""
    rows = UsageEvidence.objects.filter(key=OuterRef("pk")).order_by("-requested_at", "-pk")
    done = rows.filter(state=RequestState.DONE, finished_at__isnull=False)
    return keys.annotate(
        look_state=Subquery(rows.values("state")[:1]),
        look_regions=Subquery(rows.values("regions")[:1]),
        look_error=Subquery(rows.values("error")[:1]),
        look_result=Subquery(done.values("result")[:1]),
        looked_at=Subquery(done.values("finished_at")[:1]),
    )


def look_of(key: AccessKey) -> Look:
    """The look of a key of `with_looks`. No query."""
    found: Any = key
    usage = usage_of(found.look_result, looked_at=found.looked_at) if found.looked_at else None
    return Look(found.look_state or "", found.look_regions or (), found.look_error or "", usage)


def is_fresh(look: UsageEvidence, now: datetime) -> bool:
    """Done within the last hour: AWS is not asked again."""
    return look.state == RequestState.DONE and look.finished_at is not None and now - look.finished_at < FRESH


def usage(key: AccessKey) -> Usage | None:
    """What the newest finished look found; None when nobody looked. One query."""
    return look_of(with_looks(AccessKey.objects.filter(pk=key.pk)).get()).usage


def facts_of(keys: Iterable[int]) -> dict[int, UsageFacts]:
    """For rules: what the newest finished look found, by primary keys of access keys. One query."""
    rows = UsageEvidence.objects.filter(key__in=list(keys), state=RequestState.DONE, finished_at__isnull=False).order_by("finished_at")
    return {row.key_id: usage_facts(usage_of(row.result, looked_at=row.finished_at)) for row in rows if row.finished_at}


def run(look_pk: int, *, open_trail: OpenTrail, clock: Clock) -> UsageEvidence:
    """Do one look and return it as it then stands. Does nothing when it is finished or another worker has it. Only reads AWS."""
    look = UsageEvidence.objects.select_related("key__account", "key__principal", "requested_by").get(pk=look_pk)
    if looks.claim(look, now=clock.now()):
        _look(look, open_trail(look), clock)
    return UsageEvidence.objects.select_related("key__account", "key__principal").get(pk=look_pk)


def _look(look: UsageEvidence, gateway: TrailGateway, clock: Clock) -> None:
    answers: list[RegionAnswer] = []
    progress: list[dict[str, Any]] = [{"region": entry["region"], "state": "waiting"} for entry in look.regions]
    for entry in progress:
        answer = _ask(gateway, look.key, entry["region"])
        answers.append(answer)
        entry |= {"state": "failed" if answer.error else "done", "events": len(answer.by_key.events) if answer.by_key else 0}
        if not looks.write(look, regions=progress, lease_expires_at=clock.now() + looks.LEASE):
            return
    services, error = _services(gateway, look.key)
    result = collect(answers, services=services, services_error=error)
    failed = all(answer.by_key is None for answer in answers)
    state = RequestState.FAILED if failed else RequestState.DONE
    with transaction.atomic():
        now = clock.now()
        if looks.finish(look, state, now=now, result=result, error=answers[0].error if failed else ""):
            _record_end(look, state, now)


def _ask(gateway: TrailGateway, key: AccessKey, region: str) -> RegionAnswer:
    """Both questions of one Region. What was read before a failure is kept."""
    by_key = None
    try:
        by_key = gateway.trail_events(region=region, access_key_id=key.access_key_id or "", most=MOST_BY_KEY)
        return RegionAnswer(region, by_key, gateway.trail_events(region=region, user_name=key.principal.name, most=MOST_BY_USER))
    except AwsError as error:
        return RegionAnswer(region, by_key, error=error.sentence)


def _services(gateway: TrailGateway, key: AccessKey) -> tuple[tuple[ServiceUse, ...] | None, str]:
    try:
        return gateway.service_uses(key.principal.arn), ""
    except AwsError as error:
        return None, error.sentence


def _record_end(look: UsageEvidence, state: RequestState, now: datetime) -> None:
    audit.record(
        action="key.look_into_trail",
        outcome="succeeded" if state == RequestState.DONE else "failed",
        now=now,
        actor=look.requested_by,
        account=look.key.account,
        target=f"access key {look.key.access_key_id} of {look.key.principal.name}",
        correlation_id=look.uuid,
    )
