"""The policy: the profile in force with a preview of another one, and overrides of single values. Administrators change them."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account
from hygiene.domain.policy import Scope
from hygiene.domain.profiles import PROFILES, TITLES, difference
from hygiene.domain.rules import RULES
from hygiene.models import InstallationPolicy
from hygiene.services import policies, policy_changes, rejudging
from hygiene.services.change_rules import Invalid
from hygiene.tasks import judge_account, judge_by_policy
from hygiene.views.access import SignedIn, requires

PLACES = (  # what the form offers: scope, class of users, label
    ("installation", "Everywhere"),
    ("user_class:human", "Human users: those with a console password"),
    ("user_class:machine", "Machine users: those without"),
    ("tag", "Users and accounts with a tag"),
    ("account", "One account"),
)
ADDED = "Findings follow as each account is judged again, within minutes."


@require_safe
@requires("hygiene.view_inventory")
def policy_page(request: SignedIn) -> HttpResponse:
    """The profile, the difference to the one asked for (`?profile=`), and all overrides in scope."""
    return _page(request)


def _page(request: SignedIn, *, errors: dict[str, str] | None = None) -> HttpResponse:
    book = policies.load()
    asked = request.GET.get("profile", "") if request.GET.get("profile") in PROFILES else ""
    said = request.POST if request.method == "POST" else request.GET
    rows = policy_changes.visible_overrides(request.user)
    context = {
        "book": book,
        "title": TITLES[book.profile],
        "titles": TITLES,
        "stored": InstallationPolicy.objects.select_related("set_by").order_by("pk").first(),
        "asked": asked,
        "preview": _preview(request, book, asked) if asked and asked != book.profile else None,
        "rows": [(RULES.get(row.rule), policy_changes.describe(row), row) for row in rows],
        "choices": _choices(book),
        "places": PLACES,
        "said": said,
        "errors": errors or {},
        "can_manage": request.user.has_perm("hygiene.manage_policy"),
    }
    return render(request, "hygiene/policy.html", context, status=422 if errors else 200)


def _preview(request: SignedIn, book: policies.Book, asked: str) -> dict[str, Any]:
    """The difference in words and data, and how many findings would open and close in the person's scope."""
    found, after = difference(book.profile, asked), policies.Book(asked, book.overrides)
    effect = rejudging.effect(book, after, Account.objects.visible_to(request.user), now=timezone.now())
    old, new = PROFILES[book.profile], PROFILES[asked]
    return {
        "title": TITLES[asked],
        "difference": found,
        "effect": effect,
        "dropped": [(RULES[code], old[code].standard) for code in found.dropped],
        "added": [(RULES[code], new[code].standard) for code in found.added],
        "changed": [(RULES[change.rule], ", ".join(change.words)) for change in found.changed],
    }


def _choices(book: policies.Book) -> list[tuple[str, list[tuple[str, str]]]]:
    """What can be set, by rule: name and label with the value that holds for the installation."""
    rules = book.installation.rules
    return [
        (
            rule.title,
            [
                (f"{code}:{name}", f"{policy_changes.words_of(name)}, now {_now(rules[code], name)}")
                for name in policy_changes.names_of(code)
            ],
        )
        for code, rule in sorted(RULES.items(), key=lambda pair: pair[1].title)
    ]


def _now(setting: Any, name: str) -> str:
    if name in ("is_on", "severity"):
        return policy_changes.value_words(name, int(getattr(setting, name)))
    return str(setting.numbers[name])


@require_POST
@requires("hygiene.manage_policy")
def profile_switch(request: SignedIn) -> HttpResponse:
    """Put another profile in force."""
    profile = request.POST.get("profile", "")
    try:
        is_new = policy_changes.set_profile(profile, actor=request.user, now=timezone.now(), reason=request.POST.get("reason", ""))
    except Invalid as error:
        return _page(request, errors=error.errors)
    if is_new:
        transaction.on_commit(judge_by_policy.delay, robust=True)
        messages.success(request, f"The profile {TITLES[profile]} is in force. {ADDED}")
    return redirect("policy")


@require_POST
@requires("hygiene.manage_policy")
def override_set(request: SignedIn) -> HttpResponse:
    """Set one value of one rule at one place."""
    draft, errors = _draft(request)
    if not errors:
        try:
            row = policy_changes.set_override(draft, actor=request.user, now=timezone.now())
        except Invalid as error:
            errors = error.errors
        else:
            _judge_again(row.account_id)
            messages.success(request, f"{policy_changes.describe(row)} is set. {ADDED}")
            return redirect("policy")
    return _page(request, errors=errors)


def _draft(request: SignedIn) -> tuple[policy_changes.Draft, dict[str, str]]:
    """What the form says, and a sentence where it names an account that is not there for this person."""
    said = {name: request.POST.get(name, "")[:2000].strip() for name in ("what", "place", "tag", "account", "value", "reason")}
    rule, _, name = said["what"].partition(":")
    scope, _, target = said["place"].partition(":")
    account, errors = None, {}
    if scope == Scope.ACCOUNT and said["account"]:
        number = said["account"].replace(" ", "").replace("-", "")
        account = Account.objects.visible_to(request.user).filter(account_id=number, removed_at__isnull=True).first()
        errors = {} if account else {"account": f"No account {said['account'][:40]} is registered."}
    target = said["tag"] if scope == Scope.TAG else target
    return policy_changes.Draft(scope, rule, name, said["value"], said["reason"], target, account), errors


@require_POST
@requires("hygiene.manage_policy")
def override_remove(request: SignedIn, uuid: UUID) -> HttpResponse:
    """Take an override away."""
    row = get_object_or_404(policy_changes.visible_overrides(request.user), uuid=uuid)
    words, account = policy_changes.describe(row), row.account_id
    policy_changes.remove_override(row, actor=request.user, now=timezone.now())
    _judge_again(account)
    messages.success(request, f"{words} is removed. {ADDED}")
    return redirect("policy")


def _judge_again(account_pk: int | None) -> None:
    """One account, or all of them where the value holds in more."""
    task = judge_by_policy.delay if account_pk is None else partial(judge_account.delay, account_pk)
    transaction.on_commit(task, robust=True)
