"""The way to one account: the test of its roles, line by line, and the role that changes use."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account
from accounts.services import NotPossible, set_act_role
from hygiene.access_tasks import wake
from hygiene.models import AccessCheck
from hygiene.people import roles_with
from hygiene.services import access_checks
from hygiene.views.access import Request, SignedIn, requires


@require_safe
@requires("hygiene.view_inventory")
def account_access(request: Request, account_id: str) -> HttpResponse:
    """How far the newest test is; replaces itself until it is finished. Without htmx: the account's page."""
    account = get_object_or_404(Account.objects.visible_to(request.user), account_id=account_id)
    if not request.htmx:
        return redirect("account", account.account_id)
    return _show(request, account, access_checks.newest(account=account))


@require_POST
@requires("hygiene.poll_now")
def account_check(request: Request, account_id: str) -> HttpResponse:
    """Have workers test the account's roles, or join the test under way."""
    account = get_object_or_404(Account.objects.visible_to(request.user), account_id=account_id)
    spec = access_checks.spec_of(account)
    check, is_new = access_checks.request(spec, actor=request.user, now=timezone.now(), account=account)
    if is_new:
        transaction.on_commit(lambda: wake(check), robust=True)
    if request.htmx:
        return _show(request, account, check)
    return redirect("account", account.account_id)


@require_POST
@requires("accounts.manage_accounts")
def account_act_role(request: SignedIn, account_id: str) -> HttpResponse:
    """Set the role that changes use, or clear it. 422 for what is no role of the account."""
    account = get_object_or_404(Account.objects.visible_to(request.user), account_id=account_id)
    arn = request.POST.get("act_role_arn", "").strip()[:2048]
    try:
        set_act_role(account, arn=arn, actor=request.user, now=timezone.now())
    except NotPossible as error:
        context = {"account": account, "error": str(error), "typed": arn}
        return render(request, "hygiene/account_act_role.html", context, status=422)
    words = "has an act role. Check the access, then allow changes." if arn else "has no act role any more: it is read-only here."
    messages.success(request, f"{account.name} {words}")
    return redirect("account", account.account_id)


def _show(request: Request, account: Account, check: AccessCheck | None) -> HttpResponse:
    context = {"account": account, "check": check, "poll_roles": roles_with("hygiene.poll_now")}
    return render(request, "hygiene/_access_check.html", context)
