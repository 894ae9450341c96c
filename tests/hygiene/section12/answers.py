"""What AWS answers in XML, made from an account in memory: one function for each operation. LookupError is NoSuchEntity."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias
from xml.sax.saxutils import escape

from tests.fakes import FakeAwsAccount, FakeKey, FakeUser, iso

NAMESPACES = {"iam": "https://iam.amazonaws.com/doc/2010-05-08/", "sts": "https://sts.amazonaws.com/doc/2011-06-15/"}
Make: TypeAlias = Callable[[FakeAwsAccount, dict[str, str]], str]


def _generate(world: FakeAwsAccount, _: dict[str, str]) -> str:
    state = world.gateway().generate_credential_report()
    return f"<State>{state.value}</State>" + ("" if state == "COMPLETE" else "<Description>Starting a new report</Description>")


def _summary(world: FakeAwsAccount, _: dict[str, str]) -> str:
    values = {**world.gateway().account_summary().values, "UsersQuota": 5000, "AccessKeysPerUserQuota": 2}
    entries = "".join(f"<entry><key>{name}</key><value>{value}</value></entry>" for name, value in values.items())
    return f"<SummaryMap>{entries}</SummaryMap>"


def _devices(world: FakeAwsAccount, parameters: dict[str, str]) -> str:
    if parameters.get("AssignmentStatus") != "Assigned":
        raise AssertionError("the poller asks for assigned devices only")
    members = []
    for user in (world.root, *world.users.values()):
        if user.virtual_mfa:
            name = "" if user is world.root else f"<Path>{escape(user.path)}</Path><UserName>{escape(user.name)}</UserName>"
            serial = world.mfa_serials(user)[0]
            owner = f"<User>{name}<UserId>{user.user_id or world.account_id}</UserId><Arn>{escape(world.arn(user))}</Arn></User>"
            members.append(f"<SerialNumber>{escape(serial)}</SerialNumber>{owner}<EnableDate>2020-01-01T00:00:00Z</EnableDate>")
    return _list("VirtualMFADevices", members)


def _list(name: str, members: Iterable[str]) -> str:
    return f"<{name}>{''.join(f'<member>{member}</member>' for member in members)}</{name}><IsTruncated>false</IsTruncated>"


def _user(world: FakeAwsAccount, parameters: dict[str, str]) -> FakeUser:
    """Temporary credentials must name a user; without a name the caller is meant, and a role is none."""
    if "UserName" not in parameters:
        raise AssertionError("temporary credentials must say UserName")
    return world.users[parameters["UserName"]]


def _key(user: FakeUser, parameters: dict[str, str]) -> FakeKey:
    for key in user.keys:
        if key.access_key_id == parameters["AccessKeyId"]:
            return key
    raise LookupError


def _keys(world: FakeAwsAccount, parameters: dict[str, str]) -> str:
    user = _user(world, parameters)
    return _list(
        "AccessKeyMetadata",
        (
            f"<UserName>{escape(user.name)}</UserName><AccessKeyId>{key.access_key_id}</AccessKeyId>"
            f"<Status>{key.status}</Status><CreateDate>{iso(key.created_at)}</CreateDate>"
            for key in reversed(user.keys)
        ),
    )


def _mfa_devices(world: FakeAwsAccount, parameters: dict[str, str]) -> str:
    user = _user(world, parameters)
    return _list(
        "MFADevices",
        (
            f"<UserName>{escape(user.name)}</UserName><SerialNumber>{escape(serial)}</SerialNumber><EnableDate>2020-01-01T00:00:00Z</EnableDate>"
            for serial in world.mfa_serials(user)
        ),
    )


def _last_used(world: FakeAwsAccount, parameters: dict[str, str]) -> str:
    for user in world.users.values():
        for key in user.keys:
            if key.access_key_id == parameters["AccessKeyId"]:
                used = key.last_used_at
                date = f"<LastUsedDate>{iso(used)}</LastUsedDate>" if used else ""
                where = (key.region, key.service) if used else ("N/A", "N/A")
                inner = f"{date}<Region>{where[0]}</Region><ServiceName>{where[1]}</ServiceName>"
                return f"<UserName>{escape(user.name)}</UserName><AccessKeyLastUsed>{inner}</AccessKeyLastUsed>"
    raise LookupError


def _update(world: FakeAwsAccount, parameters: dict[str, str]) -> str:
    if parameters["Status"] not in ("Active", "Inactive"):
        raise AssertionError("AWS answers ValidationError to any other word")
    _key(_user(world, parameters), parameters).status = parameters["Status"]
    return ""


def _delete(world: FakeAwsAccount, parameters: dict[str, str]) -> str:
    user = _user(world, parameters)
    user.keys.remove(_key(user, parameters))
    return ""


def _described(world: FakeAwsAccount, user: FakeUser) -> str:
    return (
        f"<Path>{escape(user.path)}</Path><UserName>{escape(user.name)}</UserName><UserId>{user.user_id}</UserId>"
        f"<Arn>{escape(world.arn(user))}</Arn><CreateDate>{iso(user.created_at)}</CreateDate>"
    )


def _users(world: FakeAwsAccount, _: dict[str, str]) -> str:
    return _list("Users", (_described(world, user) for user in world.users.values()))


def _details(world: FakeAwsAccount, _: dict[str, str]) -> str:
    tags = world.extras.tags
    members = []
    for user in world.users.values():
        pairs = "".join(
            f"<member><Key>{escape(name)}</Key><Value>{escape(value)}</Value></member>" for name, value in tags.get(user.name, {}).items()
        )
        members.append(
            f"{_described(world, user)}<GroupList/><UserPolicyList/><AttachedManagedPolicies/>{f'<Tags>{pairs}</Tags>' if pairs else ''}"
        )
    return _list("UserDetailList", members) + "<GroupDetailList/><RoleDetailList/><Policies/>"


def _password_policy(world: FakeAwsAccount, _: dict[str, str]) -> str:
    raise LookupError


def _profile(world: FakeAwsAccount, parameters: dict[str, str]) -> str:
    user = _user(world, parameters)
    if not user.password_enabled:
        raise LookupError
    inner = f"<UserName>{escape(user.name)}</UserName><CreateDate>{iso(user.created_at)}</CreateDate>"
    return f"<LoginProfile>{inner}</LoginProfile>"


def _none(name: str) -> Make:
    return lambda world, parameters: _list(name, ())


ANSWERS: dict[str, Make] = {
    "GenerateCredentialReport": _generate,
    "GetAccountSummary": _summary,
    "ListVirtualMFADevices": _devices,
    "ListMFADevices": _mfa_devices,
    "ListAccessKeys": _keys,
    "GetAccessKeyLastUsed": _last_used,
    "UpdateAccessKey": _update,
    "DeleteAccessKey": _delete,
    "ListUsers": _users,
    "GetAccountAuthorizationDetails": _details,
    "GetAccountPasswordPolicy": _password_policy,
    "GetLoginProfile": _profile,
    "ListServiceSpecificCredentials": _none("ServiceSpecificCredentials"),
    "ListSSHPublicKeys": _none("SSHPublicKeys"),
    "ListSigningCertificates": _none("Certificates"),
}
