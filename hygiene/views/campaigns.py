"""Campaigns on their run's page: another day, or none; and the change window of an account, in which campaigns act."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Account
from hygiene.models import Plan
from hygiene.services import calendars, campaigns
from hygiene.services.refused import Invalid, NotAllowed
from hygiene.views.access import Request, SignedIn, requires
from hygiene.views.safety import answer, visible_run

LONG_AGO = timedelta(days=-1)


@require_POST
@requires("hygiene.request_change")
def move(request: Request, uuid: UUID) -> HttpResponse:
    """Another day for one's own campaign, at the same time of the day."""
    plan, now = visible_run(request, uuid), timezone.now()
    run_at = _on_day(plan, request.POST.get("run_on", ""), now)
    return answer(request, plan, "move", partial(campaigns.move, plan, run_at, actor=request.user, now=now))


def _on_day(plan: Plan, text: str, now: datetime) -> datetime:
    """The posted day, at the plan's time in the person's own zone; what is no day counts as past."""
    local = timezone.localtime(plan.run_at or now)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return now + LONG_AGO
    return timezone.make_aware(datetime.combine(day, time(local.hour, local.minute)))


@require_POST
@requires("hygiene.request_change", "hygiene.approve_change")
def stop(request: Request, uuid: UUID) -> HttpResponse:
    """What waits is not done."""
    plan, reason = visible_run(request, uuid), request.POST.get("reason", "")[:2000]
    return answer(request, plan, "stop", partial(campaigns.stop, plan, actor=request.user, reason=reason, now=timezone.now()))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("accounts.manage_accounts")
def account_window(request: SignedIn, account_id: str) -> HttpResponse:
    """When campaigns may act in the account. Its form stands on the account's page; here it is where it was refused."""
    account = get_object_or_404(Account.objects.visible_to(request.user), account_id=account_id)
    if request.method != "POST":
        return render(request, "hygiene/account_window.html", {"account": account, "typed": account.change_window})
    try:
        calendars.set_window(account, request.POST.get("change_window", "")[:500], actor=request.user, now=timezone.now())
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except Invalid as error:
        context = {"account": account, "typed": request.POST.get("change_window", ""), "sentence": str(error)}
        return render(request, "hygiene/account_window.html", context, status=422)
    messages.success(
        request, f"Campaigns act in {account.name} {f'in {account.change_window}' if account.change_window else 'at any time'}."
    )
    return redirect("account", account.account_id)
