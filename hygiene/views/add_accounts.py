"""Add accounts: one form, kept as a draft of its person; the texts for AWS; a test by a worker; and the registering itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account, Partition
from accounts.registry import AlreadyRegistered, ImportRefused
from hygiene.access_tasks import wake
from hygiene.account_forms import AddAccountForm
from hygiene.models import AccessCheck, AccountDraft
from hygiene.services import access_checks, account_drafts, organization_checks, role_texts
from hygiene.tasks import start_requested_polls
from hygiene.views.access import Request, requires

FILES = {
    role_texts.CLOUDFORMATION: (role_texts.cloudformation, "application/yaml"),
    role_texts.TERRAFORM: (role_texts.terraform, "text/plain"),
}


@require_safe
@requires("accounts.manage_accounts")
def account_new(request: Request) -> HttpResponse:
    """The form as it stands. The first look makes the person's draft, since its external id is shown."""
    draft = account_drafts.draft_of(request.user, now=timezone.now())
    form = _form(draft.answers)
    if request.htmx and request.GET.get("part") == "test":
        return render(request, "hygiene/_add_test.html", _context(request, draft, form))
    return _page(request, draft, form)


@require_POST
@requires("accounts.manage_accounts")
def account_save(request: Request) -> HttpResponse:
    """Keep what was typed and show the texts for it; htmx asks for them at each change."""
    draft, form = _kept(request)
    if not request.htmx:
        return redirect("account-new")
    return render(request, "hygiene/_add_saved.html", _context(request, draft, form))


@require_POST
@requires("accounts.manage_accounts")
def account_test(request: Request) -> HttpResponse:
    """Have a worker test what the form says, or join the test under way. 422 for a form that is not right."""
    draft, form = _kept(request)
    if not form.is_valid():
        return _page(request, draft, form, status=422)
    return _under_test(*access_checks.request(form.spec(draft.external_id), actor=request.user, now=timezone.now(), draft=draft))


@require_POST
@requires("accounts.manage_accounts")
def account_add(request: Request) -> HttpResponse:
    """Register the account and poll it; an organization's accounts are listed and added by a worker."""
    draft, form = _kept(request)
    if not form.is_valid():
        return _page(request, draft, form, status=422)
    spec = form.spec(draft.external_id)
    try:
        return _discover(request, draft, spec) if form.is_organization else _register(request, draft, form, spec)
    except (AlreadyRegistered, account_drafts.CannotAdd) as error:
        form.add_error(None, str(error))
    except ImportRefused as error:
        for row in error.problems:
            form.add_error(None, f"{row.problem[:1].upper()}{row.problem[1:]}.")
    return _page(request, draft, form, status=409)


def _register(request: Request, draft: AccountDraft, form: AddAccountForm, spec: Mapping[str, Any]) -> HttpResponse:
    is_tested = _is_tested(draft, spec)
    account, polls = account_drafts.register(draft, form.columns(), actor=request.user, now=timezone.now(), is_tested=is_tested)
    transaction.on_commit(lambda: start_requested_polls.delay(polls.pk), robust=True)
    words = "" if is_tested else " No test of its roles has passed: see Access there."
    messages.success(request, f"{account.name} is added and is being polled.{words}")
    return redirect("account", account.account_id)


def _is_tested(draft: AccountDraft, spec: Mapping[str, Any]) -> bool:
    check, is_same = account_drafts.check_of(draft, spec)
    return check is not None and is_same and check.is_passed


def _discover(request: Request, draft: AccountDraft, spec: dict[str, Any]) -> HttpResponse:
    return _under_test(*account_drafts.discover(draft, spec, actor=request.user, now=timezone.now(), is_tested=_is_tested(draft, spec)))


def _under_test(check: AccessCheck, is_new: bool) -> HttpResponse:
    """To the place of the form that shows how far it is; a worker begins with a new one once it is committed."""
    if is_new:
        transaction.on_commit(lambda: wake(check), robust=True)
    return redirect(f"{reverse('account-new')}#test")


@require_POST
@requires("accounts.manage_accounts")
def account_discard(request: Request) -> HttpResponse:
    """Begin anew: the draft and its external id are gone."""
    account_drafts.discard(request.user)
    return redirect("account-new")


@require_safe
@requires("accounts.manage_accounts")
def account_template(request: Request, name: str) -> HttpResponse:
    """One of the templates to download, filled for the person's own draft. 404 for another name, and without a draft."""
    draft = AccountDraft.objects.filter(user=request.user).first()
    if name not in FILES or draft is None:
        raise Http404
    fill, kind = FILES[name]
    text = fill(_form(draft.answers).choice(draft.external_id))
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _form(answers: Mapping[str, str]) -> AddAccountForm:
    return AddAccountForm({**AddAccountForm.usual(), **answers})


def _kept(request: Request) -> tuple[AccountDraft, AddAccountForm]:
    """The person's draft with what was posted, and the form of it."""
    draft = account_drafts.draft_of(request.user, now=timezone.now())
    posted = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    account_drafts.keep(draft, _form(posted).typed(), now=timezone.now())
    return draft, _form(draft.answers)


def _page(request: Request, draft: AccountDraft, form: AddAccountForm, *, status: int = 200) -> HttpResponse:
    context = _context(request, draft, form) | {"complains": status != 200}
    return render(request, "hygiene/account_new.html", context, status=status)


def _context(request: Request, draft: AccountDraft, form: AddAccountForm) -> dict[str, Any]:
    """Texts, what would be added, and the newest test."""
    choice = form.choice(draft.external_id)
    spec = form.spec(draft.external_id) if form.is_valid() else None
    check, is_same = account_drafts.check_of(draft, spec)
    number = form.words().get("account_id", "")
    return {
        "draft": draft,
        "form": form,
        "choice": choice,
        "has_worker": bool(form.words().get("worker_arn")),
        "partition": Partition(form.words().get("partition") or choice.partition).label,
        "number": number,
        "known": Account.objects.visible_to(request.user).filter(account_id=number, removed_at__isnull=True).first() if number else None,
        "console_url": role_texts.console_url(choice.partition),
        "cloudformation": role_texts.cloudformation(choice),
        "terraform": role_texts.terraform(choice),
        "commands": role_texts.stack_set(choice) if form.is_organization else role_texts.stack(choice),
        "refusal": organization_checks.refusal(request.user) if form.is_organization else "",
        "check": check,
        "is_same": is_same,
        "is_complete": spec is not None,
    }
