"""What every gateway promises: the adapter over HTTP and the fake of the tests answer alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.gateway import AccessDenied, NoSuchEntity, ReportState, RootTask, UnexpectedAwsError
from tests.contract.conftest import BORN, KEY, NOW, NUMBER, OTHER, PASSKEY, ROOT_KEY, SECOND, USED, Door


def test_a_report_is_made_then_got(door: Door) -> None:
    gateway = door.open()
    assert gateway.generate_credential_report() in (ReportState.STARTED, ReportState.COMPLETE)
    report = gateway.get_credential_report()
    assert report.content.startswith(b"user,arn,user_creation_time")
    assert f"arn:aws:iam::{NUMBER}:user/people/ana".encode() in report.content
    assert NOW <= report.generated_at <= datetime.now(UTC) + timedelta(minutes=5)


def test_the_summary_tells_of_root(door: Door) -> None:
    summary = door.open().account_summary()
    assert (summary.root_key_present, summary.root_mfa_on, summary.root_password_present, summary.users) == (True, True, True, 2)


def test_keys_are_listed_with_their_last_use(door: Door) -> None:
    gateway = door.open()
    assert {(key.access_key_id, key.status, key.created_at) for key in gateway.list_access_keys("ana")} == {
        (KEY, "Active", BORN),
        (SECOND, "Inactive", BORN),
    }
    assert gateway.list_access_keys("bob") == ()
    with pytest.raises(NoSuchEntity):
        gateway.list_access_keys("nobody")


def test_devices_of_a_user_are_listed_whatever_their_kind(door: Door) -> None:
    gateway = door.open()
    virtual = f"arn:aws:iam::{NUMBER}:mfa/ana"
    assert set(gateway.list_mfa_devices("ana")) == {virtual, PASSKEY}
    assert gateway.list_mfa_devices("bob") == ()
    with pytest.raises(NoSuchEntity):
        gateway.list_mfa_devices("nobody")
    assert virtual in {device.serial_number for device in gateway.virtual_mfa_devices()}
    assert PASSKEY not in {device.serial_number for device in gateway.virtual_mfa_devices()}
    assert gateway.account_summary().mfa_devices_in_use == 3


def test_a_key_is_disabled_enabled_and_deleted(door: Door) -> None:
    gateway = door.open("hygiene-act")

    def statuses() -> dict[str, str]:
        return {key.access_key_id: key.status for key in gateway.list_access_keys("ana")}

    assert gateway.update_access_key("ana", KEY, active=False)
    assert statuses()[KEY] == "Inactive"
    gateway.update_access_key("ana", KEY, active=True)
    assert statuses()[KEY] == "Active"
    gateway.delete_access_key("ana", SECOND)
    assert set(statuses()) == {KEY}
    with pytest.raises(NoSuchEntity):
        gateway.delete_access_key("ana", SECOND)


def test_users_are_listed_and_told_in_detail(door: Door) -> None:
    gateway = door.open()
    listed = {user.user_name: user for user in gateway.list_users()}
    assert set(listed) == {"ana", "bob"}
    assert (listed["ana"].path, listed["ana"].created_at) == ("/people/", BORN)
    details = {one.user.user_name: one for one in gateway.authorization_details()}
    assert details["ana"].tags == {"team": "pay"}
    assert {name: one.user.user_id for name, one in details.items()} == {name: user.user_id for name, user in listed.items()}


def test_the_password_policy_is_told(door: Door) -> None:
    policy = door.open().password_policy()
    assert policy is not None
    assert (policy.minimum_length, policy.requires_symbols, policy.max_age_days) == (14, True, None)


def test_a_password_is_deleted_once(door: Door) -> None:
    gateway = door.open("hygiene-act")
    assert gateway.has_login_profile("ana")
    assert not gateway.has_login_profile("bob")
    gateway.delete_login_profile("ana")
    assert not gateway.has_login_profile("ana")
    with pytest.raises(NoSuchEntity):
        gateway.delete_login_profile("ana")


def test_a_certificate_is_deactivated_and_deleted(door: Door) -> None:
    gateway = door.open("hygiene-act")
    (certificate,) = gateway.list_signing_certificates("ana")
    gateway.update_signing_certificate("ana", certificate.certificate_id, active=False)
    assert gateway.list_signing_certificates("ana")[0].status == "Inactive"
    gateway.delete_signing_certificate("ana", certificate.certificate_id)
    assert gateway.list_signing_certificates("ana") == ()
    with pytest.raises(NoSuchEntity):
        gateway.delete_signing_certificate("ana", certificate.certificate_id)


def test_other_credentials_are_none_where_there_are_none(door: Door) -> None:
    gateway = door.open()
    assert (gateway.service_credentials(), gateway.list_ssh_keys("ana")) == ((), ())


def test_every_account_of_the_organization_comes(door: Door) -> None:
    assert [(one.account_id, one.state) for one in door.own().organization_accounts()] == [(NUMBER, "ACTIVE"), (OTHER, "SUSPENDED")]


def test_root_is_read_and_emptied_under_its_task(door: Door) -> None:
    audit = door.root(RootTask.AUDIT)
    assert [(key.access_key_id, key.user_name) for key in audit.list_access_keys()] == [(ROOT_KEY, "")]
    assert audit.has_login_profile()
    with pytest.raises(AccessDenied):
        audit.delete_access_key(ROOT_KEY)
    deleting = door.root(RootTask.DELETE)
    deleting.delete_access_key(ROOT_KEY)
    deleting.delete_login_profile()
    assert (audit.list_access_keys(), audit.has_login_profile()) == ((), False)
    with pytest.raises(NoSuchEntity):
        deleting.delete_access_key(ROOT_KEY)


def test_a_virtual_device_of_root_is_deleted_only_once_it_is_deactivated(door: Door) -> None:
    root = door.root(RootTask.DELETE)
    (serial,) = root.list_mfa_devices()
    with pytest.raises(UnexpectedAwsError) as refused:
        root.delete_virtual_mfa_device(serial)
    assert (refused.value.code, refused.value.definite) == ("DeleteConflict", True)
    assert root.deactivate_mfa_device(serial)
    assert root.list_mfa_devices() == ()
    with pytest.raises(NoSuchEntity):
        root.deactivate_mfa_device(serial)
    with pytest.raises(AccessDenied):
        door.root(RootTask.AUDIT).delete_virtual_mfa_device(serial)
    assert root.delete_virtual_mfa_device(serial)
    with pytest.raises(NoSuchEntity):
        root.delete_virtual_mfa_device(serial)


def test_the_last_use_names_the_user_and_never_used_is_no_time(door: Door) -> None:
    gateway = door.open("hygiene-act")
    used, never = gateway.access_key_last_used(KEY), gateway.access_key_last_used(SECOND)
    assert (used.user_name, used.last_used_at, used.service) == ("ana", USED, "ec2")
    assert (never.user_name, never.last_used_at, never.region, never.service) == ("ana", None, None, None)
