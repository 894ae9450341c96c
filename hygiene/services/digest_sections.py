"""The three sections of a digest: what needs the reader, what changed since the last one, and what is coming up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.db.models.functions import Coalesce

from hygiene.domain.facts import KeyStatus
from hygiene.domain.verdicts import Severity
from hygiene.domain.wording import day, key_sentence, number, plural, short_key_id
from hygiene.models import SUCCESS_STATES, WAITING_STATES, AccessKey, Action, Exemption, Finding, State
from hygiene.services.approvals import waiting_for
from hygiene.services.digest_extent import Extent
from hygiene.services.digest_parts import MOST_LINES, MOST_NAMES, Line, Section, link, names, section
from hygiene.services.exemptions import ENDING, cover_of
from hygiene.services.live_keys import last_use
from hygiene.services.openings import openings
from hygiene.services.posture import counted
from hygiene.services.work import failed_changes

SOON = timedelta(days=7)
DONE = {Action.DISABLE: "disabled", Action.DELETE: "deleted", Action.ENABLE: "enabled again"}
NEWLY = {  # rule: (one, many, level, words after the number)
    "root.no_mfa": ("root user", "root users", "critical", "newly without MFA"),
    "key.never_used": ("key", "keys", "high", "newly never used for over a week"),
    "key.unused": ("key", "keys", "medium", "newly over the limit of unused days"),
    "key.too_old": ("key", "keys", "medium", "newly over maximum age"),
    "password.no_mfa": ("console user", "console users", "high", "newly without MFA"),
}


def needs_you(extent: Extent) -> Section:
    """Worst first: root keys, requests that wait for the reader, failed changes, keys of high severity, console users without MFA.

    What is not shown are keys, so that "and 9 more" leads to a list of them: users who do not fit share one line that leads to theirs.
    """
    urgent = extent.keys().filter(severity__gte=Severity.HIGH).order_by("-severity", "created_at", "pk")
    roots, others = urgent.filter(principal__is_root=True), urgent.filter(principal__is_root=False)
    waiting, count = _waiting(extent), urgent.count()
    people = _people(extent, room=MOST_LINES - count - len(waiting))
    room = MOST_LINES - len(waiting) - len(people)
    lines = [_key_line(key, extent) for key in roots[:room]]
    lines += [*waiting, *(_key_line(key, extent) for key in others[: room - len(lines)]), *people]
    words = "is:mine" if extent.scope.is_mine else extent.scope.filter_words
    url = link("keys", view="action", q=f"sev:high+ {words}".strip())
    return section("Needs you", lines, count + len(waiting) + len(people), url, _nothing(extent, "Nothing of high severity is open in"))


def _people(extent: Extent, *, room: int) -> list[Line]:
    """Console users without MFA: a line for each where there is room, else one line for all."""
    rows = extent.users().filter(counted("no_mfa", policy=extent.policy, now=extent.now)).order_by("name", "pk")
    count = rows.count()
    if count <= max(1, room):
        return [Line("high", f"{row.name} in {row.account.name}", "Console user without MFA", link("user", row.uuid)) for row in rows]
    shown = names([f"{row.name} ({row.account.name})" for row in rows[:MOST_NAMES]], count)
    words = "is:mine" if extent.scope.is_mine else extent.scope.filter_words
    return [Line("high", f"{plural(count, 'console user')} without MFA", shown, link("users", view="no-mfa", q=words))]


def _nothing(extent: Extent, words: str) -> str:
    """What an empty section says: of which accounts it is true, or that nobody knows."""
    count = extent.found.reporting
    return f"{words} {plural(count, 'reporting account')}." if count else "Not known: no account is reporting."


def _unchanged(extent: Extent) -> str:
    since = f"since {day(extent.local(extent.since))}" if extent.since else ""
    count = len(extent.compared)
    return (
        f"Nothing changed {since} in {plural(count, 'account')} that reported then and now."
        if count
        else "Not known: no account reported both times."
    )


def _key_line(key: AccessKey, extent: Extent) -> Line:
    line = key_line(key, extent.now)
    if not key.principal.is_root:
        return line
    is_new = extent.since is not None and key.first_seen_at > extent.since and key.account.account_id in extent.compared
    born = f", created {day(extent.local(key.created_at))}" if key.created_at else ""
    return Line(line.level, line.title, f"{'New since the last digest. ' if is_new else ''}{line.detail}{born}", line.url)


def key_line(key: AccessKey, now: datetime) -> Line:
    """One key with its status sentence; account and principal must be loaded."""
    is_root, level = key.principal.is_root, Severity(key.severity).word if key.severity else "ok"
    words = key_sentence(status=KeyStatus(key.status), created_at=key.created_at, last_use=last_use(key), now=now, is_root=is_root)
    if is_root:
        return Line(level, f"Root key in {key.account.name}", words, link("root-user", key.account.account_id))
    title = f"{key.principal.name} in {key.account.name}"
    return Line(level, title, f"{short_key_id(key.access_key_id)}: {words}", link("key", key.uuid))


def _waiting(extent: Extent) -> list[Line]:
    """Requests of others, and changes that failed: one line for each kind. Only of accounts in scope."""
    lines = []
    plans = waiting_for(extent.user).filter(remediations__account__in=extent.accounts).distinct()
    asked = plans.order_by().aggregate(count=Count("pk", distinct=True), oldest=Min("confirmed_at"))
    if asked["count"]:
        oldest = f"The oldest was asked for on {day(extent.local(asked['oldest']))}." if asked["oldest"] else "Others have asked."
        lines.append(Line("medium", f"{plural(asked['count'], 'request waits', 'requests wait')} for your approval", oldest, link("queue")))
    failed = failed_changes(extent.accounts, now=extent.now).filter(pk__in=extent.changes().values("pk")).count()
    if failed:
        title = f"{plural(failed, 'change')} failed or {'needs' if failed == 1 else 'need'} a person"
        lines.append(Line("high", title, "Nobody has tried again yet.", link("queue")))
    return lines


def changed(extent: Extent) -> Section:
    """Since the last digest: done, newly over a limit, new users without MFA, new keys, ended exemptions."""
    url = link("audit")
    if extent.since is None:
        return section("Changed this week", [], 0, url, "This is your first digest: changes are shown from the next one on.")
    lines = [*_done(extent), *_newly(extent), *_new_keys(extent), *_ended(extent)]
    return section("Changed this week", lines, len(lines), url, _unchanged(extent))


def _done(extent: Extent) -> list[Line]:
    rows = extent.changes().filter(state__in=SUCCESS_STATES, finished_at__gt=extent.since).order_by()
    actions: Counter[str] = Counter()
    people: Counter[str] = Counter()
    for row in rows.values("action", "requested_by_name").annotate(count=Count("pk")):
        actions[row["action"]] += row["count"]
        people[row["requested_by_name"]] += row["count"]
    if not actions:
        return []
    title = ", ".join(_done_words(Action(action), actions[action]) for action in Action if actions[action])
    by = ", ".join(f"{name} ({number(count)})" for name, count in people.most_common(MOST_NAMES))
    rest = f" and {plural(len(people) - MOST_NAMES, 'other')}" if len(people) > MOST_NAMES else ""
    return [Line("done", title, f"By {by}{rest}", link("queue"))]


def _done_words(action: Action, count: int) -> str:
    if action in DONE:
        return f"{plural(count, 'key')} {DONE[action]}"
    return f"{action.label!s}: {number(count)}"


def _newly(extent: Extent) -> list[Line]:
    opened = extent.findings().filter(opened_at__gt=extent.since)
    counts = dict(opened.filter(rule__in=NEWLY).order_by().values_list("rule").annotate(count=Count("pk")))
    lines = []
    for rule, (one, many, level, words) in NEWLY.items():
        count = counts.get(rule, 0)
        if count:
            shown = [_subject(row) for row in opened.filter(rule=rule).order_by("-severity", "opened_at", "pk")[:MOST_NAMES]]
            url = link("findings", q=" ".join(filter(None, [f"rule:{rule}", extent.scope.filter_words])), sort="-opened")
            lines.append(Line(level, f"{plural(count, one, many)} {words}", names(shown, count), url))
    return lines


def _subject(row: Finding) -> str:
    return f"{row.principal.name if row.principal else 'account'} ({row.account.name})"


def _new_keys(extent: Extent) -> list[Line]:
    since = extent.since
    fresh = extent.keys().filter(created_at__gt=since, principal__is_root=False, account__in=extent.compared_accounts)
    count = fresh.count()
    if not count or since is None:
        return []
    shown = [f"{key.principal.name} ({key.account.name})" for key in fresh.order_by("-created_at", "pk")[:MOST_NAMES]]
    words = "is:mine" if extent.scope.is_mine else extent.scope.filter_words
    url = link("keys", q=f"age:<={(extent.now - since).days} -is:root {words}".strip())
    return [Line("low", f"{plural(count, 'new key')} created", names(shown, count), url)]


def _ended(extent: Extent) -> list[Line]:
    ended = extent.exemptions().filter(ended_at__gt=extent.since).order_by("-ended_at", "-pk")
    count = ended.count()
    if not count:
        return []
    return [Line("medium", f"{plural(count, 'exemption')} ended", _covers(ended[:MOST_NAMES], count), link("exemptions", view="ended"))]


def _covers(rows: Iterable[Exemption], total: int) -> str:
    return names([cover_of(row).words for row in rows], total)


def coming_up(extent: Extent) -> Section:
    """Scheduled changes, disabled keys that become ready to delete within a week, and exemptions that end within two."""
    lines = [*_scheduled(extent), *_ready(extent), *_ending(extent)]
    return section(
        "Coming up", lines, len(lines), link("queue"), _nothing(extent, "Nothing is scheduled, becomes ready to delete or ends in")
    )


def _scheduled(extent: Extent) -> list[Line]:
    """By the day on which the change window of each account opens; last what no window opens for."""
    rows = extent.changes().filter(state__in=WAITING_STATES, plan__run_at__isnull=False).order_by("plan__run_at", "pk")
    begins = openings(rows, now=extent.now)
    days: defaultdict[tuple[date, str], list[Any]] = defaultdict(list)
    for row in rows:
        moment = begins[row.pk]
        if moment != extent.now:  # what is due is under way, not coming up
            days[extent.local(moment).date() if moment else date.max, row.action].append(row)
    return [_scheduled_line(when, action, found) for (when, action), found in sorted(days.items())]


def _scheduled_line(when: date, action: str, found: list[Any]) -> Line:
    plans = {row.plan_id: row.plan for row in found}
    url = link("run", found[0].plan.uuid) if len(plans) == 1 else link("queue")
    words = names([f"{row.user_name} ({row.account.name})" for row in found], len(found))
    told = ". Owners are told before" if any(plan.notifies_owners for plan in plans.values()) else ""
    told += ". Only if it is approved" if all(row.state == State.AWAITING_APPROVAL for row in found) else ""
    keys, done = plural(len(found), "key"), DONE.get(Action(action), "changed")
    title = f"No change window opens: {keys} cannot be {done}" if when == date.max else f"{_day(when)}: {keys} will be {done}"
    return Line("low", title, words + told, url)


def _ready(extent: Extent) -> list[Line]:
    wait = timedelta(days=extent.found.wait_days)
    disabled = extent.keys().filter(status=KeyStatus.INACTIVE, principal__is_root=False)
    waiting = disabled.annotate(since=Coalesce("disabled_here_at", "first_inactive_at")).filter(since__isnull=False)
    lines = []
    ready = waiting.filter(since__lte=extent.now - wait).order_by("since", "pk")
    count = ready.count()
    words = "is:mine" if extent.scope.is_mine else extent.scope.filter_words
    if count:
        title = f"{plural(count, 'disabled key is', 'disabled keys are')} ready to delete"
        lines.append(Line("low", title, _key_names(ready, count), link("keys", view="ready", q=words)))
    days: defaultdict[date, list[AccessKey]] = defaultdict(list)
    for key in waiting.filter(since__gt=extent.now - wait, since__lte=extent.now - wait + SOON).order_by("since", "pk"):
        days[extent.local(_since(key) + wait).date()].append(key)
    for when, keys in days.items():
        title = f"{_day(when)}: {plural(len(keys), 'key becomes', 'keys become')} ready to delete"
        lines.append(Line("low", title, _names_of(keys, len(keys)), link("keys", q=f"status:disabled {words}".strip())))
    return lines


def _since(key: AccessKey) -> datetime:
    moment: datetime = key.since  # type: ignore[attr-defined]  # annotated
    return moment


def _key_names(rows: QuerySet[AccessKey], total: int) -> str:
    return _names_of(rows[:MOST_NAMES], total)


def _names_of(keys: Iterable[AccessKey], total: int) -> str:
    return names([f"{key.principal.name} ({key.account.name})" for key in keys], total)


def _ending(extent: Extent) -> list[Line]:
    rows = extent.exemptions().filter(ended_at__isnull=True, ends_at__lte=extent.now + ENDING).order_by("ends_at", "pk")
    days: defaultdict[date, list[Exemption]] = defaultdict(list)
    for row in rows:
        days[extent.local(row.ends_at).date()].append(row)
    url = link("exemptions", view="ending")
    return [
        Line("low", f"{_day(when)}: {plural(len(found), 'exemption ends', 'exemptions end')}", _covers(found, len(found)), url)
        for when, found in days.items()
    ]


def _day(when: date) -> str:
    """Mon 30 Nov."""
    return f"{when:%a} {when.day} {when:%b}"
