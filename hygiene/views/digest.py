"""The digest: preview for me, send to me now, history, settings, and stopping it by the link of a mail."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit
from hygiene.forms import DigestForm
from hygiene.models import DigestSubscription
from hygiene.services import digests
from hygiene.services.digest_mail import html_of, text_of
from hygiene.tasks import send_digest
from hygiene.views.access import SignedIn, requires
from hygiene.views.lists import moment

STORED = ("is_on", "send_when_unchanged", "weekday", "hour", "minute", "time_zone")
FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


@require_safe
@requires("hygiene.view_inventory")
def digest(request: SignedIn) -> HttpResponse:
    """Preview, history and settings."""
    now, policy = moment()
    subscription = digests.subscription_of(request.user, now=now)
    found = digests.preview(request.user, week=digests.week_of(now), policy=policy, now=now)
    context = {
        "digest": found,
        "text": text_of(found, subscription),
        "form": DigestForm(instance=subscription),
        "next_slot": digests.slot_of(subscription, now),
        "history": Paginator(digests.history(request.user), 20).get_page(request.GET.get("page")),
    }
    return render(request, "hygiene/digest.html", context)


@require_safe
@xframe_options_sameorigin
@requires("hygiene.view_inventory")
def digest_frame(request: SignedIn) -> HttpResponse:
    """The HTML part alone, under a policy of its own: mails need inline styles, and nothing else."""
    now, policy = moment()
    subscription = digests.subscription_of(request.user, now=now)
    found = digests.preview(request.user, week=digests.week_of(now), policy=policy, now=now)
    return HttpResponse(html_of(found, subscription), headers={"Content-Security-Policy": FRAME_POLICY})


@require_POST
@requires("hygiene.view_inventory")
def digest_send(request: SignedIn) -> HttpResponse:
    """Send me one now; a worker sends it."""
    try:
        with transaction.atomic():
            delivery = digests.claim_now(request.user, now=moment()[0])
            transaction.on_commit(lambda: send_digest.delay(delivery.pk), robust=True)
    except digests.NotSent as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"A digest is on its way to {delivery.address}. The history below shows what became of it.")
    return redirect("digest")


@require_POST
@requires("hygiene.view_inventory")
def digest_settings(request: SignedIn) -> HttpResponse:
    """Day, hour, time zone, on or off."""
    now, _ = moment()
    form = DigestForm(request.POST, instance=digests.subscription_of(request.user, now=now))
    if not form.is_valid():
        return render(request, "hygiene/digest_settings.html", {"form": form}, status=422)
    with transaction.atomic():
        stored = form.save()
        after = {name: getattr(stored, name) for name in STORED}
        audit.record(action="digest.settings", outcome="succeeded", now=now, actor=request.user, target=request.user.email, after=after)
    messages.success(request, "Your digest settings are saved.")
    return redirect("digest")


@login_not_required
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def digest_unsubscribe(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Stop by the link of a mail (RFC 8058): a GET only asks, a POST stops. The random link is what authorizes."""
    subscription = get_object_or_404(DigestSubscription.objects.select_related("user"), uuid=uuid)
    if request.method == "POST":
        digests.unsubscribe(subscription, now=moment()[0])
    return render(request, "hygiene/digest_unsubscribe.html", {"subscription": subscription, "is_done": not subscription.is_on})
