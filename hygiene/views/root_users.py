"""Root users: one row for each account, and a numbered guide fitted to one account."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account
from hygiene.domain.verdicts import Subject
from hygiene.filters import ACCOUNTS
from hygiene.models import AccessKey, Finding, PollOutcome, Principal
from hygiene.services import histories, root_inspection, targets
from hygiene.services.posture import state_of
from hygiene.services.roots import root_facts, with_central_root
from hygiene.tables import RootTable
from hygiene.tables.base import sentence
from hygiene.tasks import inspect_root
from hygiene.views import lists
from hygiene.views.access import SignedIn, requires
from hygiene.views.facets import FacetKind, rule_facet

FACETS = (
    rule_facet("Finding", Subject.ROOT),
    FacetKind("Environment", "env", values="environment"),
)
EMPTY = {
    "key": "No account that reports has a root key.",
    "no-mfa": "Every root user that can sign in has MFA.",
    "unknown": "Every root user was read.",
}
PAGE = lists.Page("accounts", "Root users", "account", RootTable, ACCOUNTS, "hygiene/root_users.html", FACETS, EMPTY)


def _with_roots(accounts: QuerySet[Account]) -> QuerySet[Account]:
    roots = Prefetch("principals", queryset=Principal.objects.present().filter(is_root=True), to_attr="roots")
    keys = AccessKey.objects.present().filter(principal__is_root=True).select_related("principal").order_by("created_at", "pk")
    return accounts.select_related("status").prefetch_related(roots, Prefetch("access_keys", queryset=keys, to_attr="root_keys"))


@require_safe
@requires("hygiene.view_inventory")
def root_user_list(request: SignedIn) -> HttpResponseBase:
    """One row for each account, those with a root key first."""
    rows = Account.objects.visible_to(request.user).filter(removed_at__isnull=True)
    failing = Finding.objects.failing()
    has_key = Q(pk__in=failing.filter(rule="root.key_present").values("account"))
    lost = Q(status__last_outcome=PollOutcome.ACCESS_LOST)
    views = {
        "key": ("Root key", has_key),
        "no-mfa": ("Without MFA", Q(pk__in=failing.filter(rule="root.no_mfa").values("account"))),
        "unknown": ("Not known", Q(status__isnull=True) | Q(status__summary_observed_at__isnull=True) | lost),
    }
    counts = lists.view_counts(request, "root-users", rows, {name: q for name, (_, q) in views.items()})
    current = request.GET.get("view", "") if request.GET.get("view") in views else ""
    labels = [(name, label, counts[name]) for name, (label, _) in views.items()]
    context = {"tabs": lists.tabs([*labels, ("", "All accounts", counts[""])], current=current)}
    rows = rows.filter(views[current][1]) if current else rows
    ordered = rows.annotate(has_root_key=Exists(failing.filter(rule="root.key_present", account=OuterRef("pk")))).order_by(
        "-has_root_key", "name", "pk"
    )
    return lists.answer(request, PAGE, with_central_root(_with_roots(ordered)), context=context, total=counts[current])


@require_safe
@requires("hygiene.view_inventory")
def root_user_detail(request: SignedIn, account_id: str) -> HttpResponse:
    """The root user of one account and the steps to take, in order."""
    now, policy = lists.moment()
    account = get_object_or_404(_with_roots(Account.objects.visible_to(request.user)), account_id=account_id)
    status, keys = getattr(account, "status", None), account.root_keys  # type: ignore[attr-defined]  # prefetched
    root = account.roots[0] if account.roots else None  # type: ignore[attr-defined]  # prefetched
    look = root_inspection.newest(account)
    left = targets.of_root(root, look) if root else []
    context = {
        "account": account,
        "status": status,
        "state": state_of(status, account, policy=policy, now=now),
        "root": root,
        "facts": root_facts(account, status, root, keys),
        "keys": [(key, sentence(key, now=now, is_root=True)) for key in keys],
        "findings": Finding.objects.open().filter(account=account, rule__startswith="root.").order_by("-severity", "pk"),
        "inspection": look,
        "inspection_refusal": root_inspection.why_not(account),
        "buttons": targets.buttons(left, user=request.user, now=now),
        "history": histories.of_user(root) if root else [],
        "is_all_there": root is None or targets.is_all_there(root, look, left),
        "now": now,
    }
    is_part = getattr(request, "htmx", False) and request.GET.get("part") == "inspection"
    return render(request, "hygiene/_root_inspection.html" if is_part else "hygiene/root_user.html", context)


@require_POST
@requires("hygiene.poll_now")
def root_inspect(request: SignedIn, account_id: str) -> HttpResponse:
    """Have a worker look at root's credentials, or join the look under way. 409 where central root access cannot reach."""
    account = get_object_or_404(Account.objects.visible_to(request.user).select_related("status"), account_id=account_id)
    try:
        look, is_new = root_inspection.request(account, actor=request.user, now=timezone.now())
    except root_inspection.CannotInspect as error:
        return HttpResponse(str(error), status=409, content_type="text/plain")
    if is_new:
        transaction.on_commit(lambda: inspect_root.delay(look.pk), robust=True)
    return redirect("root-user", account.account_id)
