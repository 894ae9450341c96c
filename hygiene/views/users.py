"""IAM users: the list, and the page of one user with both keys side by side."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from hygiene.domain.facts import PasswordState
from hygiene.domain.verdicts import Subject
from hygiene.filters import USERS
from hygiene.filters.builtin import user_views
from hygiene.models import AccessKey, Finding, Principal
from hygiene.models.base import in_scope
from hygiene.services import histories, policies, targets
from hygiene.services.exports import mfa_of
from hygiene.services.permissions import offers, with_actions
from hygiene.services.user_facts import user_facts
from hygiene.tables import UserTable
from hygiene.tables.base import sentence
from hygiene.views import lists
from hygiene.views.access import SignedIn, requires
from hygiene.views.facets import FacetKind, rule_facet

FACETS = (
    rule_facet("Finding", Subject.USER, Subject.KEY),
    FacetKind("Account", "account", values="account__account_id", names="account__name"),
    FacetKind("Owner", "owner", values="owner", fallback="account__owner_email"),
    FacetKind("Password", "password", {"yes": "Yes", "no": "None", "unknown": "Unknown"}),
    FacetKind("MFA", "mfa", {"on": "On", "off": "Off", "unknown": "Unknown"}),
)
EMPTY = {
    "action": "No user needs anything now.",
    "no-mfa": "Every console user has MFA.",
    "console": "No user has a console password.",
    "with-keys": "No user has an active key.",
}
PAGE = lists.Page("users", "Users", "user", UserTable, USERS, "hygiene/users.html", FACETS, EMPTY)
LABELS = {"action": "Needs action", "no-mfa": "Console without MFA", "console": "Console users", "with-keys": "With active keys"}


@require_safe
@requires("hygiene.view_inventory")
def user_list(request: SignedIn) -> HttpResponseBase:
    """All IAM users, or one built-in view of them. Root users have a page of their own."""
    now, policy = lists.moment()
    views = user_views(policy, now)
    current = request.GET.get("view", "") if request.GET.get("view") in views else ""
    rows = Principal.objects.visible_to(request.user).present().users()
    counts = lists.view_counts(request, "users", rows, views)
    labels = [(name, LABELS.get(name, "All users"), counts[name]) for name in (*views, "")]
    context = {
        "tabs": lists.tabs(labels, current=current),
    }
    rows = rows.filter(views[current]) if current else rows
    return lists.answer(request, PAGE, _with_keys(rows).order_by("-severity", "name", "pk"), context=context, total=counts[current])


def _with_keys(rows: QuerySet[Principal]) -> QuerySet[Principal]:
    present = with_actions(AccessKey.objects.present().order_by("created_at", "pk"))
    keys = Prefetch("access_keys", queryset=present, to_attr="present_keys")
    return rows.select_related("account__status").prefetch_related(keys)


@require_safe
@requires("hygiene.view_inventory")
def user_detail(request: SignedIn, uuid: UUID) -> HttpResponse:
    """One user: password, MFA, both keys side by side with their rotation, findings."""
    now = timezone.now()
    visible = in_scope(Principal.objects.users(), request.user).select_related("account__status")
    user = get_object_or_404(visible, uuid=uuid)
    keys = list(with_actions(AccessKey.objects.filter(principal=user)).order_by("gone_at", "-created_at", "pk"))
    limit = policies.current().for_principal(user).number("key.too_old")
    context = {
        "person": user,
        "mfa": mfa_of(user),
        "has_password": user.password_state == PasswordState.ENABLED,
        "keys": [(key, sentence(key, now=now, is_root=False, limit_days=limit), offers(key, user=request.user, now=now)) for key in keys],
        "facts": user_facts(user, getattr(user.account, "status", None)),
        "history": histories.of_user(user),
        "buttons": targets.buttons(targets.of_user(user), user=request.user, now=now),
        "findings": Finding.objects.open().filter(principal=user).select_related("key").order_by("-severity", "pk"),
        "now": now,
    }
    return render(request, "hygiene/user.html", context)
