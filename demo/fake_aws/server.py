"""HTTP in front of the world: AWS's query protocol, sessions and their policies, faults, latency. The rest goes to moto."""

from __future__ import annotations

import io
import json
import re
import time
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4
from xml.sax.saxutils import escape

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from demo.fake_aws.answers import Call, Refused, Start, answer, error, error_text, wrapped
from demo.fake_aws.iam import IamCalls
from demo.fake_aws.json_calls import JsonCalls
from demo.fake_aws.organization import ANY_FIRST, AwsAccount
from demo.fake_aws.permissions import ACTS, ORGANIZATION_READS, READS, ROOT_TASKS, allows
from demo.fake_aws.root import RootCalls
from demo.fake_aws.world import Fault, Session, World

CLOCKS_AGREE = timedelta(minutes=5)
SIGNED = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


class FakeAws(IamCalls, RootCalls, JsonCalls):
    """The WSGI application."""

    def __init__(self, world: World, latency: float = 0.0) -> None:
        self.world, self.latency = world, latency
        self.moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """Control paths, or one AWS call."""
        if environ["PATH_INFO"].startswith("/_"):
            return self._control(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        signed = SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
        if signed is None:
            return answer(start_response, 403, error_text("MissingAuthenticationToken", "Request is missing Authentication Token", "none"))
        call = _call_of(environ, body, signed)
        if self.latency:
            time.sleep(self.latency)
        try:
            _check_clock(call, environ)
            return self._serve(call, body, environ, start_response)
        except Refused as refused:
            self.world.record(**self._entry(call), outcome=refused.code)
            return answer(start_response, refused.status, error(call, refused), call.request_id, is_json=call.is_json)

    def _serve(self, call: Call, body: bytes, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        account = self._enter(call)
        fault = self.world.fault_for(account.number if account else "", call.action)
        if fault is not None and not fault.kind.startswith("applied"):
            self._suffer(fault, call, start_response)
            if fault.kind == "never-ready":
                self.world.record(**self._entry(call), outcome="ok")
                return _ok(start_response, call, "<State>INPROGRESS</State>")
        done = self._answered(account, call, body, environ, start_response, also=fault)
        self.world.record(**self._entry(call), outcome="ok")
        if fault is not None:
            raise ConnectionResetError if fault.kind == "applied-then-reset" else _slept(fault)
        return done

    def _answered(
        self, account: AwsAccount | None, call: Call, body: bytes, environ: dict[str, Any], start_response: Start, also: Fault | None
    ) -> Iterable[bytes]:
        """By the handler of the protocol and of the kind of session; moto answers what none of them knows."""
        name = _snake(call.action)
        if call.action == "AssumeRoot":
            return _ok(start_response, call, self.assume_root(call), also=also)
        if call.is_json:
            handler = getattr(self, f"_json_{name}", None)
            if handler is None:
                raise Refused("UnknownOperationException", "", 400)
            return answer(start_response, 200, json.dumps(handler(account, call)), call.request_id, is_json=True)
        is_root = call.session is not None and call.session.task
        handler = (getattr(self, f"_root_{name}", None) if is_root else None) or getattr(self, f"_{name}", None)
        if account is not None and handler is not None:
            return _ok(start_response, call, handler(account, call), also=also)
        return self._pass_on(call, body, environ, start_response)

    def _entry(self, call: Call) -> dict[str, Any]:
        secret = ("Policy", "Version", "Action")
        target = call.parameters.get("TargetPrincipal", "")  # of AssumeRoot
        number = call.session.account if call.session else _number(call.parameters.get("RoleArn", "")) or target
        kept = {name: value for name, value in call.parameters.items() if name not in secret}
        return {
            "account": number,
            "action": call.action,
            "parameters": kept,
            "request_id": call.request_id,
            "session": call.session and call.session.name,
            "source_identity": call.session.source_identity if call.session else call.parameters.get("SourceIdentity", ""),
            "policy": call.session.policy if call.session else call.parameters.get("Policy", ""),
        }

    def _enter(self, call: Call) -> AwsAccount | None:
        """The account that the call is for; checks trust, the session's life and its policies."""
        if call.action == "AssumeRole":
            return self._trusted(call)
        session = self.world.sessions.get(call.key_id)
        if session is None:
            return None
        call.session = session
        if time.time() > session.expires_at:
            raise Refused("ExpiredToken", "The security token included in the request is expired", 403)
        account = self.world.account(session.account)
        if account is not None and call.action != "GetCallerIdentity":
            self._permitted(call, session, account)
        return account

    def _trusted(self, call: Call) -> AwsAccount:
        arn, given = call.parameters.get("RoleArn", ""), call.parameters.get("ExternalId", "")
        account = self.world.account(_number(arn))
        known = account and arn in (account.role_arn(account.read_role), account.role_arn(account.act_role))
        if account is not None and known and given and account.external_id == ANY_FIRST:
            account.external_id = given
        if account is None or not known or given != account.external_id:
            who = "arn:aws:sts::999900001111:assumed-role/key-hygiene/worker"
            raise Refused("AccessDenied", f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}", 403)
        if call.parameters.get("SourceIdentity") and not account.allows_source_identity:
            raise Refused("AccessDenied", f"User: worker is not authorized to perform: sts:SetSourceIdentity on resource: {arn}", 403)
        return account

    def _permitted(self, call: Call, session: Session, account: AwsAccount) -> None:
        """The role's own rights and the session's inline policy: both must allow. A session of root has its task's."""
        resource = self._resource(account, call)
        of_role: tuple[str, ...] = READS if session.role == account.role_arn(account.read_role) else ACTS
        of_role = (*of_role, *ORGANIZATION_READS) if account.number == self.world.organization.management else of_role
        of_role = ROOT_TASKS[session.task] if session.task else of_role
        allowed = call.action in of_role and (not session.policy or allows(session.policy, f"{call.service}:{call.action}", resource))
        if not allowed:
            who = f"arn:{account.partition}:sts::{account.number}:assumed-role/{session.role.rsplit('/', 1)[-1]}/{session.name}"
            raise Refused(
                "AccessDenied", f"User: {who} is not authorized to perform: {call.service}:{call.action} on resource: {resource}", 403
            )

    def _resource(self, account: AwsAccount, call: Call) -> str:
        name = call.parameters.get("UserName")
        if call.action == "GetAccessKeyLastUsed":
            stored = self.world.backend(account).access_keys.get(call.parameters.get("AccessKeyId", ""))
            name = stored.user_name if stored is not None else None
        if name is None:
            return "*"
        user = next((user for user in account.users if user.name == name), None)
        return account.arn(user) if user is not None else f"user {name}"

    def _suffer(self, fault: Fault, call: Call, start_response: Start) -> None:
        if fault.kind == "error":
            words = fault.message or f"User: worker is not authorized to perform: {call.service}:{call.action}"
            raise Refused(fault.code, words, fault.status)
        if fault.kind == "hang":
            raise _slept(fault)
        if fault.kind == "reset":
            raise ConnectionResetError

    def _pass_on(self, call: Call, body: bytes, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """Moto's answer, with our request id."""
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        seen: dict[str, Any] = {}

        def started(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            seen["status"], seen["headers"] = status, headers

        told = b"".join(self.moto(environ, started)).replace(b"0123456789ABCDEF", b"")
        text = re.sub(rb"<RequestId>[^<]*</RequestId>", f"<RequestId>{call.request_id}</RequestId>".encode(), told)
        code = int(seen["status"].split()[0])
        if call.action == "AssumeRole" and code == 200:
            self._remember(call, text)
        if code >= 400:
            self.world.record(**self._entry(call), outcome=str(code))
        return answer(start_response, code, text.decode(), call.request_id)

    def _remember(self, call: Call, text: bytes) -> None:
        found = re.search(rb"<AccessKeyId>([^<]+)</AccessKeyId>", text)
        arn, given = call.parameters["RoleArn"], call.parameters
        if found:
            expires = time.time() + int(given.get("DurationSeconds", "3600"))
            name, identity = given.get("RoleSessionName", ""), given.get("SourceIdentity", "")
            session = Session(_number(arn), arn, name, given.get("Policy", ""), expires, identity)
            self.world.sessions[found[1].decode()] = session

    def _generate_credential_report(self, account: AwsAccount, call: Call) -> str:
        return f"<State>{self.world.generate(account)}</State>"

    def _get_credential_report(self, account: AwsAccount, call: Call) -> str:
        found = self.world.snapshot(account)
        if isinstance(found, str):
            raise Refused(found, "", 404 if found == "ReportInProgress" else 410)
        content, moment = found
        body = f"<Content>{b64encode(content).decode()}</Content><ReportFormat>text/csv</ReportFormat>"
        return f"{body}<GeneratedTime>{moment:%Y-%m-%dT%H:%M:%SZ}</GeneratedTime>"

    def _get_account_summary(self, account: AwsAccount, call: Call) -> str:
        entries = (f"<entry><key>{name}</key><value>{value}</value></entry>" for name, value in self.world.summary(account).items())
        return f"<SummaryMap>{''.join(entries)}</SummaryMap>"

    def _list_virtual_mfa_devices(self, account: AwsAccount, call: Call) -> str:
        members = []
        for user in (account.root, *account.users):
            if user.mfa == "virtual":
                named = "" if user is account.root else f"<UserName>{escape(user.name)}</UserName><Path>{escape(user.path)}</Path>"
                device = "root-account-mfa-device" if user is account.root else user.name
                members.append(
                    f"<member><SerialNumber>arn:{account.partition}:iam::{account.number}:mfa/{escape(device)}</SerialNumber>"
                    f"<User>{named}<Arn>{escape(account.arn(user))}</Arn><UserId>{account.number}</UserId></User></member>"
                )
        return f"<VirtualMFADevices>{''.join(members)}</VirtualMFADevices><IsTruncated>false</IsTruncated>"

    def _get_access_key_last_used(self, account: AwsAccount, call: Call) -> str:
        wanted = call.parameters.get("AccessKeyId", "")
        stored = self.world.backend(account).access_keys.get(wanted)
        if stored is None:
            raise Refused("AccessDenied", "User is not authorized to perform: iam:GetAccessKeyLastUsed", 403)
        key = next(key for user in account.users for key in user.keys if key.access_key_id == wanted)
        used = f"<LastUsedDate>{key.last_used_at:%Y-%m-%dT%H:%M:00Z}</LastUsedDate>" if key.last_used_at else ""
        region, service = (key.region, key.service) if key.last_used_at else ("N/A", "N/A")
        place = f"<Region>{region}</Region><ServiceName>{service}</ServiceName>"
        return f"<UserName>{escape(stored.user_name)}</UserName><AccessKeyLastUsed>{used}{place}</AccessKeyLastUsed>"

    def _update_access_key(self, account: AwsAccount, call: Call) -> str:
        if call.parameters.get("Status") not in ("Active", "Inactive"):
            raise Refused("ValidationError", "1 validation error detected: Value at 'status' failed to satisfy constraint", 400)
        self._stored(account, call).status = call.parameters["Status"]
        return ""

    def _delete_access_key(self, account: AwsAccount, call: Call) -> str:
        self.world.backend(account).delete_access_key_by_name(self._stored(account, call).access_key_id)
        return ""

    def _stored(self, account: AwsAccount, call: Call) -> Any:
        wanted, backend = call.parameters.get("AccessKeyId", ""), self.world.backend(account)
        stored = backend.access_keys.get(wanted)
        if stored is None or stored.user_name != call.parameters.get("UserName"):
            raise Refused("NoSuchEntity", f"The Access Key with id {wanted} cannot be found.", 404)
        return stored

    def _control(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """`/_log` the calls so far; POST `/_faults` a fault as JSON; `/_keys/ID` a key's status now."""
        path = environ["PATH_INFO"]
        if path == "/_faults" and environ["REQUEST_METHOD"] == "POST":
            self.world.fail(Fault(**json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))))
        found: Any = {"/_log": self.world.log}.get(path, [])
        if path.startswith("/_keys/"):
            found = {"status": self.world.status_of(path.removeprefix("/_keys/"))}
        text = json.dumps(found).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]


def _check_clock(call: Call, environ: dict[str, Any]) -> None:
    """AWS refuses signatures of more than five minutes ago, and of the future."""
    signed = datetime.strptime(environ["HTTP_X_AMZ_DATE"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    off = signed - datetime.now(UTC)
    if abs(off) > CLOCKS_AGREE:
        what = "Signature not yet current" if off > CLOCKS_AGREE else "Signature expired"
        raise Refused("SignatureDoesNotMatch", f"{what}: {signed:%Y%m%dT%H%M%SZ}", 403)


def _slept(fault: Fault) -> ConnectionResetError:
    time.sleep(fault.seconds)
    return ConnectionResetError()


def _snake(action: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", action.replace("MFA", "Mfa").replace("SSH", "Ssh")).lower()


def _call_of(environ: dict[str, Any], body: bytes, signed: re.Match[str]) -> Call:
    """By the JSON protocol's header, else by the query protocol."""
    target, parameters = environ.get("HTTP_X_AMZ_TARGET", ""), {}
    if target:
        action, parameters = target.rsplit(".", 1)[1], json.loads(body or b"{}")
    else:
        parameters = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        action = parameters.get("Action", "")
    return Call(action, parameters, signed["key"], signed["service"], signed["region"], str(uuid4()), is_json=bool(target))


def _ok(start_response: Start, call: Call, result: str, also: Fault | None = None) -> Iterable[bytes]:
    held_back = also is not None and also.kind.startswith("applied")
    return [] if held_back else answer(start_response, 200, wrapped(call, result), call.request_id)


def _number(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 4 else ""
