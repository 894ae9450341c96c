"""The fake of central root access: one AssumeRoot session over a FakeAwsAccount, as strict as AWS's task policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.gateway import AccessDenied, KeyLastUse, ListedCertificate, ListedKey, NoSuchEntity, RootTask, UnexpectedAwsError

if TYPE_CHECKING:
    from tests.fakes import FakeAwsAccount, FakeKey

ROOT = "root"  # root's place in the dicts of FakeExtras


class FakeRootGateway:
    """The root port. A write outside the task's policy is denied, as AWS does."""

    def __init__(self, world: FakeAwsAccount, task: RootTask = RootTask.DELETE) -> None:
        self.world, self.task = world, task
        self._calls = 0
        self._assumed = False

    @property
    def account_id(self) -> str:
        return self.world.account_id

    @property
    def calls(self) -> int:
        return self._calls

    def take_turn(self) -> None:
        """No pace."""

    def _begin(self, operation: str, *, is_write: bool = False, **parameters: Any) -> None:
        if not self._assumed and operation != "AssumeRoot":
            self._begin("AssumeRoot", task=self.task.value)
            self._assumed = True
        self._calls += 1
        self.world.log.append((operation, parameters))
        self._fault(operation, after_applying=False)
        if is_write and self.task is not RootTask.DELETE:
            raise AccessDenied("The task policy does not allow it.", operation=operation, code="AccessDenied")

    def _fault(self, operation: str, *, after_applying: bool) -> None:
        queue = self.world.faults[operation]
        if queue and queue[0][1] is after_applying:
            raise queue.pop(0)[0]

    def _done(self, operation: str) -> str:
        self._fault(operation, after_applying=True)
        return f"request-{len(self.world.log)}"

    def _key(self, access_key_id: str) -> FakeKey:
        for key in self.world.root.keys:
            if key.access_key_id == access_key_id:
                return key
        raise NoSuchEntity("There is no such key.", code="NoSuchEntity")

    def list_access_keys(self) -> tuple[ListedKey, ...]:
        self._begin("ListAccessKeys")
        return tuple(ListedKey("", key.access_key_id, key.status, key.created_at) for key in self.world.root.keys)

    def access_key_last_used(self, access_key_id: str) -> KeyLastUse:
        self._begin("GetAccessKeyLastUsed", access_key_id=access_key_id)
        key = self._key(access_key_id)
        used = key.last_used_at
        return KeyLastUse("", used, key.region if used else None, key.service if used else None)

    def has_login_profile(self) -> bool:
        self._begin("GetLoginProfile")
        return self.world.root.password_enabled

    def list_signing_certificates(self) -> tuple[ListedCertificate, ...]:
        self._begin("ListSigningCertificates")
        return tuple(self.world.extras.certificates.get(ROOT, []))

    def list_mfa_devices(self) -> tuple[str, ...]:
        self._begin("ListMFADevices")
        return tuple(self.world.root_mfa_serials)

    def delete_access_key(self, access_key_id: str) -> str:
        self._begin("DeleteAccessKey", is_write=True, access_key_id=access_key_id)
        self.world.root.keys.remove(self._key(access_key_id))
        return self._done("DeleteAccessKey")

    def delete_login_profile(self) -> str:
        self._begin("DeleteLoginProfile", is_write=True)
        if not self.world.root.password_enabled:
            raise NoSuchEntity("Root has no password.", code="NoSuchEntity")
        self.world.root.password_enabled = False
        return self._done("DeleteLoginProfile")

    def delete_signing_certificate(self, certificate_id: str) -> str:
        self._begin("DeleteSigningCertificate", is_write=True, certificate_id=certificate_id)
        listed = self.world.extras.certificates.get(ROOT, [])
        kept = [certificate for certificate in listed if certificate.certificate_id != certificate_id]
        if len(kept) == len(listed):
            raise NoSuchEntity("There is no such certificate.", code="NoSuchEntity")
        self.world.extras.certificates[ROOT] = kept
        return self._done("DeleteSigningCertificate")

    def deactivate_mfa_device(self, serial_number: str) -> str:
        self._begin("DeactivateMFADevice", is_write=True, serial_number=serial_number)
        if serial_number not in self.world.root_mfa_serials:
            raise NoSuchEntity("There is no such device.", code="NoSuchEntity")
        self.world.root_mfa_serials.remove(serial_number)
        self.world.unassigned_mfa_serials.append(serial_number)
        self.world.root.mfa = bool(self.world.root_mfa_serials)
        return self._done("DeactivateMFADevice")

    def delete_virtual_mfa_device(self, serial_number: str) -> str:
        self._begin("DeleteVirtualMFADevice", is_write=True, serial_number=serial_number)
        if serial_number in self.world.root_mfa_serials:
            raise UnexpectedAwsError("The device is still assigned.", code="DeleteConflict")
        if serial_number not in self.world.unassigned_mfa_serials:
            raise NoSuchEntity("There is no such device.", code="NoSuchEntity")
        self.world.unassigned_mfa_serials.remove(serial_number)
        return self._done("DeleteVirtualMFADevice")
