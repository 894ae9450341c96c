"""Kinds of MFA devices on the wire: what is asked of AWS, what pages and exports say, and what a missing permission leaves unknown."""

from __future__ import annotations

import pytest

from hygiene.models import PollOutcome
from tests.hygiene.section12.conftest import Site
from tests.hygiene.section12.wire import Wire, error, result

pytestmark = pytest.mark.django_db
RULE = "mfa.virtual_only"
DENIED = error(403, "AccessDenied", "User: x is not authorized to perform: iam:ListMFADevices because no identity-based policy allows it")
PASSKEY = "arn:aws:iam::111122223333:u2f/user/ana/phone-ABCDEFGH"
NAMELESS = "<MFADevices><member><UserName>ana</UserName></member></MFADevices><IsTruncated>false</IsTruncated>"
PAGE = b"<html><body>Sign in</body></html>"


def peopled(site: Site) -> None:
    """One with an app and a passkey, one with an app alone, one with a token alone, and a machine user with a key and an app."""
    site.world.user("ana", password_enabled=True, mfa=True, virtual_mfa=True, other_mfa=[PASSKEY])
    site.world.user("ben", password_enabled=True, mfa=True, virtual_mfa=True)
    site.world.user("cleo", password_enabled=True, mfa=True)
    site.world.user("machine", mfa=True, virtual_mfa=True)
    site.world.key("machine")


def kinds(site: Site) -> dict[str, str]:
    return {row["user_name"]: row["mfa_kinds"] for row in site.csv("users") if row["is_root"] == "false"}


def test_only_users_whose_devices_are_all_virtual_are_called_so(site: Site, wire: Wire) -> None:
    peopled(site)
    assert site.poll().outcome == PollOutcome.COMPLETE
    assert [(action, given["UserName"]) for _, action, given in wire.asked if action in ("ListAccessKeys", "ListMFADevices")] == [
        ("ListAccessKeys", "machine"),
        ("ListMFADevices", "ana"),
        ("ListMFADevices", "ben"),
    ]
    assert kinds(site) == {"ana": "passkey;virtual", "ben": "virtual", "cleo": "hardware", "machine": "virtual;others unknown"}
    told = [(row["user_arn"].rsplit("/")[-1], row["outcome"]) for row in site.csv("findings") if row["rule"] == RULE]
    assert told == [("ben", "fail")]
    assert "passkey" in site.page(f"/users/{site.user('ana').uuid}/")


def test_unchanged_account_costs_no_call_for_each_user(site: Site, wire: Wire) -> None:
    peopled(site)
    site.poll()
    wire.asked.clear()
    site.later()
    site.poll()
    assert (wire.calls("ListMFADevices"), wire.calls("ListAccessKeys"), wire.calls("GetCredentialReport")) == (0, 0, 1)
    assert (kinds(site)["ana"], site.failing(RULE)) == ("passkey;virtual", 1)


def test_account_where_nobody_can_have_another_kind_costs_no_call(site: Site, wire: Wire) -> None:
    site.world.root.mfa = False
    site.world.user("ben", password_enabled=True, mfa=True, virtual_mfa=True)
    site.poll()
    assert (wire.calls("ListMFADevices"), kinds(site), site.failing(RULE)) == (0, {"ben": "virtual"}, 1)


def test_refused_list_of_devices_names_the_permission_once_and_nothing_else_suffers(site: Site, wire: Wire) -> None:
    peopled(site)
    wire.script("ListMFADevices", DENIED, times=9)
    assert site.poll().outcome == PollOutcome.COMPLETE
    assert (wire.calls("ListMFADevices"), site.failing(RULE), site.unknown(RULE)) == (1, 0, 2)
    assert kinds(site)["ana"] == "virtual;others unknown"
    assert all(key.access_key_id for key in site.every_key())
    assert "iam:ListMFADevices" in site.page()
    sentences = {row["explanation"] for row in site.csv("findings") if row["rule"] == RULE}
    assert {sentence.split(",")[0] for sentence in sentences} == {"The read role may not call iam:ListMFADevices"}


@pytest.mark.parametrize("answer", [result("ListMFADevices", NAMELESS), (200, PAGE), error(400, "SomethingNew")])
def test_answer_that_tells_no_devices_leaves_the_kinds_unknown(site: Site, wire: Wire, answer: tuple[int, bytes]) -> None:
    peopled(site)
    wire.script("ListMFADevices", answer, times=9)
    assert site.poll().outcome == PollOutcome.COMPLETE
    assert (kinds(site)["ana"], site.failing(RULE)) == ("virtual;others unknown", 0)
