"""Pages of a user and a key say what is known beside the report, by which call, and what is missing; lists and exports name owners."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.gateway import AccessDenied, AttachedPolicy, ListedSshKey, OrganizationFacts, PasswordPolicy, ServiceCredential
from accounts.models import Account
from hygiene.models import AccessKey, AccountStatus, Principal
from tests.factories import poll, register
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
NUMBER = "204811779021"
ADMIN = AttachedPolicy("AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess", "group Admins", {"Statement": []})
QUARANTINE = AttachedPolicy("AWSCompromisedKeyQuarantineV4", "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV4", "user", {})


def world_of(*, refused: str = "") -> tuple[Account, FakeAwsAccount]:
    """One administrator by group with every kind of credential, and a user of whom nothing is told."""
    world = FakeAwsAccount(NUMBER, now=timezone.now().replace(microsecond=0) - timedelta(hours=12))
    world.user("ann", password_enabled=True)
    key = world.key("ann")
    world.user("plain")
    born = world.now - timedelta(days=90)
    world.extras.tags["ann"] = {"Owner": "team-web@example.com", "app": "lake", key.access_key_id: "nightly export"}
    world.extras.groups["ann"] = ("Admins",)
    world.extras.policies["ann"] = (ADMIN, QUARANTINE)
    world.extras.boundaries["ann"] = f"arn:aws:iam::{NUMBER}:policy/limits"
    world.extras.ssh_keys["ann"] = [ListedSshKey("APKAEXAMPLE", "Active", born)]
    world.extras.service_credentials = [ServiceCredential("ann", "ACCAEXAMPLE", "bedrock.amazonaws.com", "Active", born)]
    if refused:
        world.fail(refused, AccessDenied("no", operation=refused, code="AccessDenied"), times=99)
    account = register(NUMBER, "data-lake", now=world.now)
    poll(account, world)
    return account, world


def page(client: Client, name: str) -> str:
    return client.get(reverse("user", args=[Principal.objects.get(name=name).uuid])).content.decode()


def key_page(client: Client) -> str:
    return client.get(reverse("key", args=[AccessKey.objects.get().uuid])).content.decode()


def test_a_users_page_shows_rights_tags_credentials_and_the_owner_with_its_source(
    client_for: Callable[[User], Client], viewer: User
) -> None:
    world_of()
    text = page(client_for(viewer), "ann")
    for words in (
        "Admins",
        "AdministratorAccess, by group Admins",
        "Administrator through group Admins",
        f"arn:aws:iam::{NUMBER}:policy/limits",
        "AWSCompromisedKeyQuarantineV4: AWS saw a key of this user exposed",
        "app = lake",
        "APKAEXAMPLE, active, uploaded",
        "bedrock, ACCAEXAMPLE, active, made",
        "never expires",
        '<span class="chip clip" title="team-web@example.com">team-web@example.com</span><small>tag Owner</small>',
        "GetAccountAuthorizationDetails, <time",
        "ListServiceSpecificCredentials, <time",
        "human user",
    ):
        assert words in text, words
    assert "AKIA" not in text.partition("Tags")[2].partition("</div>")[0]


def test_what_was_not_permitted_or_not_read_is_called_unknown(client_for: Callable[[User], Client], viewer: User) -> None:
    world_of(refused="GetAccountAuthorizationDetails")
    text = page(client_for(viewer), "plain")
    assert text.count("not permitted: iam:GetAccountAuthorizationDetails") == 4  # groups, policies, reach, tags
    assert "owner of the account" in text
    Principal.objects.update(ssh_keys=None)
    assert "not read yet" in page(client_for(viewer), "plain")


def test_a_keys_page_shows_its_description_its_owner_and_what_its_user_may(client_for: Callable[[User], Client], viewer: User) -> None:
    world_of()
    text = key_page(client_for(viewer))
    for words in ("nightly export", "tag Owner", "Administrator through group Admins", "Its user"):
        assert words in text, words


def test_timelines_name_the_call_and_lead_to_our_own_change(client_for: Callable[[User], Client], viewer: User) -> None:
    account, world = world_of()
    user = world.users.pop("ann")
    user.name, user.mfa = "anna", True
    world.users["anna"] = user
    world.now += timedelta(hours=5)
    poll(account, world)
    client = client_for(viewer)
    text = page(client, "anna")
    for words in ("Renamed from ann to anna", "MFA switched on", "User created", "First seen by a poll", "Key created"):
        assert words in text.partition("Timeline")[2], words
    assert "User: Renamed from ann to anna" in key_page(client)


def test_a_key_changed_outside_after_our_own_change_says_so(client_for: Callable[[User], Client], viewer: User) -> None:
    world_of()
    AccessKey.objects.update(acted_here_at=timezone.now() - timedelta(days=3), changed_outside_at=timezone.now())
    assert "enabled outside this tool on" in key_page(client_for(viewer))


def test_lists_filters_and_exports_name_the_owner_and_where_it_was_found(client_for: Callable[[User], Client], viewer: User) -> None:
    world_of()
    client = client_for(viewer)
    for name in ("users", "keys"):
        text = client.get(reverse(name)).content.decode()
        assert ">team-web@example.com</span>" in text
        assert "tag Owner" in text
    narrowed = client.get(reverse("users") + "?q=owner:team-web@example.com").content.decode()
    assert (">ann</a>" in narrowed, ">plain</a>" in narrowed) == (True, False)
    rows = json.loads(b"".join(client.get(reverse("users") + "?format=json").streaming_content))  # type: ignore[attr-defined]  # a streamed answer
    of = {row["user_name"]: row for row in (rows if isinstance(rows, list) else rows["rows"])}
    assert (of["ann"]["owner_source"], of["plain"]["owner"], of["plain"]["owner_source"]) == (
        "tag Owner",
        "team-data@example.com",
        "account",
    )
    assert (of["ann"]["groups"], of["ann"]["is_admin"], of["ann"]["tags"]) == (["Admins"], True, ["Owner=team-web@example.com", "app=lake"])
    assert of["ann"]["service_credentials"] == ["bedrock.amazonaws.com ACCAEXAMPLE"]
    assert of["plain"]["ssh_keys"] is None


def test_an_accounts_page_shows_what_was_read_beside_the_report_and_what_was_refused(
    client_for: Callable[[User], Client], viewer: User
) -> None:
    account, world = world_of(refused="ListServiceSpecificCredentials")
    world.extras.password_policy = PasswordPolicy(14, 24, 90, requires_symbols=True)
    world.extras.organization = OrganizationFacts("management", "o-1", NUMBER, ("RootCredentialsManagement",))
    client = client_for(viewer)
    url = reverse("account", args=[NUMBER])
    text = client.get(url).content.decode()
    for words in ("none set", "in no organization", "iam:ListServiceSpecificCredentials", "other service credentials. Refused since"):
        assert words in text, words
    world.now += timedelta(hours=25)
    poll(account, world)
    text = client.get(url).content.decode()
    for words in ("at least 14 characters", "remembers 24 passwords", "expires after 90 days", "management account", "root credentials"):
        assert words in text, words
    AccountStatus.objects.update(password_policy=None, password_policy_observed_at=None)
    assert "not read yet" in client.get(url).content.decode()


def test_the_settings_page_tells_where_owners_are_looked_for(client_for: Callable[[User], Client], viewer: User) -> None:
    text = client_for(viewer).get(reverse("settings")).content.decode()
    assert "a tag of the user, the description of a key, the imported list, then the account" in text
    assert "owner, owner-email, contact; 0 in the list" in text


def test_the_page_of_a_root_user_has_a_timeline_too(client_for: Callable[[User], Client], viewer: User) -> None:
    account, world = world_of()
    world.root.mfa = True
    world.now += timedelta(hours=5)
    poll(account, world)
    text = client_for(viewer).get(reverse("root-user", args=[NUMBER])).content.decode()
    for words in ("MFA switched on", "Account created"):
        assert words in text.partition("Timeline")[2], words
