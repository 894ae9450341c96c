"""Access keys: the list, and the page of one key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_safe

from hygiene.domain.policy import DELETE_WAIT_DAYS
from hygiene.domain.query import parse_query
from hygiene.domain.verdicts import Subject
from hygiene.filters import KEYS, Scene, keys_of, narrow
from hygiene.filters.builtin import key_views
from hygiene.models import AccessKey, Finding, FindingOutcome
from hygiene.models.base import in_scope
from hygiene.models.orderings import worst_first
from hygiene.services import advice, histories, policies
from hygiene.services.exports import with_exempt_until
from hygiene.services.notices import asked_of, owner_of, with_answers
from hygiene.services.permissions import offers, with_actions
from hygiene.services.usage_evidence import with_looks
from hygiene.services.user_facts import user_facts
from hygiene.tables import KeyTable
from hygiene.tables.base import sentence
from hygiene.views import lists
from hygiene.views.access import SignedIn, requires
from hygiene.views.facets import FacetKind, rule_facet

FACETS = (
    rule_facet("Finding", Subject.KEY, Subject.ROOT),
    FacetKind("Account", "account", values="account__account_id", names="account__name"),
    FacetKind("Owner", "owner", values="principal__owner", fallback="account__owner_email"),
    FacetKind("Status", "status", {"active": "Active", "disabled": "Disabled"}),
    FacetKind(
        "Age", "age", {"<=90": "Up to 90 days", ">90": "Over 90 days", ">365": "Over 1 year", ">730": "Over 2 years"}, is_single=True
    ),
    FacetKind(
        "Last used",
        "last-used",
        {
            "never": "Never",
            "not-yet": "Not yet",
            "nodata": "No data",
            "<90": "Within 90 days",
            ">90": "Over 90 days ago",
            ">365": "Over 1 year ago",
        },
        is_single=True,
    ),
)
EMPTY = {
    "action": "No key needs anything now.",
    "never-used": "No active key is without use.",
    "unused": "No keys are unused for 90+ days.",
    "over-age": "No active key is over the maximum age.",
    "ready": "No disabled key has waited long enough to be deleted.",
    "root": "No account has a root key.",
    "no-owner": "Every key has an owner.",
}
PAGE = lists.Page("keys", "Access keys", "key", KeyTable, KEYS, "hygiene/keys.html", FACETS, EMPTY)


LABELS = {
    "action": "Needs action",
    "never-used": "Never used",
    "unused": "Unused 90+ days",
    "over-age": "Over maximum age",
    "ready": "Ready to delete",
    "root": "Root",
    "no-owner": "No owner",
}


@dataclass(frozen=True, slots=True)
class Extent:
    """How many rows a query has, and how far "all that match" goes: what a plan of it would hold now."""

    rows: int
    keys: int
    accounts: int


def _extent(request: SignedIn, view: str) -> Extent:
    """The extent of the page's query: one query, kept for a short while."""
    text, of_users = request.GET.get("q", ""), Q(principal__is_root=False)

    def count() -> Extent:
        found = _selected(request, text=text, view=view).order_by()
        keys, accounts = Count("pk", filter=of_users), Count("account", filter=of_users, distinct=True)
        return Extent(**found.aggregate(rows=Count("pk"), keys=keys, accounts=accounts))

    return lists.counts(request).of(("keys", "extent", view, text, request.user.pk), count)


@require_safe
@requires("hygiene.view_inventory")
def key_list(request: SignedIn) -> HttpResponseBase:
    """All keys, or one built-in view of them."""
    now, policy = lists.moment()
    views = key_views(policy, now)
    current = request.GET.get("view", "") if request.GET.get("view") in views else ""
    visible = AccessKey.objects.visible_to(request.user)
    rows = visible if "status:deleted" in request.GET.get("q", "") else visible.present()
    counts = lists.view_counts(request, "keys", visible.present(), views)
    labels = [(name, LABELS.get(name, "All keys"), counts[name]) for name in (*views, "")]
    extent = SimpleLazyObject(partial(_extent, request, current))
    context = {
        "tabs": lists.tabs(labels, current=current),
        "needs": current == "action",
        "extent": extent,
        "may_select": request.user.has_perm("hygiene.request_change") or request.user.has_perm("hygiene.accept_risk"),
    }
    rows = rows.filter(views[current]) if current else rows
    found = with_exempt_until(with_actions(rows.order_by(*worst_first())))
    counted = (lambda: extent.rows) if context["may_select"] else None
    return lists.answer(request, PAGE, found, context=context, total=counts[current], counted=counted)


def matching(request: SignedIn, *, text: str, view: str) -> QuerySet[AccessKey]:
    """The person's keys that a filter line and a built-in view select now; root keys are never in bulk, so they are left out."""
    return _selected(request, text=text, view=view).filter(principal__is_root=False)


def _selected(request: SignedIn, *, text: str, view: str) -> QuerySet[AccessKey]:
    now, policy = lists.moment()
    views = key_views(policy, now)
    visible = AccessKey.objects.visible_to(request.user)
    rows = visible if "status:deleted" in text else visible.present()
    found, _ = narrow(rows, parse_query(text, keys=keys_of(KEYS)), KEYS, Scene(now, policy, request.user))
    return found.filter(views[view]) if view in views else found


def _open_findings() -> QuerySet[Finding]:
    return Finding.objects.open().order_by("-severity", "pk")


def _with_those_of_root(key: AccessKey) -> list[Finding]:
    """The key's open findings; of a root key also those of the root user, which is what the rules judge, and its severity by them."""
    of_key = list(key.findings.all())
    if not key.principal.is_root:
        return of_key
    of_root = list(_open_findings().filter(principal=key.principal_id, rule__startswith="root."))
    key.severity = max([key.severity, *(finding.severity for finding in of_root if finding.outcome == FindingOutcome.FAIL)])
    return [*of_root, *of_key]


@require_safe
@requires("hygiene.view_inventory")
def key_detail(request: SignedIn, uuid: UUID) -> HttpResponse:
    """One key: lifecycle, what happens if it is disabled, timeline, facts and findings."""
    now, policy = lists.moment()
    visible = with_answers(with_looks(with_actions(in_scope(AccessKey.objects.all(), request.user))))
    key = get_object_or_404(visible.prefetch_related(Prefetch("findings", queryset=_open_findings())), uuid=uuid)
    siblings = list(AccessKey.objects.filter(principal=key.principal_id).exclude(pk=key.pk).select_related("principal"))
    trail = advice.trail_panel(key, now=now)
    limit = policies.current().for_key(key).number("key.too_old")
    context = {
        "key": key,
        "root_findings": _with_those_of_root(key),
        "sentence": sentence(key, now=now, is_root=key.principal.is_root, limit_days=limit),
        "actions": offers(key, user=request.user, now=now),
        "advice": advice.for_disabling(key, usage=trail["usage"], policy=policy, now=now, asked=asked_of(key)),
        "evidence": advice.evidence(key, [other for other in siblings if other.gone_at is None], now=now),
        "asked": asked_of(key),
        "owner_address": owner_of(key),
        "facts": [] if key.principal.is_root else user_facts(key.principal, getattr(key.account, "status", None)),
        "history": histories.of_key(key),
        "lifecycle": advice.lifecycle(key, now=now),
        "rotation": advice.rotation(key, siblings, limit_days=limit, now=now),
        "wait_days": DELETE_WAIT_DAYS,
        "now": now,
    }
    return render(request, "hygiene/key.html", context | trail)
