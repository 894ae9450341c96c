"""The queue: what waits, what runs, what was done, as a list; one page for each change, live until AWS has confirmed it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import AuditEvent
from hygiene.filters import CHANGES
from hygiene.filters.queue import queue_views
from hygiene.forms import ReasonForm
from hygiene.models import WAITING_STATES, AccessKey, Action, Alert, Reason, Remediation
from hygiene.services import approvals, background_exports, campaigns, refusals, remediation
from hygiene.services.permissions import offers, with_actions
from hygiene.tables import ChangeTable
from hygiene.views import lists
from hygiene.views.access import Request, requires
from hygiene.views.facets import FacetKind
from hygiene.views.plans import conflict, started

MOST_OPEN = 200
MOST_EXPORTS = 10
FACETS = (
    FacetKind("Action", "action", {action.value.replace("_", "-"): str(action.label) for action in Action}, hides_none=True),
    FacetKind(
        "State",
        "status",
        {
            "approval": "Awaiting approval",
            "waiting": "Waiting",
            "running": "Running",
            "succeeded": "Succeeded",
            "failed": "Failed",
            "refused": "Not done",
        },
        hides_none=True,
    ),
    FacetKind("Reason", "reason", {reason.value: str(reason.label) for reason in Reason}, hides_none=True),
    FacetKind("Asked by", "by", values="requested_by_name"),
    FacetKind("Account", "account", values="account__account_id", names="account__name"),
)
LABELS = {"open": "Under way", "me": "Waiting for me", "scheduled": "Scheduled", "running": "Running", "done": "Done", "": "All changes"}
EMPTY = {
    "": "Nothing waits and nothing is running.",
    "me": "Nothing waits for your decision.",
    "scheduled": "Nothing is scheduled for a later day.",
    "running": "Nothing is running.",
    "done": "No change was made yet.",
    "all": "No change was asked for yet.",
}
PAGE = lists.Page("queue", "Queue", "change", ChangeTable, CHANGES, "hygiene/queue.html", FACETS, EMPTY, is_read=False)


def _visible(request: Request) -> QuerySet[Remediation]:
    return Remediation.objects.visible_to(request.user).select_related("account", "principal", "key", "requested_by", "plan")


@require_safe
@requires("hygiene.view_inventory")
def queue(request: Request) -> HttpResponseBase:
    """What is under way, or another built-in view of all changes: what waits for me, what is scheduled, runs, is done."""
    rows, views = _visible(request), queue_views(request.user)
    current = request.GET.get("view", "") if request.GET.get("view") in (*views, "all") else "open"
    counts = lists.view_counts(request, f"queue of {request.user.pk}", rows, views)
    labels = [("" if name == "open" else name or "all", label, counts[name]) for name, label in LABELS.items()]
    context = {
        "tabs": lists.tabs(labels, current="" if current == "open" else current),
        "is_live": counts["open"] > counts["scheduled"] and current in ("open", "me", "running"),
        **_aside(request, current, counts),
    }
    total = counts["" if current == "all" else current]
    found = rows if current == "all" else rows.filter(views[current])
    return lists.answer(request, PAGE, _in_order(found, current), context=context, total=total)


def _in_order(rows: QuerySet[Remediation], view: str) -> QuerySet[Remediation]:
    """What runs before what waits, soonest first; what ended, newest first."""
    size = Remediation.objects.filter(plan=OuterRef("plan")).order_by().values("plan").annotate(count=Count("pk")).values("count")
    rows = rows.annotate(run_size=Subquery(size))
    if view in ("done", "all"):
        return rows.order_by(F("finished_at").desc(nulls_first=True), "-pk")
    return rows.alias(waits=Q(state__in=WAITING_STATES)).order_by("waits", "due_at", "pk")


def _aside(request: Request, view: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """What stands beside the list: alarms, plans to decide on, campaigns, and files. Each is read when it is drawn."""
    user = request.user
    unseen = Alert.objects.visible_to(user).filter(acknowledged_at__isnull=True)
    return {
        "alerts": unseen.order_by("-raised_at")[:MOST_OPEN],
        "for_me": approvals.waiting_for(user).select_related("created_by")[:MOST_OPEN] if counts["me"] and view in ("open", "me") else (),
        "campaigns": campaigns.visible_to(user)[:MOST_OPEN] if counts["scheduled"] and view == "scheduled" else (),
        "export_jobs": background_exports.of(user)[:MOST_EXPORTS],
    }


@require_safe
@requires("hygiene.view_inventory")
def remediation_detail(request: Request, uuid: UUID) -> HttpResponse:
    """One change with its history. For htmx `part=key` is the buttons of its key, `part=live` the part that moves."""
    row, now = get_object_or_404(_visible(request), uuid=uuid), timezone.now()
    if request.htmx and request.GET.get("part") == "key":
        return _key_cell(request, row, now)
    form = ReasonForm() if row.reason == Reason.UNDO and row.requested_by == request.user else None
    return _show(request, row, now=now, form=form)


def _show(
    request: Request, row: Remediation, *, now: datetime, form: ReasonForm | None = None, status: int = 200, sentence: str = ""
) -> HttpResponse:
    context = {
        "remediation": row,
        "events": AuditEvent.objects.filter(correlation_id=row.correlation_id).order_by("occurred_at", "pk"),
        "can_undo": remediation.is_undoable(row) and request.user.has_perm("hygiene.request_change"),
        "form": form,
        "sentence": sentence,
        "now": now,
    }
    is_part = request.htmx and request.method == "GET"
    return render(request, "hygiene/_remediation_live.html" if is_part else "hygiene/remediation.html", context, status=status)


def _key_cell(request: Request, row: Remediation, now: datetime) -> HttpResponse:
    key = with_actions(AccessKey.objects.filter(pk=row.this_key.pk)).get()
    context = {"remediation": row, "key": key, "actions": offers(key, user=request.user, now=now)}
    return render(request, "hygiene/_key_action.html" if row.is_open else "hygiene/_remediation_settled.html", context)


@require_POST
@requires("hygiene.request_change")
def undo(request: Request, uuid: UUID) -> HttpResponse:
    """Enable again what this disabled. 409 when there is nothing to undo any more."""
    row, now = get_object_or_404(_visible(request), uuid=uuid), timezone.now()
    try:
        with refusals.on_record(action="key.enable", actor=request.user, target=row.target_id, now=now, account=row.account):
            made = [remediation.undo(row, actor=request.user, now=now)]
    except remediation.NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except remediation.Conflict as error:
        if row.key is None:
            return _show(request, row, now=now, status=409, sentence=str(error))
        return conflict(request, row.key, str(error), now=now)
    return started(request, made, now=now)


@require_POST
@requires("hygiene.request_change")
def give_reason(request: Request, uuid: UUID) -> HttpResponse:
    """The reason of one's own request, afterwards."""
    row, form = get_object_or_404(_visible(request), uuid=uuid), ReasonForm(request.POST)
    try:
        remediation.explain(row, actor=request.user, now=timezone.now(), **form.words())
    except remediation.NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except remediation.Invalid as error:
        form.complain(error.errors)
        return _show(request, row, now=timezone.now(), form=form, status=422)
    return redirect("remediation", row.uuid)
