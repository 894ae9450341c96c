"""What every page's shell needs: the person's preferences, the data's freshness, the navigation's counts. At most three queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, IntegerField, Max, Q, QuerySet, Subquery, Value
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Account
from hygiene.domain.wording import day, relative
from hygiene.middleware import of_cookie
from hygiene.models import Remediation, State
from hygiene.people import roles_of
from hygiene.services import policies
from hygiene.services.approvals import waiting_for
from hygiene.services.posture import reporting


@dataclass(frozen=True, slots=True)
class Freshness:
    """The top bar's words on the age of the data."""

    text: str
    detail: str
    is_warning: bool
    reporting: int
    total: int


def shell(request: HttpRequest) -> dict[str, Any]:
    """Template context of `base.html`. A fragment for htmx has no shell and costs nothing."""
    preferences = getattr(request, "preferences", None) or of_cookie(request)
    context = {"preferences": preferences, "next_theme": _next(preferences.theme), "single_sign_on": bool(settings.SOCIALACCOUNT_PROVIDERS)}
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or getattr(request, "htmx", False):
        return context
    fresh, waiting = _counted(request, user)
    return {
        **context,
        "freshness": fresh,
        "queue_count": waiting,
        "roles": ", ".join(roles_of(user)).capitalize() or "No role",
        "initials": "".join(part[:1] for part in user.get_username().replace("-", ".").split(".")[:2]).upper(),
    }


def _next(theme: str) -> str:
    return {"auto": "dark", "dark": "light", "light": "auto"}[theme]


def _counted(request: HttpRequest, user: User) -> tuple[Freshness | None, int]:
    """The data's freshness (none before the first account) and how many changes wait for this person's decision, as in the queue.

    One query where accounts are polled. A page that has counted already (`request.shell_counts`) knows how many plans wait: none is no
    change, and needs no query.
    """
    now = timezone.now()
    counted = getattr(request, "shell_counts", None)
    found = {**counted, "waiting": _changes(user).count() if counted["waiting"] else 0} if counted else _count(user, now)
    if not found["total"]:
        return None, found["waiting"]
    silent = f"{found['silent']} of {found['total']} accounts not reporting" if found["silent"] else "all accounts reporting"
    age = f"Data from {relative(found['newest'], now)}" if found["newest"] else "No data yet"
    local = timezone.localtime(found["newest"]) if found["newest"] else None
    detail = f"The newest credential report is of {day(local)}, {local:%H:%M %Z}." if local else "No credential report was read yet."
    fresh = Freshness(f"{age}, {silent}", detail, bool(found["silent"]), found["total"] - found["silent"], found["total"])
    return fresh, found["waiting"]


def _changes(user: User) -> QuerySet[Remediation]:
    """Changes that wait for this person's decision: the queue's "Waiting for me"."""
    return Remediation.objects.filter(state=State.AWAITING_APPROVAL, plan__in=waiting_for(user).order_by()).order_by()


def _count(user: User, now: datetime) -> dict[str, Any]:
    current = reporting(policy=policies.current().installation, now=now, prefix="")
    accounts = Account.objects.visible_to(user).pollable()
    changes = _changes(user)
    count = changes.annotate(all=Value(1)).values("all").annotate(count=Count("pk")).values("count")
    found = accounts.aggregate(
        total=Count("pk"),
        silent=Count("pk", filter=~Q(current)),
        newest=Max("status__report_generated_at"),
        waiting=Max(Subquery(count, output_field=IntegerField())),
    )
    return {**found, "waiting": (found["waiting"] or 0) if found["total"] else changes.count()}
