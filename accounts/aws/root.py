"""Root credentials of a member account through sts:AssumeRoot. Calls carry no user name; a write is sent once."""

from __future__ import annotations

from typing import Any

from accounts.aws.connection import IAM, IAM_WRITE, Api, Connection, request_id
from accounts.aws.credentials import last_use, listed_certificate, listed_key, mfa_serial
from accounts.aws.session import Credentials
from accounts.gateway import KeyLastUse, ListedCertificate, ListedKey, NoSuchEntity

SECONDS = 900  # the longest, and the default, that AWS allows


class AwsRootGateway(Connection):
    """One AssumeRoot session with the worker's own identity, limited by the spec's task policy."""

    @property
    def _can_renew(self) -> bool:
        return True

    def _obtain(self) -> Credentials:
        """sts:AssumeRoot at a regional endpoint; the global one does not know the call."""
        answer = self.in_home_regions(self._assume_root_in)
        return Credentials.given(answer.get("Credentials") or {}, "AssumeRoot")

    def _assume_root_in(self, region: str) -> dict[str, Any]:
        task = {"arn": f"arn:{self.spec.partition}:iam::aws:policy/root-task/{self.spec.task}"}
        parameters = {"TargetPrincipal": self.account_id, "TaskPolicyArn": task, "DurationSeconds": SECONDS}
        return self._send(lambda: dict(self._made(Api("sts", region=region), None).assume_root(**parameters)), "AssumeRoot")

    def list_access_keys(self) -> tuple[ListedKey, ...]:
        """iam:ListAccessKeys of root, all pages; the user name is empty whatever AWS writes."""
        pages = self.pages("list_access_keys", "ListAccessKeys")
        entries = [entry for page in pages for entry in page.get("AccessKeyMetadata") or []]
        return tuple(listed_key({**entry, "UserName": ""}, "") for entry in entries)

    def access_key_last_used(self, access_key_id: str) -> KeyLastUse:
        """iam:GetAccessKeyLastUsed."""
        return last_use(self.call(IAM, "get_access_key_last_used", "GetAccessKeyLastUsed", AccessKeyId=access_key_id))

    def has_login_profile(self) -> bool:
        """iam:GetLoginProfile; NoSuchEntity is no."""
        try:
            self.call(IAM, "get_login_profile", "GetLoginProfile")
        except NoSuchEntity:
            return False
        return True

    def list_signing_certificates(self) -> tuple[ListedCertificate, ...]:
        """iam:ListSigningCertificates of root, all pages."""
        pages = self.pages("list_signing_certificates", "ListSigningCertificates")
        return tuple(listed_certificate(entry) for page in pages for entry in page.get("Certificates") or [])

    def list_mfa_devices(self) -> tuple[str, ...]:
        """Serial numbers by iam:ListMFADevices of root, all pages."""
        pages = self.pages("list_mfa_devices", "ListMFADevices")
        return tuple(mfa_serial(entry) for page in pages for entry in page.get("MFADevices") or [])

    def delete_access_key(self, access_key_id: str) -> str:
        """iam:DeleteAccessKey, one attempt on the wire."""
        return self._write("delete_access_key", "DeleteAccessKey", AccessKeyId=access_key_id)

    def delete_login_profile(self) -> str:
        """iam:DeleteLoginProfile, one attempt on the wire."""
        return self._write("delete_login_profile", "DeleteLoginProfile")

    def delete_signing_certificate(self, certificate_id: str) -> str:
        """iam:DeleteSigningCertificate, one attempt on the wire."""
        return self._write("delete_signing_certificate", "DeleteSigningCertificate", CertificateId=certificate_id)

    def deactivate_mfa_device(self, serial_number: str) -> str:
        """iam:DeactivateMFADevice, one attempt on the wire."""
        return self._write("deactivate_mfa_device", "DeactivateMFADevice", SerialNumber=serial_number)

    def delete_virtual_mfa_device(self, serial_number: str) -> str:
        """iam:DeleteVirtualMFADevice, one attempt on the wire; AWS refuses it while the device is assigned."""
        return self._write("delete_virtual_mfa_device", "DeleteVirtualMFADevice", SerialNumber=serial_number)

    def _write(self, method: str, operation: str, **parameters: str) -> str:
        return request_id(self.call(IAM_WRITE, method, operation, **parameters), operation)
