"""AWS accounts: the list, one account, pause, removal, and whether keys may be changed in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Account
from accounts.services import NotPossible, set_allows_remediation, set_details, set_polled
from hygiene.domain.states import STATE_WORDS
from hygiene.domain.wording import plural
from hygiene.filters import ACCOUNTS
from hygiene.forms import AccountForm, RemovalForm
from hygiene.models import AccessKey, Finding
from hygiene.people import roles_with
from hygiene.services import access_checks, beside_report, removals
from hygiene.services.permissions import installation_refusal, offers, with_actions
from hygiene.services.posture import reporting, state_of
from hygiene.services.told_reports import last_report
from hygiene.tables import AccountTable
from hygiene.tables.base import sentence
from hygiene.views import lists
from hygiene.views.access import SignedIn, requires
from hygiene.views.facets import FacetKind

FACETS = (
    FacetKind("Environment", "env", values="environment"),
    FacetKind("Owner", "owner", values="owner_email"),
    FacetKind("What it is", "is", {"finding": "With findings", "read-only": "Read-only", "stale-data": "Not reporting"}),
)
EMPTY = {
    "": "No account is registered yet.",
    "silent": "Every account reports.",
    "findings": "No account has an open finding.",
    "read-only": "Keys may be changed in every account.",
}
PAGE = lists.Page("accounts", "Accounts", "account", AccountTable, ACCOUNTS, "hygiene/accounts.html", FACETS, EMPTY)
POLLS_SHOWN = 20
REPORT_EVERY = timedelta(hours=4)  # AWS makes no newer credential report before that
KEYS_SHOWN = 10


@require_safe
@requires("hygiene.view_inventory")
def account_list(request: SignedIn) -> HttpResponseBase:
    """All accounts, those not reporting first."""
    now, policy = lists.moment()
    current = reporting(policy=policy, now=now, prefix="")
    views = {
        "silent": ("Not reporting", ~current & Q(pk__in=Account.objects.pollable())),
        "findings": ("With findings", Q(status__findings_open__gt=0) & current),
        "read-only": ("Read-only", Q(allows_remediation=False) | Q(act_role_arn="")),
    }
    rows = Account.objects.visible_to(request.user).filter(removed_at__isnull=True)
    counts = lists.view_counts(request, "accounts", rows, {name: q for name, (_, q) in views.items()})
    view = request.GET.get("view", "") if request.GET.get("view") in views else ""
    labels = [(name, label, counts[name]) for name, (label, _) in views.items()]
    context = {"tabs": lists.tabs([*labels, ("", "All accounts", counts[""])], current=view)}
    rows = rows.filter(views[view][1]) if view else rows
    found = rows.select_related("status").order_by("name", "pk")
    return lists.answer(request, PAGE, found, context=context, total=counts[view])


@require_safe
@requires("hygiene.view_inventory")
def account_detail(request: SignedIn, account_id: str) -> HttpResponse:
    """Numbers, worst keys, poll history, and how the account is reached."""
    now, policy = lists.moment()
    account = get_object_or_404(Account.objects.visible_to(request.user).select_related("status"), account_id=account_id)
    status = getattr(account, "status", None)
    state = state_of(status, account, policy=policy, now=now)
    worst = with_actions(AccessKey.objects.present().filter(account=account)).order_by("-severity", "created_at", "pk")[:KEYS_SHOWN]
    by_rule = Finding.objects.failing().filter(account=account).values("rule").annotate(count=Count("pk"), worst=Max("severity"))
    polls = list(account.polls.order_by("-queued_at", "-pk")[:POLLS_SHOWN])
    context = {
        "account": account,
        "status": status,
        "state": state,
        "state_words": STATE_WORDS[state],
        "keys": [(key, sentence(key, now=now, is_root=key.principal.is_root), offers(key, user=request.user, now=now)) for key in worst],
        "by_rule": by_rule.order_by("-worst", "rule"),
        "report": last_report(account, status, polls),
        "next_report_at": status.report_generated_at + REPORT_EVERY if status and status.report_generated_at else None,
        "facts": beside_report.account_facts(status),
        "missing": beside_report.missing_permissions(status),
        "polls": polls,
        "now": now,
    }
    return render(request, "hygiene/account.html", context | _managing(request, account))


def _managing(request: SignedIn, account: Account) -> dict[str, Any]:
    """How the account is reached, and what the forms of administrators need."""
    return {
        "details_form": AccountForm(initial=details_of(account)),
        "can_manage": account.removed_at is None and request.user.has_perm("accounts.manage_accounts"),
        "manage_roles": roles_with("accounts.manage_accounts"),
        "poll_roles": roles_with("hygiene.poll_now"),
        "check": access_checks.newest(account=account),
        "installation_refusal": installation_refusal(),
    }


@require_POST
@requires("accounts.manage_accounts")
def account_pause(request: SignedIn, account_id: str) -> HttpResponse:
    """Pause polling, or take it up again, as `is_polled` says."""
    account = get_object_or_404(Account.objects.visible_to(request.user), account_id=account_id)
    is_polled = request.POST.get("is_polled") == "1"
    set_polled(account, is_polled=is_polled, actor=request.user, now=lists.moment()[0])
    messages.success(request, f"{account.name} is polled again." if is_polled else f"{account.name} is paused: it is not polled any more.")
    return redirect("account", account.account_id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("accounts.manage_accounts")
def account_remove(request: SignedIn, account_id: str) -> HttpResponse:
    """Say what a removal does; do it once the end of the account's number is typed."""
    account = get_object_or_404(Account.objects.visible_to(request.user).filter(removed_at__isnull=True), account_id=account_id)
    form = RemovalForm(request.POST if request.method == "POST" else None, account_id=account.account_id)
    if form.is_valid():
        try:
            ended = removals.remove(account, actor=request.user, note=form.cleaned_data["reason"], now=lists.moment()[0])
        except NotPossible as error:
            raise Http404(str(error)) from error
        done = f" {plural(ended, 'waiting change')} cancelled." if ended else ""
        messages.success(request, f"{account.name} is removed. Its history is kept.{done}")
        return redirect("accounts")
    context = {"account": account, "form": form, "waiting": removals.waiting(account).count()}
    return render(request, "hygiene/account_remove.html", context, status=422 if form.errors else 200)


@require_POST
@requires("accounts.manage_accounts")
def account_remediation(request: SignedIn, account_id: str) -> HttpResponse:
    """Allow or forbid changes to keys in the account, as `allows` says."""
    account = get_object_or_404(Account.objects.visible_to(request.user), account_id=account_id)
    allows = request.POST.get("allows") == "1"
    try:
        set_allows_remediation(account, allows=allows, actor=request.user, now=lists.moment()[0])
    except NotPossible as error:
        raise PermissionDenied(str(error)) from error
    messages.success(request, f"Keys of {account.name} may be changed here." if allows else f"{account.name} is read-only here.")
    return redirect("account", account.account_id)


def details_of(account: Account) -> dict[str, str]:
    """Owner, environment and tags as `AccountForm` shows them."""
    tags = "\n".join(f"{name}={value}" for name, value in account.tags.items())
    return {"owner_email": account.owner_email, "environment": account.environment, "tags": tags}


@require_POST
@requires("accounts.manage_accounts")
def account_details(request: SignedIn, account_id: str) -> HttpResponse:
    """Change who owns the account, what it is for, and its tags."""
    account = get_object_or_404(Account.objects.visible_to(request.user), account_id=account_id)
    form = AccountForm(request.POST)
    if not form.is_valid():
        return render(request, "hygiene/account_details.html", {"account": account, "form": form}, status=422)
    set_details(account, **form.cleaned_data, actor=request.user, now=lists.moment()[0])
    messages.success(request, f"Owner and tags of {account.name} are saved. Owners of its users follow with the next poll.")
    return redirect("account", account.account_id)
