"""Checks of the way to accounts, step by step: asked for by a person, done by workers, kept as a row. They change nothing in AWS.

A check has parts, since the roles may be assumed by different workers: the poll worker reads, the remediate worker tries the act role,
the root worker central root access. Each part hands on to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.access import Step, a_user, act_steps, check_root, read_steps
from accounts.gateway import Purpose
from accounts.models import Account, OrganizationState
from hygiene.models import AccessCheck, AccountDraft, CheckPart, RequestState
from hygiene.services import looks, organization_checks
from hygiene.services.clock import Clock
from hygiene.services.doors import Doors

if TYPE_CHECKING:
    from django.contrib.auth.models import User

UNTESTED = "Added without a passed test."
NOBODY = "key-hygiene-access-check"  # stands for a user where none is known


def spec_of(account: Account) -> dict[str, Any]:
    """What a check of a registered account tests."""
    return {
        "account_id": account.account_id,
        "partition": account.partition,
        "read_role_arn": account.read_role_arn,
        "act_role_arn": account.act_role_arn,
        "external_id": account.external_id,
        "is_member": account.organization_state != OrganizationState.NONE,
    }


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two checks test the same, whatever is done then."""
    return all(one.get(name) == other.get(name) for name in {*one, *other} - {"adds", "is_tested"})


def parts_of(spec: Mapping[str, Any]) -> list[CheckPart]:
    """Parts of a check in their order."""
    if "read_role_name" in spec:
        return [CheckPart.ADD if spec.get("adds") else CheckPart.LIST]
    more = [(CheckPart.ACT, spec["act_role_arn"]), (CheckPart.ROOT, spec.get("is_member"))]
    return [CheckPart.READ, *(part for part, is_wanted in more if is_wanted)]


@transaction.atomic
def request(
    spec: dict[str, Any], *, actor: User, now: datetime, account: Account | None = None, draft: AccountDraft | None = None
) -> tuple[AccessCheck, bool]:
    """A new check (True), for which the caller wakes a worker, or the one under way of the same account or draft."""
    part = parts_of(spec)[0]
    try:
        with transaction.atomic():
            made = AccessCheck.objects.create(spec=spec, part=part, account=account, draft=draft, requested_by=actor, requested_at=now)
    except IntegrityError:
        return AccessCheck.objects.get(account=account, draft=draft, state__in=looks.OPEN), False
    _record(made, "requested", now)
    return made, True


def newest(**of: Any) -> AccessCheck | None:
    """The newest check of an `account` or a `draft`, whatever came of it."""
    return AccessCheck.objects.filter(**of).order_by("-requested_at", "-pk").first()


def run(check_pk: int, part: str, *, doors: Doors, clock: Clock) -> AccessCheck:
    """Do one part of a check and return it as it then stands: finished, or queued for its next part.

    Does nothing when this part is done or another worker has it.
    """
    check = AccessCheck.objects.select_related("account", "requested_by").get(pk=check_pk)
    if looks.claim(check, now=clock.now(), part=part):
        _do(check, doors, clock)
    return AccessCheck.objects.select_related("account").get(pk=check_pk)


def _do(check: AccessCheck, doors: Doors, clock: Clock) -> None:
    done = [step for step in check.steps if step["part"] != check.part]
    for step in _steps(check, doors, clock):
        if step is not None:
            done.append({"part": check.part, **asdict(step)})
        if not looks.write(check, steps=done, user=check.user, lease_expires_at=clock.now() + looks.LEASE):
            return
    parts = parts_of(check.spec)
    left = parts[parts.index(CheckPart(check.part)) + 1 :]
    if left:
        looks.write(check, part=left[0], user=check.user, state=RequestState.QUEUED, lease_token=None, lease_expires_at=None)
        return
    with transaction.atomic():
        now = clock.now()
        if looks.finish(check, RequestState.DONE, now=now):
            check.state, check.steps = RequestState.DONE, done
            _record(check, "succeeded" if check.is_passed else "failed", now)


def _steps(check: AccessCheck, doors: Doors, clock: Clock) -> Iterator[Step | None]:
    """Steps of the check's part, each as soon as it is known; None only says that the worker is alive."""
    if check.part == CheckPart.LIST:
        yield from organization_checks.steps(check.spec, doors=doors)
    elif check.part == CheckPart.ADD:
        yield from organization_checks.add(check.spec, doors=doors, actor=check.requested_by, now=clock.now)
    elif check.part == CheckPart.ACT:
        yield from _act_steps(check, doors)
    elif check.part == CheckPart.ROOT:
        yield check_root(doors.root(account_of(check.spec)))
    else:
        yield from _read_steps(check, doors)


def _read_steps(check: AccessCheck, doors: Doors) -> Iterator[Step]:
    account = account_of(check.spec)
    gateway = doors.role(account, purpose=Purpose.POLL)
    bare = doors.role(account, purpose=Purpose.POLL, is_bare=True) if account.read_role_arn else None
    is_reached = True
    for place, step in enumerate(read_steps(gateway, bare)):
        is_reached = is_reached and (place > 0 or step.is_ok)
        yield step
    check.user = list((a_user(gateway) if is_reached else None) or ())


def _act_steps(check: AccessCheck, doors: Doors) -> Iterator[Step]:
    """A session as a change has it, without the right to change anything."""
    account, user = account_of(check.spec), tuple(check.user)
    arn = user[1] if user else f"arn:{account.partition}:iam::{account.account_id}:user/{NOBODY}"
    gateway = doors.role(account, purpose=Purpose.REMEDIATE, user_arn=arn)
    bare = doors.role(account, purpose=Purpose.REMEDIATE, user_arn=arn, is_bare=True)
    yield from act_steps(gateway, (user[0], user[1]) if user else None, bare)


def account_of(spec: Mapping[str, Any], **values: str) -> Account:
    """The account that a check is about, as one that is not stored."""
    names = ("account_id", "partition", "read_role_arn", "act_role_arn", "external_id")
    return Account(name=spec.get("account_id", ""), **({name: spec.get(name, "") for name in names} | values))


def _record(check: AccessCheck, outcome: str, now: datetime) -> None:
    spec = check.spec
    target = spec.get("account_id") or spec.get("management_role_arn") or "the organization"
    audit.record(
        action="account.discover" if spec.get("adds") else "account.check_access",
        outcome=outcome,
        now=now,
        actor=check.requested_by,
        account=check.account,
        target=str(check.account or target),
        note=UNTESTED if spec.get("adds") and not spec.get("is_tested") else "",
        message="; ".join(step["name"] for step in check.failed_steps) if check.state == RequestState.DONE else "",
        correlation_id=check.uuid,
    )
