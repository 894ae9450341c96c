"""Exemptions: the list, one of them, and making, extending and withdrawing them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh
from kombu.exceptions import OperationalError as BrokerError

from accounts.models import Account
from hygiene.domain.wording import day, plural
from hygiene.filters import EXEMPTIONS
from hygiene.forms import ExemptionForm, ExtensionForm, WithdrawalForm
from hygiene.models import AccessKey, Exemption, ExemptionScope, Finding, FindingOutcome, Principal
from hygiene.people import roles_with
from hygiene.services import exemption_ends, exemptions
from hygiene.services.exemptions import ENDING, Cover, NotAccepted, Terms, cover_of, rule_titles
from hygiene.tables import ExemptionTable
from hygiene.tasks import judge_exemptions
from hygiene.views import lists
from hygiene.views.access import Request, SignedIn, requires
from hygiene.views.chosen import chosen_keys
from hygiene.views.facets import FacetKind

FACETS = (
    FacetKind("Covers", "scope", {scope.value: scope.value.capitalize() for scope in ExemptionScope}),
    FacetKind("Accepted by", "by", values="accepted_by"),
)
EMPTY = {
    "": "Nothing is exempt now.",
    "live": "Nothing is exempt now.",
    "ending": "No exemption ends within 14 days.",
    "ended": "No exemption has ended yet.",
    "all": "There was no exemption yet.",
}
PAGE = lists.Page(
    "exemptions", "Exemptions", "exemption", ExemptionTable, EXEMPTIONS, "hygiene/exemptions.html", FACETS, EMPTY, is_read=False
)
MOST_SHOWN = 50
MOST_COVERS = 500
LABELS = {"live": "Live", "ending": "Ending in 14 days", "ended": "Ended"}


def conditions(now: datetime) -> dict[str, Q]:
    """The built-in views."""
    live = Q(ended_at__isnull=True)
    return {"live": live, "ending": live & Q(ends_at__lte=now + ENDING), "ended": ~live}


@require_safe
@requires("hygiene.view_inventory")
def exemption_list(request: SignedIn) -> HttpResponseBase:
    """Live ones, those that end soonest first; or those that ended."""
    now = timezone.now()
    views = conditions(now)
    current = request.GET.get("view", "") if request.GET.get("view") in (*views, "all") else "live"
    visible = Exemption.objects.visible_to(request.user)
    counts = visible.aggregate(all=Count("pk"), **{name: Count("pk", filter=q) for name, q in views.items()})
    labels = [(name, LABELS[name], counts[name]) for name in views]
    context = {
        "tabs": lists.tabs([*labels, ("all", "All", counts["all"])], current=current),
        "can_accept": request.user.has_perm("hygiene.accept_risk"),
        "accept_roles": roles_with("hygiene.accept_risk"),
    }
    rows = visible if current == "all" else visible.filter(views[current])
    return lists.answer(request, PAGE, _with_counts(rows).order_by("ended_at", "ends_at", "pk"), context=context)


def _with_counts(rows: QuerySet[Exemption]) -> QuerySet[Exemption]:
    covered = Count("findings", filter=Q(findings__resolved_at__isnull=True, findings__outcome=FindingOutcome.EXEMPT))
    return rows.select_related("account", "principal", "key").annotate(covered=covered)


@require_safe
@requires("hygiene.view_inventory")
def exemption_detail(request: SignedIn, uuid: UUID) -> HttpResponse:
    """One exemption: what it covers now, why, until when; extend and withdraw."""
    return _detail(request, _visible(request, uuid))


def _visible(request: SignedIn, uuid: UUID) -> Exemption:
    return get_object_or_404(_with_counts(Exemption.objects.visible_to(request.user)), uuid=uuid)


def _detail(
    request: SignedIn, row: Exemption, *, extension: ExtensionForm | None = None, withdrawal: WithdrawalForm | None = None
) -> HttpResponse:
    covered = Finding.objects.visible_to(request.user).open().filter(exemption=row, outcome=FindingOutcome.EXEMPT)
    context = {
        "exemption": row,
        "words": cover_of(row).words,
        "rules": rule_titles(row.rules),
        "covered": covered.select_related("account", "principal", "key").order_by("-severity", "pk")[:MOST_SHOWN],
        "covered_count": covered.count(),
        "extension": extension or ExtensionForm(auto_id="extend_%s", initial={"ends_on": _in_days(exemptions.DEFAULT_DAYS)}),
        "withdrawal": withdrawal or WithdrawalForm(auto_id="withdraw_%s"),
        "can_accept": request.user.has_perm("hygiene.accept_risk"),
        "accept_roles": roles_with("hygiene.accept_risk"),
        "remind_at": _remind_at(row),
        "now": timezone.now(),
    }
    return render(request, "hygiene/exemption.html", context, status=422 if extension or withdrawal else 200)


def _remind_at(row: Exemption) -> datetime:
    """From when a reminder is due, as `exemption_ends.due_reminders` sends it: 14 days before the end, or half of a shorter time."""
    return row.ends_at - min(ENDING, max(timedelta(days=1), (row.ends_at - row.created_at) / 2))


@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
@requires("hygiene.accept_risk")
def exemption_new(request: Request) -> HttpResponse:
    """The form for what was chosen, by a link or by a posted selection; with `save` it makes the exemptions."""
    covers = _chosen(request)
    is_saving = request.method == "POST" and "save" in request.POST
    initial = {
        "rules": exemptions.failing_rules(covers),
        "ends_on": _in_days(exemptions.DEFAULT_DAYS),
        "accepted_by": request.user.email or request.user.get_username(),
    }
    form = ExemptionForm(request.POST if is_saving else None, initial=initial, codes=exemptions.applicable_rules(covers))
    if is_saving and form.is_valid():
        try:
            made = exemptions.make(covers, Terms(**form.terms()), actor=request.user, now=timezone.now())
        except NotAccepted as error:
            form.complain(error.errors)
        else:
            return _made(request, made)
    context = {"covers": covers, "form": form, "longest": exemptions.longest_days(), "failing": initial["rules"], **_words(covers)}
    template = "hygiene/_exemption_dialog.html" if request.htmx else "hygiene/exemption_new.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _words(covers: list[Cover]) -> dict[str, str]:
    """The heading and the button that confirms: verb and count."""
    nouns = {cover.scope.value for cover in covers}
    confirm = f"Exempt {plural(len(covers), nouns.pop() if len(nouns) == 1 else 'item')}"
    return {"heading": f"Exempt {covers[0].words}" if len(covers) == 1 else confirm, "confirm": confirm}


def _made(request: Request, made: list[Exemption]) -> HttpResponse:
    judge(made)
    words = "The exemption holds" if len(made) == 1 else f"{len(made)} exemptions hold"
    messages.success(request, f"{words} until {day(timezone.localtime(made[0].ends_at))}. What it covers is counted apart from now on.")
    if request.htmx:
        return HttpResponseClientRefresh()  # the page behind the dialog shows other rows now
    return redirect("exemption", made[0].uuid) if len(made) == 1 else redirect("exemptions")


def _chosen(request: SignedIn) -> list[Cover]:
    """What the request names: keys, users, an account, or a tag. Http404 for anything that is not there for this person."""
    asked = request.POST if request.method == "POST" else request.GET
    user = request.user
    if asked.get("tag", "").strip():
        return [Cover(tag=asked["tag"].strip()[:400])]
    if "account" in asked:
        accounts = Account.objects.visible_to(user).filter(removed_at__isnull=True)
        return [Cover(account=get_object_or_404(accounts, account_id=asked["account"]))]
    if asked.get("all") == "1":
        return [Cover(key=key) for key in chosen_keys(request, most=MOST_COVERS)]
    keys, users = _uuids(asked.getlist("key")), _uuids(asked.getlist("user"))
    found_keys = AccessKey.objects.visible_to(user).present().filter(uuid__in=keys).select_related("account", "principal__account")
    found_users = Principal.objects.visible_to(user).present().filter(uuid__in=users).select_related("account")
    covers = [Cover(key=key) for key in found_keys.order_by("pk")] + [Cover(principal=row) for row in found_users.order_by("pk")]
    if not covers or len(covers) != len(set(keys)) + len(set(users)):
        raise Http404("Something of what was chosen is not there.")
    return covers


def _uuids(words: list[str]) -> list[UUID]:
    try:
        return [UUID(word) for word in words]
    except ValueError as error:
        raise Http404("That is not the name of a key or user.") from error


def _in_days(days: int) -> datetime:
    return timezone.localtime() + timedelta(days=days)


@require_POST
@requires("hygiene.accept_risk")
def exemption_extend(request: SignedIn, uuid: UUID) -> HttpResponse:
    """A new end date, with a reason."""
    row, form = _visible(request, uuid), ExtensionForm(request.POST, auto_id="extend_%s")
    if form.is_valid():
        try:
            exemptions.extend(row, **form.cleaned_data, actor=request.user, now=timezone.now())
        except NotAccepted as error:
            form.complain(error.errors)
        else:
            messages.success(request, f"It holds until {day(form.cleaned_data['ends_on'])} now.")
            return redirect("exemption", row.uuid)
    return _detail(request, row, extension=form)


@require_POST
@requires("hygiene.accept_risk")
def exemption_withdraw(request: SignedIn, uuid: UUID) -> HttpResponse:
    """End it now; what it covered is open again."""
    row, form = _visible(request, uuid), WithdrawalForm(request.POST, auto_id="withdraw_%s")
    if form.is_valid():
        try:
            exemptions.withdraw(row, form.cleaned_data["reason"], actor=request.user, now=timezone.now())
        except NotAccepted as error:
            form.complain(error.errors)
        else:
            judge([row])
            messages.success(request, "It is withdrawn. What it covered is open again.")
            return redirect("exemptions")
    return _detail(request, row, withdrawal=form)


def judge(rows: list[Exemption]) -> None:
    """Judge again what they cover: here if that is quick, else by a worker."""
    now, policy = lists.moment()
    if exemption_ends.is_quick(rows):
        for row in rows:
            exemption_ends.reevaluate(row, policies=lambda _: policy, now=now)
    else:
        with suppress(BrokerError):  # then their verdicts follow with the next poll
            judge_exemptions.delay([row.pk for row in rows])
