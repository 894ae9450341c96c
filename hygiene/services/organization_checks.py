"""An organization that is being added: whether it can be listed and its accounts read, and taking its accounts into the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from accounts.access import Step, cure, read_steps, refused_without_external_id, tried
from accounts.gateway import AccessDenied, AwsError, Gateway, OrganizationAccount, Purpose
from accounts.models import Account, ScopeGrant, sees_every_account
from accounts.organization import Roles, record
from accounts.roles import role_of
from hygiene.services.doors import Doors

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LIST = "organizations:ListAccounts"
LEAST, MOST = 20, 100  # accounts that a test lists, until it has some to read: places and tags cost calls for each
SAMPLES = 3
EACH = 50  # accounts between two signs of life
NARROWED = (
    "Your scope is narrowed to some accounts. An organization is added by somebody who sees every account; single accounts you can add."
)


def refusal(actor: User | None) -> str:
    """Why this person may not add a whole organization; "" when they may."""
    if actor is None or not actor.is_active or not actor.has_perm("accounts.manage_accounts"):
        return "Whoever asked for this may not manage accounts any more."
    is_narrowed = not sees_every_account(actor) and ScopeGrant.objects.filter(user=actor).exists()
    return NARROWED if is_narrowed else ""


def roles_of(spec: Mapping[str, Any]) -> Roles:
    """Roles that accounts which are not registered yet get; the others keep theirs."""
    return Roles(
        spec["partition"],
        spec["read_role_name"],
        spec["act_role_name"],
        spec["external_id"],
        is_for_new=True,
        management=spec["management_role_arn"],
    )


def steps(spec: Mapping[str, Any], *, doors: Doors) -> Iterator[Step]:
    """Get to the organization, list some accounts, and read some that are not registered yet."""
    gateway, bare = _ways(spec, doors)
    name = "assume the role that lists the organization" if bare else "use the worker's own identity"
    first = tried(name, gateway.caller_identity, advice="Check that the role exists, trusts the worker and asks for this external id.")
    yield first
    if not first.is_ok:
        return
    if bare is not None:
        yield refused_without_external_id(bare)
    listed: list[OrganizationAccount] = []
    yield _listing(gateway, listed)
    if listed:
        yield _places(listed)
        yield from _samples(spec, doors, listed)


def _ways(spec: Mapping[str, Any], doors: Doors) -> tuple[Gateway, Gateway | None]:
    """The way to the organization, and the same without its external id where a role is assumed."""
    arn = spec["management_role_arn"]
    if not arn:
        return doors.own(partition=spec["partition"]), None
    account = _account(spec, role_of(arn)[1], read_role_arn=arn)
    return doors.role(account, purpose=Purpose.POLL), doors.role(account, purpose=Purpose.POLL, is_bare=True)


def _account(spec: Mapping[str, Any], number: str, *, name: str = "", read_role_arn: str = "") -> Account:
    return Account(
        account_id=number,
        name=name or number,
        partition=spec["partition"],
        external_id=spec["external_id"],
        read_role_arn=read_role_arn or roles_of(spec).read_arn(number),
    )


def _listing(gateway: Gateway, listed: list[OrganizationAccount]) -> Step:
    """The first accounts, put into `listed`: as many as show some that can be read as a sample."""
    is_all, fresh, known = True, 0, _registered()
    try:
        for entry in gateway.organization_accounts():
            if len(listed) >= MOST or (len(listed) >= LEAST and fresh >= SAMPLES):
                is_all = False
                break
            listed.append(entry)
            fresh += entry.account_id not in known and entry.state == "ACTIVE"
    except AccessDenied as error:
        advice = f"Allow {LIST} there, in the management account or one that is a delegated administrator."
        return Step(LIST, is_ok=False, detail=error.sentence, advice=advice)
    except AwsError as error:
        return Step(LIST, is_ok=False, detail=error.sentence, advice=cure(error))
    if not listed:
        return Step(LIST, is_ok=False, detail="AWS listed no account.", advice="Is this the management or a delegated account?")
    count = f"{len(listed)} accounts" if is_all else f"the first {len(listed)} accounts"
    return Step(LIST, is_ok=True, detail=f"{count}, {sum(entry.account_id in known for entry in listed)} of them registered already")


def _registered() -> set[str]:
    return set(Account.objects.filter(removed_at__isnull=True).values_list("account_id", flat=True))


def _places(listed: list[OrganizationAccount]) -> Step:
    """Units and tags may be refused: then they stay unknown."""
    name = "units and tags of accounts"
    if any(entry.unit_path or entry.tags for entry in listed):
        return Step(name, is_ok=True, is_optional=True)
    advice = "Allow organizations:ListParents, DescribeOrganizationalUnit and ListTagsForResource there, if accounts have units or tags."
    return Step(name, is_ok=False, detail="No account has any, or they may not be read.", advice=advice, is_optional=True)


def _samples(spec: Mapping[str, Any], doors: Doors, listed: list[OrganizationAccount]) -> Iterator[Step]:
    """The read role in some accounts; in the first that can be reached each permission."""
    known = _registered()
    fresh = [entry for entry in listed if entry.account_id not in known and entry.state == "ACTIVE"]
    if not fresh:
        yield Step("read a sample", is_ok=True, detail="not tried: every active account that was listed is registered already")
    is_read = False
    for entry in fresh[:SAMPLES]:
        account = _account(spec, entry.account_id, name=entry.name)
        gateway = doors.role(account, purpose=Purpose.POLL)
        bare = doors.role(account, purpose=Purpose.POLL, is_bare=True)
        for place, step in enumerate(read_steps(gateway, bare)):
            if place == 0 or not is_read:
                yield _in(entry, step, with_name=place == 0)
            if place == 0 and is_read:
                break
        is_read = is_read or step.name == "read a sample"


def _in(entry: OrganizationAccount, step: Step, *, with_name: bool) -> Step:
    where = f" in {entry.name or entry.account_id} ({entry.account_id})" if with_name else ""
    return Step(f"{step.name}{where}", step.is_ok, step.detail, step.advice, step.is_optional)


def add(spec: Mapping[str, Any], *, doors: Doors, actor: User | None, now: Callable[[], datetime]) -> Iterator[Step | None]:
    """List every account and take it into the registry, in one transaction. None after each 50 accounts: a sign of life."""
    if words := refusal(actor):
        yield Step("add accounts", is_ok=False, detail=words)
        return
    listed: list[OrganizationAccount] = []
    gateway, _ = _ways(spec, doors)
    try:
        for entry in gateway.organization_accounts():
            listed.append(entry)
            if len(listed) % EACH == 0:
                yield None
    except AwsError as error:
        yield Step(LIST, is_ok=False, detail=f"Nothing was added. {error.sentence}", advice=cure(error))
        return
    yield Step(LIST, is_ok=True, detail=f"{len(listed)} accounts")
    done = record(listed, roles=roles_of(spec), now=now(), actor=actor)
    words = f"{done.created} added, {done.updated + done.unchanged} registered already"
    yield Step("add accounts", is_ok=not done.problems, detail="; ".join([words, *done.problems[:5]]))
