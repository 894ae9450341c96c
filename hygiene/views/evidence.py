"""Look into CloudTrail for one key: the button, and the panel that shows how far the look is and what it found."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from hygiene.models import AccessKey
from hygiene.services import advice, usage_evidence
from hygiene.tasks import look_into_trail
from hygiene.views.access import Request, requires


def _key(request: Request, uuid: UUID) -> AccessKey:
    keys = AccessKey.objects.visible_to(request.user).select_related("account__status", "principal")
    return get_object_or_404(usage_evidence.with_looks(keys), uuid=uuid)


@require_POST
@requires("hygiene.poll_now", "hygiene.request_change")
def evidence_new(request: Request, uuid: UUID) -> HttpResponse:
    """Ask for a look, or join the one under way. 409 for a key that CloudTrail cannot be asked about."""
    key = _key(request, uuid)
    try:
        look, is_new = usage_evidence.request(key, actor=request.user, now=timezone.now())
    except usage_evidence.CannotLook as error:
        return HttpResponse(str(error), status=409, content_type="text/plain")
    if is_new:
        transaction.on_commit(lambda: look_into_trail.delay(look.pk), robust=True)
    return _show(request, _key(request, uuid)) if request.htmx else redirect("key-evidence", key.uuid)


@require_safe
@requires("hygiene.view_inventory")
def key_evidence(request: Request, uuid: UUID) -> HttpResponse:
    """What was found; replaces itself until the look is finished."""
    return _show(request, _key(request, uuid))


def _show(request: Request, key: AccessKey) -> HttpResponse:
    context = advice.trail_panel(key, now=timezone.now())
    return render(request, "hygiene/_evidence_trail.html" if request.htmx else "hygiene/evidence.html", context)
