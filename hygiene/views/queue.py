"""The queue: what waits, what runs, what was done; one page for each change, live until AWS has confirmed it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import AuditEvent
from hygiene.forms import ReasonForm
from hygiene.models import OPEN_STATES, RUNNING_STATES, WAITING_STATES, AccessKey, Alert, ExportState, Reason, Remediation
from hygiene.services import approvals, background_exports, campaigns, refusals, remediation
from hygiene.services.permissions import offers, with_actions
from hygiene.views import exporting
from hygiene.views.access import Request, requires
from hygiene.views.plans import conflict, started

ROWS = 50
MOST_OPEN = 200
MOST_EXPORTS = 10


def _visible(request: Request) -> QuerySet[Remediation]:
    return Remediation.objects.visible_to(request.user).select_related("account", "principal", "key", "requested_by", "plan")


@require_safe
@requires("hygiene.view_inventory")
def queue(request: Request) -> HttpResponseBase:
    """Waiting, running and done, newest first; with ?format= the changes as a file."""
    rows = _visible(request)
    style = request.GET.get("format", "")
    if style in exporting.TYPES:
        return exporting.response(request, "queue", "Queue", rows.order_by("-requested_at", "-pk"), style)
    done = Paginator(rows.exclude(state__in=OPEN_STATES).order_by("-finished_at", "-pk"), ROWS)
    open_now = list(_open(rows)[: 2 * MOST_OPEN])
    jobs = list(background_exports.of(request.user)[:MOST_EXPORTS])
    context = {
        "waiting": [row for row in open_now if row.state in WAITING_STATES],
        "scheduled": list(campaigns.visible_to(request.user)[:MOST_OPEN]),
        "running": [row for row in open_now if row.state in RUNNING_STATES],
        "done": done.get_page(request.GET.get("page")),
        "for_me": list(approvals.waiting_for(request.user).select_related("created_by")[:MOST_OPEN]),
        "alerts": list(Alert.objects.visible_to(request.user).filter(acknowledged_at__isnull=True).order_by("-raised_at")[:MOST_OPEN]),
        "export_jobs": jobs,
        "exports_wait": any(job.state == ExportState.REQUESTED for job in jobs),
        "now": timezone.now(),
    }
    return render(request, "hygiene/_queue_live.html" if request.htmx else "hygiene/queue.html", context)


def _open(rows: QuerySet[Remediation]) -> QuerySet[Remediation]:
    """What runs, then what waits for a worker; what is scheduled for a day stands with its plan."""
    wanted = Q(state__in=RUNNING_STATES) | Q(state__in=WAITING_STATES, plan__run_at=None)
    return rows.filter(wanted).alias(waits=Q(state__in=WAITING_STATES)).order_by("waits", "due_at", "pk")


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
