"""Access keys, passwords, certificates, SSH keys and service credentials of users: lists and changes. A write is sent once."""

from __future__ import annotations

from typing import Any

from accounts.aws.connection import IAM, IAM_WRITE, Connection, needed, request_id, utc
from accounts.gateway import KeyLastUse, ListedCertificate, ListedKey, ListedSshKey, NoSuchEntity, ServiceCredential


def listed_key(entry: dict[str, Any], user_name: str) -> ListedKey:
    """One entry of ListAccessKeys. A status that is not known is kept as AWS writes it."""
    key_id = str(needed(entry, "AccessKeyId", "ListAccessKeys"))
    return ListedKey(str(entry.get("UserName", user_name)), key_id, str(entry.get("Status", "")), utc(entry.get("CreateDate")))


def listed_certificate(entry: dict[str, Any]) -> ListedCertificate:
    """One entry of ListSigningCertificates, without the certificate's body."""
    certificate_id = str(needed(entry, "CertificateId", "ListSigningCertificates"))
    return ListedCertificate(certificate_id, str(entry.get("Status", "")), utc(entry.get("UploadDate")))


def mfa_serial(entry: dict[str, Any]) -> str:
    """The serial number of one entry of ListMFADevices, from which its kind is told."""
    return str(needed(entry, "SerialNumber", "ListMFADevices"))


def last_use(answer: dict[str, Any]) -> KeyLastUse:
    """GetAccessKeyLastUsed. Raises Unreachable when the answer says nothing of the use: that is unknown, not never."""
    use = needed(answer, "AccessKeyLastUsed", "GetAccessKeyLastUsed")
    return KeyLastUse(
        str(answer.get("UserName", "")), utc(use.get("LastUsedDate")), _named(use.get("Region")), _named(use.get("ServiceName"))
    )


def _named(word: object) -> str | None:
    """A region or service; AWS writes N/A for none."""
    return None if word in (None, "", "N/A") else str(word)


class CredentialCalls(Connection):
    """Credentials of one user, by the user's name."""

    def list_access_keys(self, user_name: str) -> tuple[ListedKey, ...]:
        """iam:ListAccessKeys of one user, all pages. A key that stands on two pages, as when one was made meanwhile, is one."""
        pages = self.pages("list_access_keys", "ListAccessKeys", UserName=user_name)
        found = (listed_key(entry, user_name) for page in pages for entry in page.get("AccessKeyMetadata") or [])
        return tuple({key.access_key_id: key for key in found}.values())

    def list_mfa_devices(self, user_name: str) -> tuple[str, ...]:
        """iam:ListMFADevices of one user, all pages."""
        pages = self.pages("list_mfa_devices", "ListMFADevices", UserName=user_name)
        return tuple(mfa_serial(entry) for page in pages for entry in page.get("MFADevices") or [])

    def access_key_last_used(self, access_key_id: str) -> KeyLastUse:
        """iam:GetAccessKeyLastUsed."""
        return last_use(self.call(IAM, "get_access_key_last_used", "GetAccessKeyLastUsed", AccessKeyId=access_key_id))

    def update_access_key(self, user_name: str, access_key_id: str, *, active: bool) -> str:
        """iam:UpdateAccessKey, one attempt on the wire."""
        return self._write("update_access_key", "UpdateAccessKey", UserName=user_name, AccessKeyId=access_key_id, Status=_status(active))

    def delete_access_key(self, user_name: str, access_key_id: str) -> str:
        """iam:DeleteAccessKey, one attempt on the wire."""
        return self._write("delete_access_key", "DeleteAccessKey", UserName=user_name, AccessKeyId=access_key_id)

    def has_login_profile(self, user_name: str) -> bool:
        """iam:GetLoginProfile; NoSuchEntity is no."""
        try:
            self.call(IAM, "get_login_profile", "GetLoginProfile", UserName=user_name)
        except NoSuchEntity:
            return False
        return True

    def delete_login_profile(self, user_name: str) -> str:
        """iam:DeleteLoginProfile, one attempt on the wire."""
        return self._write("delete_login_profile", "DeleteLoginProfile", UserName=user_name)

    def list_signing_certificates(self, user_name: str) -> tuple[ListedCertificate, ...]:
        """iam:ListSigningCertificates of one user, all pages."""
        pages = self.pages("list_signing_certificates", "ListSigningCertificates", UserName=user_name)
        return tuple(listed_certificate(entry) for page in pages for entry in page.get("Certificates") or [])

    def update_signing_certificate(self, user_name: str, certificate_id: str, *, active: bool) -> str:
        """iam:UpdateSigningCertificate, one attempt on the wire."""
        parameters = {"UserName": user_name, "CertificateId": certificate_id, "Status": _status(active)}
        return self._write("update_signing_certificate", "UpdateSigningCertificate", **parameters)

    def delete_signing_certificate(self, user_name: str, certificate_id: str) -> str:
        """iam:DeleteSigningCertificate, one attempt on the wire."""
        return self._write("delete_signing_certificate", "DeleteSigningCertificate", UserName=user_name, CertificateId=certificate_id)

    def list_ssh_keys(self, user_name: str) -> tuple[ListedSshKey, ...]:
        """iam:ListSSHPublicKeys of one user, all pages."""
        return tuple(
            ListedSshKey(
                str(needed(entry, "SSHPublicKeyId", "ListSSHPublicKeys")), str(entry.get("Status", "")), utc(entry.get("UploadDate"))
            )
            for page in self.pages("list_ssh_public_keys", "ListSSHPublicKeys", UserName=user_name)
            for entry in page.get("SSHPublicKeys") or []
        )

    def service_credentials(self) -> tuple[ServiceCredential, ...]:
        """iam:ListServiceSpecificCredentials with AllUsers, all pages."""
        return tuple(
            ServiceCredential(
                user_name=str(entry.get("UserName", "")),
                credential_id=str(needed(entry, "ServiceSpecificCredentialId", "ListServiceSpecificCredentials")),
                service=str(entry.get("ServiceName", "")),
                status=str(entry.get("Status", "")),
                created_at=utc(entry.get("CreateDate")),
                expires_at=utc(entry.get("ExpirationDate")),
            )
            for page in self.pages("list_service_specific_credentials", "ListServiceSpecificCredentials", AllUsers=True)
            for entry in page.get("ServiceSpecificCredentials") or []
        )

    def _write(self, method: str, operation: str, **parameters: str) -> str:
        return request_id(self.call(IAM_WRITE, method, operation, **parameters), operation)


def _status(active: bool) -> str:
    return "Active" if active else "Inactive"
