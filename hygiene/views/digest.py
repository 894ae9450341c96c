"""The digest: preview for me or for somebody else, send to me now, history, settings, defaults of roles, and stopping it from a mail."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit
from accounts.models import Account
from hygiene.filters.builtin import IN_A_DIGEST, look_at
from hygiene.forms import DigestDefaultForm, DigestForm
from hygiene.models import DigestDefault, DigestSubscription, SavedView
from hygiene.people import ROLES
from hygiene.services import digest_slots, digests
from hygiene.services.digest_mail import html_of, slot_words, text_of
from hygiene.services.scope import choices
from hygiene.tasks import send_digest
from hygiene.views.access import SignedIn, requires
from hygiene.views.lists import moment

FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
SEES_OTHERS = ("accounts.see_every_account", "accounts.see_audit")
MOST_RECIPIENTS = 200


@require_safe
@requires("hygiene.view_inventory")
def digest(request: SignedIn) -> HttpResponse:
    """Preview, history and settings."""
    now, policy = moment()
    reader = _reader(request)
    subscription = digests.subscription_of(reader, now=now)
    found = digests.preview(reader, week=digest_slots.period_of(subscription, now), policy=policy, now=now, look=look_at)
    may_set = request.user.has_perm("hygiene.manage_policy")
    context = {
        "digest": found,
        "text": text_of(found, subscription),
        "reader": reader,
        "recipients": _recipients(request),
        "form": _form(request, subscription) if reader == request.user else None,
        "next_slot": digest_slots.next_slot(subscription, now) if subscription.is_on else None,
        "slot": slot_words(subscription),
        "history": Paginator(digests.history(request.user), 20).get_page(request.GET.get("page")),
        "defaults": [(role, _default_form(request, role)) for role in ROLES] if may_set else [],
    }
    return render(request, "hygiene/digest.html", context)


def _reader(request: SignedIn) -> User:
    """Whose digest is looked at: one's own, or anybody's for those who see every account and the whole audit log."""
    wanted = request.GET.get("for", "")
    if not wanted or wanted == request.user.get_username():
        return request.user
    if not all(request.user.has_perm(permission) for permission in SEES_OTHERS):
        raise PermissionDenied("Only somebody with the role auditor sees the digests of others.")
    return get_object_or_404(User.objects.filter(is_active=True), username=wanted)


def _recipients(request: SignedIn) -> list[User]:
    if not all(request.user.has_perm(permission) for permission in SEES_OTHERS):
        return []
    people = User.objects.filter(digest_subscription__isnull=False, is_active=True).exclude(email="")
    return list(people.order_by("username")[:MOST_RECIPIENTS])


def _form(request: SignedIn, subscription: DigestSubscription, *, is_bound: bool = False) -> DigestForm:
    views = SavedView.objects.filter(Q(user=request.user) | Q(is_shared=True), page__in=IN_A_DIGEST).order_by("name", "pk")
    known = Account.objects.visible_to(request.user).filter(removed_at__isnull=True)
    return DigestForm(request.POST if is_bound else None, instance=subscription, scopes=choices(known), known=known, views=views)


def _default_form(request: SignedIn, role: str, *, is_bound: bool = False) -> DigestDefaultForm:
    row = DigestDefault.objects.filter(role=role).first() or DigestDefault(role=role, **digest_slots.installation_slot())
    known = Account.objects.visible_to(request.user).filter(removed_at__isnull=True)
    data, auto_id = request.POST if is_bound else None, f"id_{role}_%s"
    return DigestDefaultForm(data, instance=row, scopes=choices(known), known=known, auto_id=auto_id)


@require_safe
@xframe_options_sameorigin
@requires("hygiene.view_inventory")
def digest_frame(request: SignedIn) -> HttpResponse:
    """The HTML part alone, under a policy of its own: mails need inline styles, and nothing else."""
    now, policy = moment()
    reader = _reader(request)
    subscription = digests.subscription_of(reader, now=now)
    found = digests.preview(reader, week=digest_slots.period_of(subscription, now), policy=policy, now=now, look=look_at)
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


@require_http_methods(["GET", "HEAD", "POST"])
@requires("hygiene.view_inventory")
def digest_settings(request: SignedIn) -> HttpResponse:
    """Often, day, hour, time zone, scope, format, on or off. The form stands on the digest's page, which a GET leads to."""
    if request.method != "POST":
        return redirect("digest")
    now, _ = moment()
    form = _form(request, digests.subscription_of(request.user, now=now), is_bound=True)
    if not form.is_valid():
        return render(request, "hygiene/digest_settings.html", {"form": form}, status=422)
    with transaction.atomic():
        form.instance.is_own, form.instance.created_at = True, now  # slots that have passed are not caught up under new choices
        after = digest_slots.choices_of(form.save())
        audit.record(action="digest.settings", outcome="succeeded", now=now, actor=request.user, target=request.user.email, after=after)
    messages.success(request, "Your digest settings are saved.")
    return redirect("digest")


@require_POST
@requires("hygiene.manage_policy")
def digest_default(request: SignedIn) -> HttpResponse:
    """What the people of a role get until they choose for themselves."""
    role = request.POST.get("role", "")
    if role not in ROLES:
        raise BadRequest("There is no such role.")
    form = _default_form(request, role, is_bound=True)
    if not form.is_valid():
        return render(request, "hygiene/digest_settings.html", {"form": form, "role": role}, status=422)
    at = form.cleaned_data["at"]
    values = {name: form.cleaned_data[name] for name in digest_slots.CHOICES if name in form.cleaned_data}
    count = digest_slots.set_default(role, {**values, "hour": at.hour, "minute": at.minute}, actor=request.user, now=moment()[0])
    messages.success(request, f"The default of {role}s is saved; it holds for {count} who have not chosen for themselves.")
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
