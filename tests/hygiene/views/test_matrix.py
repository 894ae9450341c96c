"""Who may what, on every URL: each role, nobody, and somebody signed in without a role. A new URL without a row fails here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from accounts import audit
from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.models import AccessKey, Plan, PollRequest, Principal, Remediation
from hygiene.services import alerts, remediation, schedule
from hygiene.services.exemptions import Cover, Terms
from hygiene.services.exemptions import make as make_exemptions
from hygiene.services.plans import make_plan
from hygiene.urls import urlpatterns
from tests.factories import estate

pytestmark = pytest.mark.django_db
ROLES = ("viewer", "operator", "approver", "administrator", "auditor")
EVERYBODY = frozenset(ROLES)
POLLERS = frozenset({"operator", "approver", "administrator"})
ACCEPTERS = frozenset({"approver", "administrator"})
OPERATOR = frozenset({"operator"})
ADMINISTRATOR = frozenset({"administrator"})
OPEN = frozenset({*ROLES, "no role", "nobody"})
# name: (method, roles that are not refused)
MATRIX: dict[str, tuple[str, frozenset[str]]] = {
    **dict.fromkeys(("overview", "keys", "key", "users", "user", "root-users", "root-user", "accounts", "account"), ("get", EVERYBODY)),
    **dict.fromkeys(
        (
            "findings",
            "finding-rule",
            "rules",
            "rule",
            "policy",
            "queue",
            "remediation",
            "audit",
            "search",
            "suggest",
            "newer",
            "settings",
            "digest",
            "digest-frame",
        ),
        ("get", EVERYBODY),
    ),
    **dict.fromkeys(("digest-send", "digest-settings"), ("post", EVERYBODY)),
    "digest-default": ("post", ADMINISTRATOR),
    **dict.fromkeys(("exemptions", "exemption"), ("get", EVERYBODY)),
    "exemption-new": ("get", ACCEPTERS),
    **dict.fromkeys(("exemption-extend", "exemption-withdraw"), ("post", ACCEPTERS)),
    "audit-event": ("get", EVERYBODY),
    "account-pause": ("post", ADMINISTRATOR),
    "account-details": ("post", ADMINISTRATOR),
    "account-remove": ("get", ADMINISTRATOR),
    "account-remediation": ("post", ADMINISTRATOR),
    "account-window": ("get", ADMINISTRATOR),
    **dict.fromkeys(("account-new", "account-new-template"), ("get", ADMINISTRATOR)),
    **dict.fromkeys(("account-new-save", "account-new-test", "account-new-add", "account-new-discard"), ("post", ADMINISTRATOR)),
    "account-access": ("get", EVERYBODY),
    "account-check": ("post", POLLERS),
    "rules-of-changes": ("get", ADMINISTRATOR),
    **dict.fromkeys(("people", "person-new", "person"), ("get", ADMINISTRATOR)),
    **dict.fromkeys(("person-deactivate", "person-reactivate", "person-invite"), ("post", ADMINISTRATOR)),
    **dict.fromkeys(("policy-profile", "policy-override", "policy-override-remove"), ("post", ADMINISTRATOR)),
    "protected": ("get", frozenset({"approver", "administrator", "auditor"})),
    "unprotect": ("post", ADMINISTRATOR),
    "campaign-move": ("post", OPERATOR),
    "campaign-stop": ("post", frozenset({"operator", "approver"})),
    "campaign-answer": ("get", frozenset({*ROLES, "no role"})),  # for everybody but the owner there is no such page
    "undo": ("post", OPERATOR),
    "remediation-reason": ("post", OPERATOR),
    "run": ("get", EVERYBODY),
    "changes-switch": ("get", EVERYBODY),
    **dict.fromkeys(("run-approve", "run-deny", "changes-resume"), ("post", frozenset({"approver"}))),
    **dict.fromkeys(("run-cancel", "run-undo", "run-retry"), ("post", OPERATOR)),
    "changes-stop": ("post", frozenset({"operator", "approver", "administrator"})),
    "alert-acknowledge": ("post", frozenset({"operator", "approver"})),
    "plan-new": ("post", OPERATOR),
    "plan": ("get", OPERATOR),
    "plan-confirm": ("post", OPERATOR),
    "poll-now": ("post", POLLERS),
    "key-evidence": ("get", EVERYBODY),
    "evidence-new": ("post", POLLERS),
    "root-inspect": ("post", POLLERS),
    "owners-ask": ("get", OPERATOR),
    "keys-export": ("post", EVERYBODY),
    "export-new": ("post", EVERYBODY),
    "export-file": ("get", EVERYBODY),
    "owner-answer": ("get", frozenset({*ROLES, "no role"})),  # for everybody but the owner there is no such page
    "poll-progress": ("get", POLLERS),
    "preferences-theme": ("post", frozenset({*ROLES, "no role"})),
    **dict.fromkeys(("view-save", "view-remove", "view-start"), ("post", EVERYBODY)),
    "start": ("get", frozenset({*ROLES, "no role"})),
    "components": ("get", frozenset({*ROLES, "no role"})),
    "digest-unsubscribe": ("get", OPEN),
    "healthz-live": ("get", OPEN),
    "healthz-ready": ("get", OPEN),
    "metrics": ("get", frozenset()),  # a token opens it, no role does
    "account-act-role": ("post", ADMINISTRATOR),  # last, since an empty one takes the right to change away
}
CASES = [(name, role) for name in MATRIX for role in (*ROLES, "no role", "nobody")]


@pytest.fixture
def things(operator: User) -> dict[str, list[object]]:
    """Arguments of every URL that needs some."""
    account, world = estate(5)
    now = world.now
    keys = AccessKey.objects.filter(principal__is_root=False, status="active").select_related("account__status", "principal")
    plan = make_plan(keys=list(keys[:1]), action="disable", actor=operator, now=now)  # type: ignore[arg-type]  # a word of the choices
    done = make_plan(keys=list(keys[1:2]), action="disable", actor=operator, now=now)  # type: ignore[arg-type]  # as above
    row = remediation.confirm(
        plan=done,
        actor=operator,
        now=now,
        reason="unused",
        ticket="",
        note="",
        typed=(keys[1].access_key_id or "")[-4:],
        include_in_use=True,
    )[0]
    request, _ = schedule.request_polls([account], user=operator, trigger="manual", now=now)  # type: ignore[arg-type]  # as above
    event = audit.record(action="poll.request", outcome="requested", now=now, actor=operator, account=account)
    accepted = Terms(["key.never_used"], "Agreed.", "cto@example.com", timezone.localdate() + timedelta(days=30))
    exempt = make_exemptions([Cover(key=keys[0])], accepted, actor=operator, now=now)[0]
    seen = alerts.raise_alert(kind="breaker", subject="all changes", sentence="Changes are paused.", now=now)
    taken_back = Remediation.objects.get(pk=row.pk)  # whose reason may be given afterwards
    taken_back.pk, taken_back.uuid, taken_back.correlation_id = None, uuid4(), uuid4()
    taken_back.action, taken_back.state = "enable", "succeeded"
    taken_back.save()
    uuid: dict[str, UUID] = {"plan": plan.uuid, "row": row.uuid}
    return {
        **{name: [keys[0].uuid] for name in ("key", "key-evidence", "evidence-new")},
        "user": [Principal.objects.filter(is_root=False)[0].uuid],
        **{
            name: [account.account_id]
            for name in (
                "root-user",
                "root-inspect",
                "account",
                "account-details",
                "account-pause",
                "account-remediation",
                "account-remove",
                "account-window",
                "account-act-role",
                "account-access",
                "account-check",
            )
        },
        "account-new-template": ["hygiene-roles.tf"],
        **{name: ["key.never_used"] for name in ("rule", "finding-rule")},
        **{name: [uuid["row"]] for name in ("remediation", "undo")},
        "remediation-reason": [taken_back.uuid],
        **{name: [uuid["plan"]] for name in ("plan", "plan-confirm")},
        **{name: [done.uuid] for name in MATRIX if name == "run" or name.startswith(("run-", "campaign-"))},
        "alert-acknowledge": [seen.uuid],
        **{name: [operator.pk] for name in ("person", "person-reactivate", "person-invite")},
        "person-deactivate": [User.objects.create_user("m-leaver").pk],
        "poll-progress": [request.uuid],
        **{name: [exempt.uuid] for name in ("exemption", "exemption-extend", "exemption-withdraw")},
        "audit-event": [event.uuid],
        **{
            name: [uuid["row"]]
            for name in (
                "digest-unsubscribe",
                "owner-answer",
                "export-file",
                "view-remove",
                "view-start",
                "unprotect",
                "policy-override-remove",
            )
        },
    }


@pytest.fixture
def clients(person: Callable[..., User], operator: User, client_for: Callable[[User], Client]) -> dict[str, Client]:
    people = {role: operator if role == "operator" else person(role, username=f"m-{role}") for role in ROLES}
    people["no role"] = person(None, username="m-nobody")
    return {**{role: client_for(user) for role, user in people.items()}, "nobody": Client()}


@pytest.fixture(autouse=True)
def nothing_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    for task in (
        "execute_remediation",
        "execute_root_removal",
        "start_requested_polls",
        "send_digest",
        "look_into_trail",
        "inspect_root",
        "send_owner_notice",
        "send_owner_notices",
        "send_invitation",
        "make_export",
    ):
        monkeypatch.setattr(f"hygiene.tasks.{task}.delay", lambda *_: None)
    monkeypatch.setattr("hygiene.access_tasks.check_access.apply_async", lambda *_, **__: None)


def named(patterns: list[object]) -> set[str]:
    return {pattern.name for pattern in patterns if isinstance(pattern, URLPattern) and pattern.name}


def test_every_url_has_a_row() -> None:
    assert named(list(urlpatterns)) == set(MATRIX)


def test_a_url_answers_those_who_may_and_refuses_the_others(things: dict[str, list[object]], clients: dict[str, Client]) -> None:
    wrong = {}
    for name, role in CASES:
        method, allowed = MATRIX[name]
        response = getattr(clients[role], method)(reverse(name, args=things.get(name, [])))
        is_sign_in = response.status_code == 302 and response["Location"].startswith("/auth/login/")
        refused = response.status_code == 403 or is_sign_in
        if name == "audit-event" and role in ("viewer",):
            refused = response.status_code != 404  # somebody else's entry is not there for a viewer
        if refused == (role in allowed) or (response.status_code >= 500 and name != "healthz-ready"):
            wrong[name, role] = response.status_code
        if role == "nobody" and role not in allowed and not is_sign_in and name != "metrics":
            wrong[name, role] = response.status_code
    assert wrong == {}


def test_a_url_that_changes_something_answers_no_get(things: dict[str, list[object]], clients: dict[str, Client]) -> None:
    posts = [name for name, (method, _) in MATRIX.items() if method == "post"]
    before = AuditEvent.objects.count(), Plan.objects.count(), Remediation.objects.count(), PollRequest.objects.count()
    for name in posts:
        answers = (302,) if name == "digest-settings" else (403, 405)  # leads to the page with its form
        assert clients["operator"].get(reverse(name, args=things.get(name, []))).status_code in answers, name
        assert clients["administrator"].get(reverse(name, args=things.get(name, []))).status_code in answers, name
    assert (AuditEvent.objects.count(), Plan.objects.count(), Remediation.objects.count(), PollRequest.objects.count()) == before


def test_a_post_without_its_token_is_refused(things: dict[str, list[object]], operator: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator, backend="hygiene.sign_in.RolesBackend")
    for name in (name for name, (method, _) in MATRIX.items() if method == "post"):
        assert client.post(reverse(name, args=things.get(name, []))).status_code == 403, name


def test_somebody_elses_objects_are_not_there(things: dict[str, list[object]], clients: dict[str, Client], operator: User) -> None:
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    for name in (
        "key",
        "key-evidence",
        "evidence-new",
        "root-inspect",
        "user",
        "root-user",
        "account",
        "account-access",
        "account-check",
        "remediation",
        "undo",
        "remediation-reason",
        "exemption",
    ):
        method = MATRIX[name][0]
        assert getattr(clients["operator"], method)(reverse(name, args=things[name])).status_code == 404, name
    answer = clients["operator"].post(reverse("plan-new"), {"key": str(things["key"][0]), "action": "disable"})
    assert answer.status_code == 404
    assert clients["operator"].post(reverse("poll-now"), {"account": "204811779021"}).status_code == 404


def test_pausing_and_allowing_changes_leave_audit_rows(clients: dict[str, Client], things: dict[str, list[object]]) -> None:
    client, number = clients["administrator"], things["account"][0]
    client.post(reverse("account-pause", args=[number]), {"is_polled": "0"})
    client.post(reverse("account-remediation", args=[number]), {"allows": "0"})
    account = Account.objects.get(account_id=number)
    assert (account.is_polled, account.allows_remediation) == (False, False)
    assert set(AuditEvent.objects.values_list("action", flat=True)) >= {"account.pause", "account.forbid_changes"}
    assert b"paused" in client.get(reverse("account", args=[number])).content
    Account.objects.filter(pk=account.pk).update(act_role_arn="")
    assert client.post(reverse("account-remediation", args=[number]), {"allows": "1"}).status_code == 403
    assert client.post(reverse("account-pause", args=["000000000000"])).status_code == 404


def test_poll_now_joins_what_runs_and_is_audited(clients: dict[str, Client], things: dict[str, list[object]]) -> None:
    first = clients["operator"].post(reverse("poll-now"))
    second = clients["approver"].post(reverse("poll-now"), headers={"HX-Request": "true"})
    assert first.status_code == 302
    assert b"0 of 2 accounts" in second.content
    assert AuditEvent.objects.filter(action="poll.request").count() == 3
    progress = clients["operator"].get(first["Location"])
    assert b"Under way or waiting" in progress.content or b"polled" in progress.content


def test_preferences_hold_on_every_page(clients: dict[str, Client]) -> None:
    client = clients["viewer"]
    saved = client.post(reverse("settings"), {"theme": "dark", "density": "compact", "time_zone": "Asia/Tokyo"})
    assert saved.status_code == 302
    page = client.get(reverse("settings")).content.decode()
    assert 'data-theme="dark" data-density="compact"' in page
    assert client.post(reverse("settings"), {"theme": "dark", "density": "compact", "time_zone": "Mars"}).status_code == 422
    assert client.post(reverse("preferences-theme"), {"theme": "light", "next": "https://evil.example/"})["Location"] == "/"
    assert 'data-theme="light"' in client.get(reverse("settings")).content.decode()
