"""IAM's lists that come from the cast's own data: users in detail, passwords, certificates, SSH keys, service credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote
from uuid import uuid4

from demo.fake_aws.answers import Call, Refused, members, tag
from demo.fake_aws.documents import DOCUMENTS
from demo.fake_aws.organization import AwsAccount, AwsUser
from demo.fake_aws.world import World, iso


class IamCalls:
    """Handlers by the snake-cased name of the action; each returns the inside of the result."""

    world: World

    def _present(self, account: AwsAccount) -> list[AwsUser]:
        stored = self.world.backend(account).users
        names = {user.name for user in stored.values()}
        return [user for user in account.users if user.name in names]

    def _user(self, account: AwsAccount, call: Call) -> AwsUser:
        """The user of the call, or root in a session of root."""
        if call.session is not None and call.session.task:
            return account.root
        name = call.parameters.get("UserName", "")
        for user in self._present(account):
            if user.name == name:
                return user
        raise Refused("NoSuchEntity", f"The user with name {name} cannot be found.", 404)

    def _list_users(self, account: AwsAccount, call: Call) -> str:
        page, more = paged(self._present(account), call)
        return members("Users", (_identity(account, user) for user in page)) + more

    def _get_user(self, account: AwsAccount, call: Call) -> str:
        return f"<User>{_identity(account, self._user(account, call))}</User>"

    def _get_account_authorization_details(self, account: AwsAccount, call: Call) -> str:
        page, more = paged(self._present(account), call)
        last = "true" not in more
        text = members("UserDetailList", (_detail(account, user) for user in page))
        if last:
            text += members("GroupDetailList", (_group(account, name, arns) for name, arns in account.groups.items()))
            text += members("Policies", _policies(account))
        return text + more

    def _get_account_password_policy(self, account: AwsAccount, call: Call) -> str:
        policy = account.password_policy
        if policy is None:
            raise Refused("NoSuchEntity", f"The Password Policy with domain name {account.number} cannot be found.", 404)
        return f"<PasswordPolicy>{''.join(tag(name, str(value).lower()) for name, value in policy.items())}</PasswordPolicy>"

    def _list_service_specific_credentials(self, account: AwsAccount, call: Call) -> str:
        rows = [
            tag("UserName", user.name)
            + tag("Status", "Active")
            + tag("ServiceSpecificCredentialId", f"ACCA{user.user_id[4:20]}")
            + tag("ServiceName", service)
            + tag("CreateDate", iso(born))
            + (tag("ExpirationDate", iso(expires)) if expires else "")
            for user in self._present(account)
            for service, born, expires in user.service_credentials
        ]
        return members("ServiceSpecificCredentials", rows) + tag("IsTruncated", "false")

    def _list_ssh_public_keys(self, account: AwsAccount, call: Call) -> str:
        user = self._user(account, call)
        rows = (
            tag("UserName", user.name) + tag("SSHPublicKeyId", _ssh_id(user)) + tag("Status", "Active") + tag("UploadDate", iso(born))
            for born in user.ssh_keys
        )
        return members("SSHPublicKeys", rows) + tag("IsTruncated", "false")

    def _list_signing_certificates(self, account: AwsAccount, call: Call) -> str:
        rows = (
            tag("CertificateId", certificate_id(moment))
            + tag("CertificateBody", "hidden")
            + tag("Status", "Active" if active else "Inactive")
            + tag("UploadDate", iso(moment))
            for active, moment in self._user(account, call).certificates
        )
        return members("Certificates", rows) + tag("IsTruncated", "false")

    def _list_mfa_devices(self, account: AwsAccount, call: Call) -> str:
        user = self._user(account, call)
        rows = (
            tag("UserName", user.name) + tag("SerialNumber", serial) + tag("EnableDate", iso(user.created_at))
            for serial in account.mfa_serials(user)
        )
        return members("MFADevices", rows) + tag("IsTruncated", "false")

    def _certificate(self, user: AwsUser, call: Call) -> int:
        for place, (_, moment) in enumerate(user.certificates):
            if certificate_id(moment) == call.parameters.get("CertificateId"):
                return place
        raise Refused("NoSuchEntity", "The Certificate cannot be found.", 404)

    def _update_signing_certificate(self, account: AwsAccount, call: Call) -> str:
        user, status = self._user(account, call), call.parameters.get("Status")
        if status not in ("Active", "Inactive"):
            raise Refused("ValidationError", "Value at 'status' failed to satisfy constraint", 400)
        place = self._certificate(user, call)
        user.certificates[place] = (status == "Active", user.certificates[place][1])
        return ""

    def _delete_signing_certificate(self, account: AwsAccount, call: Call) -> str:
        user = self._user(account, call)
        del user.certificates[self._certificate(user, call)]
        return ""

    def _get_login_profile(self, account: AwsAccount, call: Call) -> str:
        user = self._user(account, call)
        if not user.password:
            shown = "null" if user is account.root else user.name
            raise Refused("NoSuchEntity", f"Login Profile for User {shown} cannot be found.", 404)
        return f"<LoginProfile>{tag('UserName', user.name)}{tag('CreateDate', iso(user.created_at))}</LoginProfile>"

    def _delete_login_profile(self, account: AwsAccount, call: Call) -> str:
        self._get_login_profile(account, call)
        self._user(account, call).password = False
        return ""

    def _generate_service_last_accessed_details(self, account: AwsAccount, call: Call) -> str:
        arn = call.parameters.get("Arn", "")
        user = next((user for user in self._present(account) if account.arn(user) == arn), None)
        if user is None:
            raise Refused("NoSuchEntity", f"ARN {arn} cannot be found.", 404)
        job = str(uuid4())
        self.world.jobs[job] = (call.key_id, user)
        return tag("JobId", job)

    def _get_service_last_accessed_details(self, account: AwsAccount, call: Call) -> str:
        key_id, user = self.world.jobs.get(call.parameters.get("JobId", ""), ("", account.root))
        if key_id != call.key_id:
            raise Refused("NoSuchEntity", "The job cannot be found.", 404)
        rows = (
            tag("ServiceName", key.service)
            + tag("ServiceNamespace", key.service)
            + (tag("LastAuthenticated", iso(key.last_used_at)) + tag("LastAuthenticatedRegion", key.region) if key.last_used_at else "")
            for key in user.keys
        )
        return tag("JobStatus", "COMPLETED") + members("ServicesLastAccessed", rows) + tag("IsTruncated", "false")

    def _list_organizations_features(self, account: AwsAccount, call: Call) -> str:
        if account.number != self.world.organization.management:
            raise Refused("AccountNotManagementOrDelegatedAdministratorException", "The account is not in charge.", 400)
        features = members("EnabledFeatures", self.world.organization.features)
        return tag("OrganizationId", self.world.organization.organization_id) + features


def paged(users: list[AwsUser], call: Call) -> tuple[list[AwsUser], str]:
    """One page by MaxItems (100 without it) and Marker, and the end of the answer."""
    begin, size = int(call.parameters.get("Marker", "0")), int(call.parameters.get("MaxItems", "100"))
    more = begin + size < len(users)
    end = tag("IsTruncated", "true") + tag("Marker", begin + size) if more else tag("IsTruncated", "false")
    return users[begin : begin + size], end


def certificate_id(moment: datetime) -> str:
    """Made from the moment of its upload."""
    return f"CERT{int(moment.timestamp()):020d}"


def _ssh_id(user: AwsUser) -> str:
    return f"APKA{user.user_id[4:20]}"


def _identity(account: AwsAccount, user: AwsUser) -> str:
    known = tag("Path", user.path) + tag("UserName", user.name) + tag("UserId", user.user_id) + tag("Arn", account.arn(user))
    return known + tag("CreateDate", iso(user.created_at)) + (tag("PasswordLastUsed", iso(user.signed_in_at)) if user.signed_in_at else "")


def _detail(account: AwsAccount, user: AwsUser) -> str:
    tags = {**user.tags, **{key.access_key_id: key.note for key in user.keys if key.note}}
    return (
        _identity(account, user)
        + members("GroupList", (name for name in user.groups))
        + members("AttachedManagedPolicies", (_attached(account, name) for name in user.policies))
        + members("Tags", (tag("Key", name) + tag("Value", value) for name, value in tags.items()))
    )


def policy_arn(account: AwsAccount, name: str) -> str:
    """AWS's own for names that AWS owns; a name with a path is the account's."""
    return f"arn:{account.partition}:iam::{account.number if '/' in name else 'aws'}:policy/{name}"


def _attached(account: AwsAccount, name: str) -> str:
    return tag("PolicyName", name.rsplit("/", 1)[-1]) + tag("PolicyArn", policy_arn(account, name))


def _group(account: AwsAccount, name: str, policies: list[str]) -> str:
    arn = f"arn:{account.partition}:iam::{account.number}:group/{name}"
    return tag("GroupName", name) + tag("Arn", arn) + members("AttachedManagedPolicies", (_attached(account, one) for one in policies))


def _policies(account: AwsAccount) -> Iterator[str]:
    for name, document in DOCUMENTS.items():
        text = quote(json.dumps(document))
        version = f"<member>{tag('Document', text)}{tag('VersionId', 'v1')}{tag('IsDefaultVersion', 'true')}</member>"
        known = tag("PolicyName", name.rsplit("/", 1)[-1]) + tag("Arn", policy_arn(account, name)) + tag("DefaultVersionId", "v1")
        yield f"{known}<PolicyVersionList>{version}</PolicyVersionList>"
