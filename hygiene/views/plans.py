"""Plan → confirm: the dialog before a change, as a fragment for htmx and as a page without JavaScript."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from hygiene.forms import ConfirmForm
from hygiene.models import KEY_ACTIONS, ROOT_ACTIONS, AccessKey, Action, Plan, Principal, Reason, Remediation, State
from hygiene.services import advice, plans, policies, refusals, remediation, summaries, targets
from hygiene.services.boxes import Boxes
from hygiene.services.permissions import offers, role_refusal, with_actions
from hygiene.tasks import wake
from hygiene.views.access import Request, requires
from hygiene.views.keys import matching

REQUESTS = ("hygiene.request_change", "hygiene.request_deletion", "hygiene.request_root_removal")
MOST_KEYS = 500
MOST_MATCHING = 10_000


@require_POST
@requires(*REQUESTS)
def plan_new(request: Request) -> HttpResponse:
    """Freeze a plan for the posted keys and show it. Enabling asks nothing first: it is requested at once."""
    if request.POST.get("action") not in Action.values:
        return HttpResponseBadRequest(f"The action must be one of {', '.join(Action.values)}.")
    action, now = Action(request.POST["action"]), timezone.now()
    refusal = role_refusal(request.user, action)
    if refusal is not None:
        raise PermissionDenied(refusal.sentence)
    if action not in KEY_ACTIONS:
        return redirect("plan", targets.make_plan(_posted_target(request, action), action, actor=request.user, now=now).uuid)
    matches_all = request.POST.get("all") == "1"
    keys = _all_that_match(request) if matches_all else _posted_keys(request)
    if action == Action.ENABLE and len(keys) == 1:
        return _enable(request, keys[0], now)
    query = request.POST.get("q", "") if matches_all else ""
    plan = plans.make_plan(keys=keys, action=action, actor=request.user, now=now, query=query, is_all_matching=matches_all)
    if not request.htmx:
        return redirect("plan", plan.uuid)
    return _show(request, plan, ConfirmForm(initial=_first_reason(plan)), now=now)


def _posted_target(request: Request, action: Action) -> targets.Target:
    """The password, certificate or root credential named in the form, of a user or root in scope; else 404."""
    people = Principal.objects.visible_to(request.user).select_related("account__status")
    try:
        holder = get_object_or_404(people, uuid=UUID(request.POST.get("user", "")))
    except ValueError as error:
        raise Http404("There is no such user.") from error
    found = targets.find(holder, action, request.POST.get("target", ""))
    if found is None or holder.is_root != (action in ROOT_ACTIONS):
        raise Http404("There is no such credential.")
    return found


def _posted_keys(request: Request) -> list[AccessKey]:
    """The keys named in the form, all of them in scope; else 404."""
    try:
        wanted = {UUID(word) for word in request.POST.getlist("key")[:MOST_KEYS]}
    except ValueError as error:
        raise Http404("There is no such key.") from error
    keys = list(with_actions(AccessKey.objects.visible_to(request.user)).filter(uuid__in=wanted))
    if not keys or len(keys) != len(wanted):
        raise Http404("There is no such key.")
    return keys


def _all_that_match(request: Request) -> list[AccessKey]:
    """What the filter line and view select now, resolved once: new matches are never added later."""
    found = matching(request, text=request.POST.get("q", ""), view=request.POST.get("view", ""))
    keys = list(with_actions(found).order_by("-severity", "pk")[: MOST_MATCHING + 1])
    if not keys:
        raise Http404("No key matches any more.")
    if len(keys) > MOST_MATCHING:
        raise BadRequest(f"More than {MOST_MATCHING} keys match, which is the most of one plan. Narrow the filter.")
    return keys


def _enable(request: Request, key: AccessKey, now: datetime) -> HttpResponse:
    try:
        with refusals.on_record(action="key.enable", actor=request.user, target=str(key), now=now, account=key.account):
            made = [remediation.enable(key=key, actor=request.user, now=now)]
    except remediation.NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except remediation.Conflict as error:
        return conflict(request, key, str(error), now=now)
    return started(request, made, now=now)


def conflict(request: Request, key: AccessKey, sentence: str, *, now: datetime) -> HttpResponse:
    """409 with what changed; the key's buttons as they are now."""
    key = with_actions(AccessKey.objects.filter(pk=key.pk)).get()
    context = {"key": key, "actions": offers(key, user=request.user, now=now), "sentence": sentence}
    return render(request, f"hygiene/{'_' if request.htmx else ''}plan_conflict.html", context, status=409)


def _first_reason(plan: Plan) -> dict[str, str]:
    """Unused is offered first where it is true."""
    unused = all(item.disposition != "in_use" for item in plan.items.all())
    return {"reason": Reason.UNUSED} if unused else {}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(*REQUESTS)
def plan_detail(request: Request, uuid: UUID) -> HttpResponse:
    """One's own plan as a page; what became of it once it is confirmed. A POST only shows the numbers of the posted boxes."""
    plan, now = get_object_or_404(Plan, uuid=uuid, created_by=request.user), timezone.now()
    if plan.confirmed_at is not None:
        became = _to_remediations(list(plan.remediations.select_related("plan")))
        return HttpResponseClientRedirect(became["Location"]) if request.htmx else became
    if request.method != "POST":
        return _show(request, plan, ConfirmForm(initial=_first_reason(plan)), now=now)
    form = ConfirmForm(request.POST)
    return _show(request, plan, form, now=now, boxes=_boxes(form), template=_redrawn(request))


def _boxes(form: ConfirmForm) -> Boxes:
    words = form.words()
    return Boxes(words["include_in_use"], frozenset(words["ticked"]))


def _redrawn(request: Request) -> str:
    """The form alone inside its dialog, else the page."""
    return "hygiene/_plan_form.html" if "in_dialog" in request.POST else "hygiene/plan.html"


def _show(
    request: Request,
    plan: Plan,
    form: ConfirmForm,
    *,
    now: datetime,
    boxes: Boxes | None = None,
    status: int = 200,
    changed: str = "",
    template: str = "",
) -> HttpResponse:
    context = {"summary": summaries.summarize(plan, now=now, boxes=boxes), "form": form, "changed": changed, "now": now}
    context["advice"] = advice.for_plan(plan, policy=policies.current().installation, now=now)
    template = template or ("hygiene/_plan_dialog.html" if request.htmx else "hygiene/plan.html")
    context["in_dialog"] = template != "hygiene/plan.html"
    return render(request, template, context, status=status)


@require_POST
@requires(*REQUESTS)
def plan_confirm(request: Request, uuid: UUID) -> HttpResponse:
    """Use one's own plan. 422 says what is missing, 409 what changed; a second press answers as the first did."""
    plan, now = get_object_or_404(Plan, uuid=uuid, created_by=request.user), timezone.now()
    form = ConfirmForm(request.POST)
    boxes = _boxes(form)
    try:
        with refusals.on_record(action=f"key.{plan.action}", actor=request.user, target=f"plan {plan.uuid}", now=now):
            made = remediation.confirm(plan=plan, actor=request.user, now=now, **form.words())
    except remediation.NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except remediation.Invalid as error:
        form.complain(error.errors)
        return _show(request, plan, form, now=now, boxes=boxes, status=422)
    except remediation.Conflict as error:
        return _changed(request, plan, form, str(error), now=now)
    return started(request, made, now=now)


def _changed(request: Request, plan: Plan, form: ConfirmForm, sentence: str, *, now: datetime) -> HttpResponse:
    """409 with what changed; of a plan of one key also the key's buttons as they are now."""
    keys = [item.key for item in plan.items.select_related("key")[:2]]
    if len(keys) == 1 and keys[0] is not None:
        return conflict(request, keys[0], sentence, now=now)
    return _show(request, plan, form, now=now, status=409, changed=sentence)


def wake_all(pks: Iterable[int]) -> None:
    """Tell workers once the rows are committed. A broker that is down costs seconds, not the changes: the sweeper finds the rows."""
    found = list(pks)
    transaction.on_commit(lambda: wake(found), robust=True)


def started(request: Request, made: Sequence[Remediation], *, now: datetime) -> HttpResponse:
    """Wake workers, and show that the change is under way: in the key's row for htmx, else on its page."""
    wake_all(row.pk for row in made if row.state == State.REQUESTED and row.due_at <= now)
    if not request.htmx:
        return _to_remediations(made)
    keys = with_actions(AccessKey.objects.filter(pk__in=[row.key_id for row in made]))
    context = {"rows": [offers(key, user=request.user, now=now) for key in keys], "made": made}
    return render(request, "hygiene/_plan_started.html", context)


def _to_remediations(made: Sequence[Remediation]) -> HttpResponse:
    return (
        redirect("remediation", made[0].uuid) if len(made) == 1 and not made[0].needs_second_person else redirect("run", made[0].plan.uuid)
    )
