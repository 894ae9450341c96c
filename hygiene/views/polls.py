"""Poll now: starts or joins polls, and shows how far they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Min, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import audit
from accounts.models import Account
from hygiene.models import Poll, PollRequest, PollTrigger
from hygiene.services import schedule
from hygiene.tasks import start_requested_polls
from hygiene.templatetags.hygiene import full_time
from hygiene.views.access import Request, requires
from hygiene.views.accounts import REPORT_EVERY
from hygiene.views.lists import moment

FAILURES_SHOWN = 50


@require_POST
@requires("hygiene.poll_now")
def poll_now(request: Request) -> HttpResponse:
    """Poll one posted account, or all in scope. Pressed twice it joins what runs."""
    now, _ = moment()
    accounts = Account.objects.visible_to(request.user).pollable()
    one = None
    if "account" in request.POST:
        one = get_object_or_404(accounts, account_id=request.POST["account"])
        accounts = accounts.filter(pk=one.pk)
    with transaction.atomic():
        found, polls = schedule.request_polls(accounts, user=request.user, trigger=PollTrigger.MANUAL, now=now)
        target = str(one) if one else f"{len(polls)} accounts"
        audit.record(action="poll.request", outcome="requested", now=now, actor=request.user, account=one, target=target)
        transaction.on_commit(lambda: start_requested_polls.delay(found.pk), robust=True)
    return _show(request, found) if request.htmx else redirect("poll-progress", found.uuid)


@require_safe
@requires("hygiene.poll_now")
def poll_progress(request: Request, uuid: UUID) -> HttpResponse:
    """How far a request is; replaces itself until it is finished."""
    return _show(request, get_object_or_404(PollRequest, uuid=uuid))


def _show(request: Request, found: PollRequest) -> HttpResponse:
    polls = Poll.objects.visible_to(request.user).filter(request=found)
    failed = (
        polls.filter(finished_at__isnull=False).exclude(outcome__in=schedule.SUCCESS).select_related("account").order_by("account__name")
    )
    progress = schedule.progress(polls)
    reports = _reports(polls) if progress.is_finished else ""
    context = {"poll_request": found, "progress": progress, "failed": failed[:FAILURES_SHOWN], "reports": reports}
    if request.htmx:
        return render(request, "hygiene/_poll_progress.html", context)
    context["running"] = polls.filter(finished_at__isnull=True).select_related("account").order_by("account__name")[:FAILURES_SHOWN]
    return render(request, "hygiene/poll.html", context)


def _reports(polls: QuerySet[Poll]) -> str:
    """Which reports AWS served, and from when it can make newer ones: a poll does not always bring newer data."""
    span = polls.aggregate(oldest=Min("report_generated_at"), newest=Max("report_generated_at"))
    if span["oldest"] is None:
        return ""
    oldest, newest = _short(span["oldest"]), _short(span["newest"])
    again = f"the next can be made from {_short(span['oldest'] + REPORT_EVERY)}"
    return f"AWS served its report of {oldest}, {again}." if oldest == newest else f"AWS served reports of {oldest} to {newest}, {again}."


def _short(moment: datetime) -> str:
    """06:46 UTC today, the whole time on another day; in the viewer's time zone."""
    local = timezone.localtime(moment)
    return f"{local:%H:%M %Z}" if local.date() == timezone.localtime().date() else full_time(moment)
