"""What happens if a key is disabled: one of four verdicts, the evidence with its sources, and where the key is in its life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hygiene.domain.ages import whole_days
from hygiene.domain.evidence import Sighting, Usage
from hygiene.domain.facts import KeyMatch, KeyStatus, Source, UseState
from hygiene.domain.policy import IN_USE_DAYS, Policy
from hygiene.domain.rotation import RotatingKey, RotationStep, guide
from hygiene.domain.states import AccountState
from hygiene.domain.wording import day, is_young, key_sentence, last_used_words, listed, place, plural, relative, short_key_id, used_when
from hygiene.models import AccessKey, Action, Plan
from hygiene.services.live_keys import last_use
from hygiene.services.notices import Asked, asked_of, with_answers
from hygiene.services.permissions import days_left, inactive_since, wait_days
from hygiene.services.posture import state_of
from hygiene.services.usage_evidence import look_of, with_looks

RECENT_DAYS = 7
MOST_SERVICES = 6  # named in a row


@dataclass(frozen=True, slots=True)
class Advice:
    """`tone`: good, bad, warn, or unknown. `verdict` is one of four wordings, `reason` what it rests on."""

    tone: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row: what is known, by which call, read when."""

    name: str
    text: str
    source: str
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """One of the three steps of a key's life."""

    title: str
    text: str
    is_current: bool


def for_disabling(key: AccessKey, *, usage: Usage | None, policy: Policy, now: datetime, asked: Asked | None = None) -> Advice:
    """Nothing is known to break; In use, will break; Cannot tell, data missing; Used rarely, check first.

    The newer of AWS's record of last use and the newest event in CloudTrail (`usage`) decides. An event proves use even where the rest
    of the data is missing; no event proves nothing. An owner's "It is in use" counts as use.
    """
    if asked is not None and asked.answer == "in_use":
        return Advice("bad", "In use, will break.", f"Its owner says so: {asked.words}.")
    use, seen = last_use(key), usage.last_event if usage else None
    if seen is not None and (use.at is None or seen.at > use.at or use.state is UseState.UNKNOWN):
        return _by_event(seen, now)
    if (missing := _missing(key, policy=policy, now=now)) is not None:
        return missing
    if use.at is None and key.created_at is not None and is_young(key.created_at, now):
        why = f"It was created {relative(key.created_at, now)}, and AWS tells of a use hours later."
        return Advice("unknown", "Cannot tell, data missing.", why)
    if use.at is None:
        since = f"since it was created on {day(key.created_at)}" if key.created_at else "so far"
        since = "since 22 April 2015, when AWS began to record" if use.state is UseState.NO_DATA else since
        return Advice("good", "Nothing is known to break.", f"AWS has recorded no call with this key {since}.{_trail_words(usage)}")
    days = whole_days(use.at, now)
    where = f"{used_when(use.at, now).capitalize()} ({place(use)})."
    if days <= RECENT_DAYS:
        return Advice("bad", "In use, will break.", where)
    if days < IN_USE_DAYS:
        return Advice("warn", "Used rarely, check first.", where)
    return Advice("good", "Nothing is known to break.", f"{where} No call since then.{_trail_words(usage)}")


def for_plan(plan: Plan, *, policy: Policy, now: datetime) -> Advice | None:
    """The verdict for the dialog that disables one key; None for any other plan. Two queries."""
    keys = list(plan.items.values_list("key", flat=True)[:2])
    if plan.action != Action.DISABLE or len(keys) != 1:
        return None
    rows = AccessKey.objects.filter(pk__in=keys).select_related("account__status", "principal")
    key = with_answers(with_looks(rows)).get()
    return for_disabling(key, usage=look_of(key).usage, policy=policy, now=now, asked=asked_of(key))


def _missing(key: AccessKey, *, policy: Policy, now: datetime) -> Advice | None:
    state = state_of(getattr(key.account, "status", None), key.account, policy=policy, now=now)
    if state is AccountState.OK and last_use(key).state is not UseState.UNKNOWN and not key.has_data_warning:
        return None
    not_reporting = f"the account is not reporting ({state.value.replace('_', ' ')})"
    why = "its last use could not be read" if state is AccountState.OK else not_reporting
    return Advice("unknown", "Cannot tell, data missing.", f"No statement is possible: {why}.")


def _by_event(seen: Sighting, now: datetime) -> Advice:
    """CloudTrail saw the key later than AWS's record of last use. A denied call breaks nothing, but somebody still holds the key."""
    what = f"CloudTrail saw {seen.name} ({seen.source}, {seen.region}) {relative(seen.at, now)}"
    if seen.error_code:
        return Advice("warn", "Used rarely, check first.", f"{what}, denied: {seen.error_code}.")
    if whole_days(seen.at, now) <= RECENT_DAYS:
        return Advice("bad", "In use, will break.", f"{what}.")
    return Advice("warn", "Used rarely, check first.", f"{what}.")


def _trail_words(usage: Usage | None) -> str:
    return f" CloudTrail: {usage.sentence}." if usage is not None and usage.asked and not usage.events else ""


def evidence(key: AccessKey, others: Sequence[AccessKey], *, now: datetime) -> list[Evidence]:
    """Rows with source and age; what was not read is said to be unknown."""
    use = last_use(key)
    words = last_used_words(use, created_at=key.created_at, now=now)
    found = [Evidence("Last used", f"{words.first}, {words.second}", key.last_used_source, key.last_used_observed_at)]
    found.append(Evidence("Status", key.status_raw or key.status, key.status_source, key.status_observed_at))
    for other in others:
        text = key_sentence(
            status=KeyStatus(other.status), created_at=other.created_at, last_use=last_use(other), now=now, is_root=key.principal.is_root
        )
        found.append(
            Evidence(
                "Other key of this user", f"{short_key_id(other.access_key_id)}: {text}", other.status_source, other.status_observed_at
            )
        )
    if not others:
        found.append(Evidence("Other key of this user", "none", key.status_source, key.status_observed_at))
    if key.match == KeyMatch.AMBIGUOUS:
        text = "Two keys of the same second cannot be told apart in the report, so its dates of use belong to neither."
        found.append(Evidence("Report", text, "credential report", key.last_used_observed_at))
    found.append(Evidence("What it can do", _reach_words(key), "GetAccountAuthorizationDetails", key.principal.details_observed_at))
    return found


def _reach_words(key: AccessKey) -> str:
    """From the user's policies as far as they were read."""
    if key.principal.is_root:
        return "everything: root's key"
    reach = key.principal.reach
    if key.principal.is_admin or (reach or {}).get("is_admin"):
        return "everything: its user is an administrator"
    if reach is None:
        return "not known: its user's policies were not read"
    services = reach.get("services") or []
    if services == ["*"]:
        return "something in every service"
    shown = listed(services, most=MOST_SERVICES)
    return f"{plural(len(services), 'service')}: {shown}" if services else "nothing by its user's policies"


def trail_panel(key: AccessKey, *, now: datetime) -> dict[str, Any]:
    """For `_evidence_trail.html`, of a key of `usage_evidence.with_looks`. No query."""
    look = look_of(key)
    rows = trail_rows(look.usage) if look.usage else []
    return {"key": key, "look": look, "is_fresh": look.is_fresh(now), "usage": look.usage, "trail_rows": rows}


def trail_rows(usage: Usage) -> list[Evidence]:
    """What a look into CloudTrail found, and service last accessed as a second opinion; what could not be read is said."""
    found = [("Events", usage.sentence), ("Regions asked", ", ".join(usage.asked) or "none answered")]
    found += [("Not read", f"{look.region}: {look.error}") for look in usage.failed]
    if usage.is_cut_short:
        found.append(("Cut short", "CloudTrail has more events than were read; the newest are counted."))
    found += [("Last success", _sighting(usage.last_success)), ("Last denial", _sighting(usage.last_denial))]
    for name, counts in (("Services", usage.sources), ("Source addresses", usage.addresses), ("User agents", usage.user_agents)):
        if counts:
            found.append((name, ", ".join(f"{value} ({count})" for value, count in counts.items())))
    if usage.sessions:
        found.append(("Sessions of this user", f"{plural(usage.sessions, 'event')}, last: {_sighting(usage.last_session)}"))
    rows = [Evidence(name, text, Source.CLOUDTRAIL, usage.looked_at) for name, text in found]
    return [*rows, Evidence("Service last accessed", _services(usage), "GetServiceLastAccessedDetails", usage.looked_at)]


def _sighting(seen: Sighting | None) -> str:
    if seen is None:
        return "none in what was read"
    denied = f", {seen.error_code}" if seen.error_code else ""
    return f"{seen.name} on {day(seen.at)}, {seen.source} in {seen.region}, from {seen.address or 'no address'}{denied}"


def _services(usage: Usage) -> str:
    """For the user and not for one key; denied attempts count there too."""
    if usage.services is None:
        return f"not read: {usage.services_error}"
    dated = sorted(((use.last_used_at, use) for use in usage.services if use.last_used_at), key=lambda entry: entry[0], reverse=True)
    words = [f"{use.service} on {day(at)}" for at, use in dated[:MOST_SERVICES]]
    return f"by this user, with any key or password: {', '.join(words)}" if words else "none by this user in the tracked period"


def rotation(key: AccessKey, others: Sequence[AccessKey], *, limit_days: int, now: datetime) -> tuple[RotationStep, ...]:
    """The steps to replace a user's key that is over `limit_days` old; none for a younger key, for root, or where the age is not known."""
    if key.principal.is_root or key.created_at is None or key.has_data_warning or whole_days(key.created_at, now) <= limit_days:
        return ()
    return guide(_rotating(key), [_rotating(other) for other in others], now=now, wait_days=wait_days(key))


def _rotating(key: AccessKey) -> RotatingKey:
    since = inactive_since(key) if key.status == KeyStatus.INACTIVE else None
    return RotatingKey(key.access_key_id, key.created_at, KeyStatus(key.status), last_use(key), since, key.gone_at)


def _since_words(key: AccessKey, since: datetime) -> str:
    """Since when it is disabled. AWS does not tell: only our own change is known, all else is when a poll saw it."""
    if key.disabled_here_at is not None:
        return f"since {day(since)}"
    seen = f"seen disabled since {day(since)}"
    return seen if since > key.first_seen_at else f"{seen}, before that unknown"


def lifecycle(key: AccessKey, *, now: datetime) -> tuple[Step, ...]:
    """Active → Disabled, waiting → Deleted."""
    since, left = inactive_since(key), days_left(key, now)
    is_disabled = key.status == KeyStatus.INACTIVE and key.gone_at is None
    born = f"since {day(key.created_at)}" if key.created_at else "creation not known"
    waiting = f"{wait_days(key)} days, can be enabled again"
    if is_disabled:
        began = f"{_since_words(key, since)}, " if since else ""
        rest = f"{plural(left, 'day')} left" if left else "ready to delete"
        waiting = f"{began}{rest}"
    gone = f"on {day(key.gone_at)}" if key.gone_at else "cannot be undone"
    return (
        Step("Active", born, is_current=key.gone_at is None and not is_disabled),
        Step("Disabled, waiting", waiting, is_current=is_disabled),
        Step("Deleted", gone, is_current=key.gone_at is not None),
    )
