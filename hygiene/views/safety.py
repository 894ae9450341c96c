"""Runs, decisions on the requests of others, and the switch that stops all changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account
from hygiene.models import KEY_ACTIONS, WAITING_STATES, Alert, Plan, Remediation
from hygiene.services import alerts, approvals, campaigns, openings, policies, refusals, run_words, runs, switch
from hygiene.services.refused import Conflict, Invalid, NotAllowed
from hygiene.views.access import Request, requires
from hygiene.views.plans import started, wake_all

MOST_LINES = 1000


def visible_run(request: Request, uuid: UUID) -> Plan:
    """A confirmed plan of which the person sees every account; else 404."""
    plan = get_object_or_404(Plan.objects.select_related("created_by"), uuid=uuid, confirmed_at__isnull=False)
    unseen = plan.remediations.exclude(account__in=Account.objects.visible_to(request.user))
    return get_object_or_404(Plan.objects.select_related("created_by"), pk=None if unseen.exists() else plan.pk)


def _show(request: Request, plan: Plan, *, sentence: str = "", status: int = 200) -> HttpResponse:
    rows = plan.remediations.select_related("account", "key", "principal").order_by("account__name", "user_name", "pk")
    now = timezone.now()
    progress = runs.progress(plan)
    waits = progress.waiting_for_approval > 0
    context = {
        "plan": plan,
        "progress": progress,
        "states": run_words.states(plan),
        "groups": run_words.groups(plan, policy=policies.current().installation, now=now) if waits else (),
        "is_of_keys": plan.action in KEY_ACTIONS,
        "slices": runs.slices(plan, now=now),
        "campaign": _campaign(request, plan) if plan.run_at else None,
        "rows": rows[:MOST_LINES],
        "aside": plan.items.filter(disposition="skipped").select_related("key", "principal__account").order_by("pk")[:MOST_LINES],
        "approvals": plan.approvals.order_by("decided_at"),
        "may_decide": approvals.waiting_for(request.user).filter(pk=plan.pk).exists(),
        "may_cancel": plan.created_by_id == request.user.pk and plan.remediations.filter(state__in=WAITING_STATES).exists(),
        "may_undo": request.user.has_perm("hygiene.request_change") and bool(runs.undoable(plan)),
        "may_retry": request.user.has_perm("hygiene.request_change"),
        "sentence": sentence,
        "now": now,
    }
    return render(request, "hygiene/_run_live.html" if request.htmx else "hygiene/run.html", context, status=status)


def _campaign(request: Request, plan: Plan) -> dict[str, Any]:
    """When a campaign acts, whom it warned, what owners answered, and who may move or stop it."""
    waits = plan.remediations.filter(state__in=WAITING_STATES).exists()
    is_mine = plan.created_by_id == request.user.pk
    told = plan.notices.exclude(answer="", state="sent").exclude(answer="", state="claimed", error="")
    return {
        "warnings": campaigns.warnings(plan),
        "answers": told.order_by("-claimed_at", "owner"),
        "without_owner": campaigns.without_owner(plan),
        "openings": openings.of_accounts(plan, now=timezone.now()) if waits else [],
        "may_move": waits and is_mine,
        "may_stop": waits and (is_mine or request.user.has_perm("hygiene.approve_change")),
    }


def answer(request: Request, plan: Plan, verb: str, act: Callable[[], object]) -> HttpResponse:
    """Do it, and show the run; 403, 409 or 422 with the sentence. A refusal is recorded as that of `verb`."""
    try:
        with refusals.on_record(action=f"plan.{verb}", actor=request.user, target=str(plan), now=timezone.now()):
            act()
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except (Conflict, Invalid) as error:
        return _show(request, plan, sentence=str(error), status=422 if isinstance(error, Invalid) else 409)
    return redirect("run", plan.uuid)


@require_safe
@requires("hygiene.view_inventory")
def run(request: Request, uuid: UUID) -> HttpResponse:
    """One run: progress, decisions, and a line for each key."""
    return _show(request, visible_run(request, uuid))


@require_POST
@requires("hygiene.approve_change")
def approve(request: Request, uuid: UUID) -> HttpResponse:
    """Agree to exactly this plan."""
    plan, comment = visible_run(request, uuid), request.POST.get("comment", "")[:2000]
    approved = partial(approvals.approve, plan=plan, actor=request.user, comment=comment, now=timezone.now())
    return answer(request, plan, "approve", lambda: wake_all(approved()))


@require_POST
@requires("hygiene.approve_change")
def deny(request: Request, uuid: UUID) -> HttpResponse:
    """Refuse the plan, with a comment."""
    plan, comment = visible_run(request, uuid), request.POST.get("comment", "")[:2000]
    return answer(request, plan, "deny", lambda: approvals.deny(plan=plan, actor=request.user, comment=comment, now=timezone.now()))


@require_POST
@requires("hygiene.request_change")
def cancel(request: Request, uuid: UUID) -> HttpResponse:
    """Take back what of one's own plan no worker has taken up."""
    plan = visible_run(request, uuid)
    rows = Remediation.objects.filter(plan=plan)
    return answer(request, plan, "cancel", lambda: approvals.cancel(rows=rows, actor=request.user, now=timezone.now()))


@require_POST
@requires("hygiene.request_change")
def undo_run(request: Request, uuid: UUID) -> HttpResponse:
    """Enable again every key that is still as the run left it."""
    plan, now = visible_run(request, uuid), timezone.now()
    try:
        with refusals.on_record(action="plan.undo", actor=request.user, target=str(plan), now=now):
            made = runs.undo_all(plan, actor=request.user, now=now)
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except Conflict as error:
        return _show(request, plan, sentence=str(error), status=409)
    return started(request, made, now=now)


@require_POST
@requires("hygiene.request_change")
def retry(request: Request, uuid: UUID) -> HttpResponse:
    """A new plan of what failed."""
    plan = visible_run(request, uuid)
    try:
        return redirect("plan", runs.retry_failed(plan, actor=request.user, now=timezone.now()).uuid)
    except Conflict as error:
        return _show(request, plan, sentence=str(error), status=409)


def _switch(request: Request, act: Callable[..., object]) -> HttpResponse:
    try:
        act(actor=request.user, reason=request.POST.get("reason", "")[:2000], now=timezone.now())
    except Invalid as error:
        return render(request, "hygiene/switch.html", {"switch": switch.current(), "sentence": str(error)}, status=422)
    return redirect("changes-switch")


@require_safe
@requires("hygiene.view_inventory")
def changes_switch(request: Request) -> HttpResponse:
    """Whether changes may be made, with the buttons that stop them and let them go on."""
    return render(request, "hygiene/switch.html", {"switch": switch.current()})


@require_POST
@requires("hygiene.stop_changes")
def stop(request: Request) -> HttpResponse:
    """Stop all changes."""
    return _switch(request, switch.stop)


@require_POST
@requires("hygiene.resume_changes")
def resume(request: Request) -> HttpResponse:
    """Let changes go on."""
    return _switch(request, lambda **said: wake_all(switch.resume(**said)))


@require_POST
@requires("hygiene.request_change", "hygiene.approve_change")
def acknowledge(request: Request, uuid: UUID) -> HttpResponse:
    """An alert was seen."""
    alerts.acknowledge(get_object_or_404(Alert.objects.visible_to(request.user), uuid=uuid), actor=request.user, now=timezone.now())
    return redirect("queue")
