"""People: who may sign in, their roles and the accounts they see, for administrators who see every account."""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import AuditEvent
from hygiene.domain.wording import plural
from hygiene.forms import PersonForm, StandingForm
from hygiene.people import ROLES, WORDS
from hygiene.services import invitations, people, scope_grants
from hygiene.services.refused import Conflict, Invalid, NotAllowed
from hygiene.tasks import send_invitation
from hygiene.views.access import SignedIn, View, refuse, requires

EACH_PAGE = 50
EVENTS_SHOWN = 10
SEEING = ("hygiene.view_inventory", "accounts.see_own_audit")  # what every role brings
ACTING = {"operator", "approver", "administrator"}
ROLE_WORDS = {role: ", ".join(WORDS[name] for name in held if role == "viewer" or name not in SEEING) for role, held in ROLES.items()}
TOLD = {
    "person.add": "Added",
    "person.change": "Roles or accounts changed",
    "person.grant_self": "Gave a role to themselves",
    "person.deactivate": "Deactivated",
    "person.reactivate": "Reactivated",
    "person.invite": "Link to set a password",
}


def managers_only(view: View) -> View:
    """For those who may manage people; what a service refuses is answered with 403 and its sentence."""

    @requires(people.PERMISSION)
    @wraps(view)
    def guarded(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            people.require(request.user)
            return view(request, *args, **kwargs)
        except NotAllowed as error:
            refuse(request, str(error))

    return guarded


@require_safe
@managers_only
def people_list(request: SignedIn) -> HttpResponse:
    """Everybody who may sign in, or could; `q` narrows by words of names, addresses and roles."""
    words = request.GET.get("q", "").strip()[:200]
    page = Paginator(people.listed(words), EACH_PAGE).get_page(request.GET.get("page"))
    count = page.paginator.count
    context = {
        "page": page,
        "rows": [_shown(person) for person in page],
        "words": words,
        "count_words": "1 person" if count == 1 else f"{count:,} people",
    }
    return render(request, "hygiene/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def person_new(request: SignedIn) -> HttpResponse:
    """Add somebody; a link to set a password goes to them by mail. 422 says what is missing and keeps nothing."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = people.add(**form.words(), actor=request.user, now=timezone.now())
        except Invalid as error:
            form.complain(error.errors)
        else:
            if invitations.can_mail():
                _invite(request, person)
            messages.success(request, f"{person.get_username()} is added.")
            return redirect("person", person.pk)
    context = {"form": form, "role_words": ROLE_WORDS, "can_mail": invitations.can_mail(), "days": invitations.days_good()}
    return render(request, "hygiene/person_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def person_detail(request: SignedIn, pk: int) -> HttpResponse:
    """One person; a POST sets roles and scope. 422 says what is wrong and keeps nothing."""
    person = get_object_or_404(people.listed(), pk=pk)
    if request.method != "POST":
        return _page(request, person)
    form = StandingForm(request.POST)
    if form.is_valid():
        try:
            is_changed = people.change(person, **form.words(), actor=request.user, now=timezone.now())
        except Invalid as error:
            form.complain(error.errors)
        else:
            name = person.get_username()
            messages.success(request, f"Roles and accounts of {name} are saved." if is_changed else f"Nothing of {name} has changed.")
            still = person.pk != request.user.pk or people.managers().filter(pk=person.pk).exists()
            return redirect("person", person.pk) if still else redirect("settings")
    return _page(request, get_object_or_404(people.listed(), pk=pk), form=form, status=422)


@require_POST
@managers_only
def person_deactivate(request: SignedIn, pk: int) -> HttpResponse:
    """Sign the person out for good, until somebody reactivates them. 409 for the last administrator."""
    person = get_object_or_404(people.listed(), pk=pk)
    try:
        people.deactivate(person, reason=request.POST.get("reason", ""), actor=request.user, now=timezone.now())
    except Conflict as error:
        return _page(request, person, refusal=str(error), status=409)
    if person.pk == request.user.pk:
        logout(request)
        return redirect("account_login")
    messages.success(request, f"{person.get_username()} is deactivated and signed out.")
    return redirect("person", person.pk)


@require_POST
@managers_only
def person_reactivate(request: SignedIn, pk: int) -> HttpResponse:
    """Let the person sign in again."""
    person = get_object_or_404(people.listed(), pk=pk)
    people.reactivate(person, reason=request.POST.get("reason", ""), actor=request.user, now=timezone.now())
    messages.success(request, f"{person.get_username()} may sign in again.")
    return redirect("person", person.pk)


@require_POST
@managers_only
def person_invite(request: SignedIn, pk: int) -> HttpResponse:
    """Mail the person a link to set a password. 409 if nothing can be mailed."""
    person = get_object_or_404(people.listed(), pk=pk)
    try:
        _invite(request, person)
    except Conflict as error:
        return _page(request, person, mail_refusal=str(error), status=409)
    messages.success(request, f"A link to set a password is on its way to {person.email}.")
    return redirect("person", person.pk)


def _invite(request: SignedIn, person: User) -> None:
    people.invite(person, actor=request.user, now=timezone.now())
    transaction.on_commit(partial(send_invitation.delay, person.pk), robust=True)


def _shown(person: User) -> dict[str, Any]:
    """What both pages say of one of `people.listed`. No query."""
    known: Any = person
    roles = people.roles_given(person)
    others = [group.name for group in person.groups.all() if group.name not in ROLES]
    sees_all = person.is_superuser or "auditor" in roles or not known.grants
    sees = people.EVERY_ACCOUNT if sees_all else plural(known.grants, "account")
    return {
        "person": person,
        "name": person.get_full_name() or person.get_username(),
        "roles": roles,
        "others": others,
        "sees": sees if roles or others or person.is_superuser else "nothing",
        "invitation": getattr(person, "invitation", None),
        "wants_second_step": person.is_active and bool(person.is_superuser or ACTING & set(roles)),
    }


def _page(request: SignedIn, person: User, *, form: StandingForm | None = None, status: int = 200, **said: str) -> HttpResponse:
    granted = scope_grants.granted(person)
    lines = "\n".join(f"{account.account_id} {account.name}" for account in granted)
    initial = {"roles": people.roles_given(person), "sees": "some" if granted else "all", "accounts": lines}
    managers = set(people.managers().values_list("pk", flat=True)[:2])
    told = AuditEvent.objects.visible_to(request.user).filter(action__in=TOLD, target=person.get_username())
    context = {
        **said,
        "row": _shown(person),
        "person": person,
        "form": form or StandingForm(initial=initial),
        "granted": granted,
        "role_words": ROLE_WORDS,
        "may_change": people.may_change(person, request.user),
        "is_last": managers == {person.pk},
        "is_self": person.pk == request.user.pk,
        "can_mail": invitations.can_mail(),
        "days": invitations.days_good(),
        "events": [(TOLD[event.action], _difference(event), event) for event in told.order_by("-sequence")[:EVENTS_SHOWN]],
    }
    return render(request, "hygiene/person.html", context, status=status)


def _difference(event: AuditEvent) -> str:
    """What one change gave and took: "operator given, viewer taken, sees 2 accounts"."""
    old, new = (side.get("roles", []) for side in (event.before, event.after))
    words = [f"{role} given" for role in new if role not in old] + [f"{role} taken" for role in old if role not in new]
    scope = event.after.get("scope")
    if scope is not None and scope != event.before.get("scope"):
        words.append(f"sees {scope if isinstance(scope, str) else plural(len(scope), 'account')}")
    if event.action == "person.invite":
        words.append(event.outcome)
    return ", ".join(words)
