"""Ask a key's owner by mail, and the signed-in page on which the owner answers. A link of a mail changes nothing by itself."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from hygiene.domain.wording import plural
from hygiene.models import Action, NoticeKind, OwnerNotice
from hygiene.services import campaign_answers, campaign_mail, notices, owner_questions, plans
from hygiene.services.permissions import in_scope
from hygiene.tasks import send_owner_notices
from hygiene.views.access import Request, SignedIn, requires
from hygiene.views.chosen import chosen_keys
from hygiene.views.plans import wake_all

MOST_KEYS = 500


@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
@requires("hygiene.request_change")
def owners_ask(request: Request) -> HttpResponse:
    """Who would be asked about the chosen keys, as a page or a dialog; with `ask` posted, each owner gets one mail."""
    keys = chosen_keys(request, most=MOST_KEYS)
    if request.method != "POST" or "ask" not in request.POST:
        template = "hygiene/_owners_dialog.html" if request.htmx else "hygiene/owners_ask.html"
        return render(request, template, {"asking": owner_questions.grouped(keys), "keys": keys})
    mails, asked_before = owner_questions.ask(keys, actor=request.user, now=timezone.now())
    for pks in mails:
        transaction.on_commit(partial(send_owner_notices.delay, pks), robust=True)
    before = f" {plural(asked_before, 'key')} left out: asked within the last 24 hours." if asked_before else ""
    words = f"{plural(len(mails), 'mail')} to owners, about {plural(sum(map(len, mails)), 'key')}.{before}"
    if request.htmx:
        return render(request, "hygiene/_toast.html", {"words": words})
    messages.success(request, words)
    return redirect("key", keys[0].uuid) if len(keys) == 1 else redirect("keys")


@require_http_methods(["GET", "HEAD", "POST"])
def owner_answer(request: SignedIn, uuid: UUID) -> HttpResponse:
    """The question as its owner sees it; a POST keeps the answer. For anybody else there is no such page."""
    rows = OwnerNotice.objects.filter(kind=NoticeKind.ASK, key__isnull=False).select_related("key__account", "key__principal")
    notice, error, status = get_object_or_404(rows, uuid=uuid), "", 200
    if not notices.may_answer(notice, request.user):
        raise Http404("There is no such question.")
    if request.method == "POST":
        words, note = request.POST.get("answer", ""), request.POST.get("note", "")[:2000]
        try:
            notices.answer(notice, words=words, note=note, actor=request.user, now=timezone.now())
            return _after(request, notice, words)
        except notices.BadAnswer as complaint:
            error, status = str(complaint), 422
    chosen = request.GET.get("answer") or notice.answer
    context = {"notice": notice, "key": notice.key, "answers": notices.ANSWERS.items(), "chosen": chosen, "error": error}
    return render(request, "hygiene/owner_answer.html", context, status=status)


def _after(request: SignedIn, notice: OwnerNotice, words: str) -> HttpResponse:
    """An owner who may request changes goes on from "Disable it now" to the plan of that; others leave word for those who may."""
    key, now = notice.key, timezone.now()
    if words != "disable_now" or key is None:
        return redirect("owner-answer", notice.uuid)
    if request.user.has_perm("hygiene.request_change") and in_scope(request.user, key.account):
        return redirect("plan", plans.make_plan(keys=[key], action=Action.DISABLE, actor=request.user, now=now).uuid)
    campaign_answers.ask_to_disable(key, owner=notice.owner, now=now)
    messages.success(request, "Those who look after keys are told that you ask to disable it now.")
    return redirect("owner-answer", notice.uuid)


@require_http_methods(["GET", "HEAD", "POST"])
def campaign_answer(request: SignedIn, uuid: UUID) -> HttpResponse:
    """What a campaign will do to one owner's keys, and the owner's answer. For anybody else there is no such page."""
    rows = OwnerNotice.objects.filter(plan__isnull=False).select_related("plan__created_by")
    notice, error, status = get_object_or_404(rows, uuid=uuid), "", 200
    if not notices.may_answer(notice, request.user):
        raise Http404("There is no such question.")
    chosen = request.POST.getlist("change")
    if request.method == "POST":
        said = {"words": request.POST.get("answer", ""), "note": request.POST.get("note", "")[:2000]}
        try:
            wake_all(campaign_answers.answer(notice, chosen=chosen, actor=request.user, now=timezone.now(), **said))
            return redirect("campaign-answer", notice.uuid)
        except notices.BadAnswer as complaint:
            error, status = str(complaint), 422
    context = {
        "notice": notice,
        "rows": campaign_mail.keys_of(notice),
        "is_done": notice.kind == NoticeKind.DONE,
        "answers": notices.ANSWERS.items(),
        "answer": request.GET.get("answer") or notice.answer,
        "error": error,
    }
    return render(request, "hygiene/campaign_answer.html", context, status=status)
