"""Central root access: sts:AssumeRoot, and what a session of root may do to root's credentials."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime

from demo.fake_aws.answers import Call, Refused, members, tag
from demo.fake_aws.organization import AwsAccount, AwsKey
from demo.fake_aws.permissions import ROOT_TASKS
from demo.fake_aws.world import Session, World, iso


class RootCalls:
    """Handlers of a session of root, each named `_root_` and the snake-cased action."""

    world: World

    def assume_root(self, call: Call) -> str:
        """A session, where the feature is on, the target is a member account and the task is AWS's."""
        organization, number = self.world.organization, call.parameters.get("TargetPrincipal", "")
        seconds, task = int(call.parameters.get("DurationSeconds", "900")), call.parameters.get("TaskPolicyArn.arn", "").rsplit("/", 1)[-1]
        account = self.world.account(number)
        if task not in ROOT_TASKS or not 0 <= seconds <= 900:
            raise Refused("ValidationError", "The task policy or the duration is not valid.", 400)
        if "RootCredentialsManagement" not in organization.features:
            raise Refused("AccessDenied", "Root credentials management feature is not enabled for your AWS Organization.", 403)
        if account is None or number == organization.management or account.partition != "aws":
            raise Refused("AccessDenied", f"Not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::{number}:root", 403)
        key_id, expires = f"ASIA{secrets.token_hex(8).upper()}", time.time() + seconds
        self.world.sessions[key_id] = Session(number, f"arn:aws:iam::{number}:root", "", "", expires, task=task)
        given = tag("AccessKeyId", key_id) + tag("SecretAccessKey", "of-the-fake") + tag("SessionToken", "of-the-fake")
        return f"<Credentials>{given}{tag('Expiration', iso(datetime.fromtimestamp(expires, UTC)))}</Credentials>"

    def _root_key(self, account: AwsAccount, call: Call) -> AwsKey:
        for key in account.root.keys:
            if key.access_key_id == call.parameters.get("AccessKeyId"):
                return key
        raise Refused("NoSuchEntity", "The Access Key cannot be found.", 404)

    def _root_list_access_keys(self, account: AwsAccount, call: Call) -> str:
        rows = (
            tag("AccessKeyId", key.access_key_id) + tag("Status", key.status) + tag("CreateDate", iso(key.created_at))
            for key in account.root.keys
        )
        return members("AccessKeyMetadata", rows) + tag("IsTruncated", "false")

    def _root_get_access_key_last_used(self, account: AwsAccount, call: Call) -> str:
        key = self._root_key(account, call)
        used = tag("LastUsedDate", iso(key.last_used_at)) if key.last_used_at else ""
        where = tag("Region", key.region if used else "N/A") + tag("ServiceName", key.service if used else "N/A")
        return f"<AccessKeyLastUsed>{used}{where}</AccessKeyLastUsed>"

    def _root_delete_access_key(self, account: AwsAccount, call: Call) -> str:
        account.root.keys.remove(self._root_key(account, call))
        return ""

    def _root_list_mfa_devices(self, account: AwsAccount, call: Call) -> str:
        rows = [tag("SerialNumber", serial) for serial in account.mfa_serials(account.root)]
        return members("MFADevices", rows) + tag("IsTruncated", "false")

    def _root_deactivate_mfa_device(self, account: AwsAccount, call: Call) -> str:
        if not account.root.mfa or call.parameters.get("SerialNumber") != self._serial(account):
            raise Refused("NoSuchEntity", "The device cannot be found.", 404)
        if account.root.mfa == "virtual":
            account.left_devices.append(self._serial(account))
        account.root.mfa = ""
        return ""

    def _root_delete_virtual_mfa_device(self, account: AwsAccount, call: Call) -> str:
        serial = call.parameters.get("SerialNumber", "")
        if account.root.mfa and serial == self._serial(account):
            raise Refused("DeleteConflict", "MFA VirtualDevice is in use. You cannot delete it until it is deactivated.", 409)
        if serial not in account.left_devices:
            raise Refused("NoSuchEntity", f"VirtualMFADevice with serial number {serial} doesn't exist.", 404)
        account.left_devices.remove(serial)
        return ""

    @staticmethod
    def _serial(account: AwsAccount) -> str:
        return account.mfa_serials(account.root)[0]
