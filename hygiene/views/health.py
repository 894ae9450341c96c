"""Health and metrics for machines. Values are computed when asked for; no state is kept between requests."""

from __future__ import annotations

import hmac
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from hygiene.celery import broker_answers
from hygiene.services import health

HEARTBEAT_LIMIT = timedelta(seconds=90)


@login_not_required
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Everything needed for work is there: database, migrations, broker, workers of all queues, beat. 503 when not."""
    parts = health.parts(now=timezone.now(), limit=HEARTBEAT_LIMIT)
    parts["broker"] = "ok" if broker_answers() else "no answer"
    is_ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ok" if is_ready else "not ready", "parts": parts}, status=200 if is_ready else 503)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for who shows the token of METRICS_TOKEN. Without that setting there are no metrics."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_right = hmac.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())
    if not settings.METRICS_TOKEN or scheme.lower() != "bearer" or not is_right:
        return HttpResponse("METRICS_TOKEN is not set, or the bearer token is not it.\n", status=403, content_type="text/plain")
    return HttpResponse(health.metrics(now=timezone.now()), content_type="text/plain; version=0.0.4; charset=utf-8")
