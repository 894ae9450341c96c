"""AWS as bytes: HTTP bodies below boto3, made from accounts in memory or written by a test. As strict as AWS where a poller could err.

The real adapter, botocore's signing, retries and parsers all run; only the socket is replaced. Credentials of a session carry the
account that they were given for, so a call reaches the account that it was signed for and no other.
"""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from tests.fakes import SNAPSHOT, FakeAwsAccount, FakeKey, FakeUser, iso
from tests.hygiene.section12.answers import ANSWERS, NAMESPACES

Answer: TypeAlias = tuple[int, bytes]
Parameters: TypeAlias = dict[str, str]
HOSTS = {
    "aws": ("iam.amazonaws.com", "sts.us-east-1.amazonaws.com", "sts.us-west-2.amazonaws.com"),
    "aws-us-gov": ("iam.us-gov.amazonaws.com", "sts.us-gov-west-1.amazonaws.com"),
    "aws-cn": ("iam.cn-north-1.amazonaws.com.cn", "sts.cn-north-1.amazonaws.com.cn"),
    "aws-eusc": ("iam.eusc-de-east-1.amazonaws.eu", "sts.eusc-de-east-1.amazonaws.eu"),
}
EXTERNAL_ID = "external-id-of-ours"


class Refused(Exception):
    """An error answer of AWS. Errors of credential reports carry no message on the wire, so none is given."""

    def __init__(self, status: int, code: str, message: str | None = None) -> None:
        super().__init__(code)
        self.answer = error(status, code, message)


class Raw:
    """What AWSResponse reads its body from."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def read1(self, amount: int) -> bytes:
        piece, self.body = self.body[:amount], self.body[amount:]
        return piece


def error(status: int, code: str, message: str | None = None) -> Answer:
    """An error of the query protocol."""
    words = "" if message is None else f"<Message>{message}</Message>"
    text = f'<ErrorResponse xmlns="{NAMESPACES["iam"]}"><Error><Type>Sender</Type><Code>{code}</Code>{words}</Error>'
    return status, f"{text}<RequestId>request-of-an-error</RequestId></ErrorResponse>".encode()


@dataclass
class Wire:
    """All of AWS: accounts by number, what was asked of them, and answers that a test scripts before theirs."""

    accounts: dict[str, FakeAwsAccount] = field(default_factory=dict)
    asked: list[tuple[str, str, Parameters]] = field(default_factory=list)  # account, action, parameters
    scripted: dict[str, list[Answer | Exception | Callable[[], Answer]]] = field(default_factory=lambda: defaultdict(list))
    content: dict[str, str] = field(default_factory=dict)  # by account: the text of Content, instead of the report in base64
    organization: list[dict[str, str]] = field(default_factory=list)
    answered: dict[str, bytes] = field(default_factory=dict)  # by action: the body of its last answer

    def script(self, action: str, *answers: Answer | Exception, account: str = "", times: int = 1) -> None:
        """These answers come first, in turn; an exception is a failure of the connection."""
        self.scripted[account + action] += list(answers) * times

    def loses_answer(self, action: str, failure: Exception) -> None:
        """The next call is carried out, and its answer is lost on the way."""
        self.scripted[action].append(Applied(failure))

    def calls(self, action: str) -> int:
        return sum(name == action for _, name, _ in self.asked)

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """In place of the socket."""
        host = str(urlsplit(request.url).hostname)
        if target := _text(request.headers.get("X-Amz-Target", "")):
            return _response(request, self._of_organization(target.rsplit(".", 1)[1]), "application/x-amz-json-1.1")
        parameters = {name: values[0] for name, values in parse_qs(_text(request.body), keep_blank_values=True).items()}
        action = parameters["Action"]
        number = self._account_of(action, parameters, str(request.headers["Authorization"]))
        self.asked.append((number, action, parameters))
        try:
            answer = self._answered(number, action, parameters, host)
        except Refused as refused:
            answer = refused.answer
        self.answered[action] = answer[1]
        return _response(request, answer, "text/xml")

    def _account_of(self, action: str, parameters: Parameters, authorization: str) -> str:
        if action == "AssumeRole":
            return parameters["RoleArn"].split(":")[4]
        signed = re.search(r"Credential=ASIA(\d{12})", authorization)
        return signed[1] if signed else ""

    def _answered(self, number: str, action: str, parameters: Parameters, host: str) -> Answer:
        for key in (number + action, action):
            if self.scripted[key]:
                answer = self.scripted[key].pop(0)
                if isinstance(answer, Applied):
                    self._answer(number, action, parameters, host)
                    raise answer.failure
                if isinstance(answer, Exception):
                    raise answer
                return answer() if callable(answer) else answer
        return self._answer(number, action, parameters, host)

    def _answer(self, number: str, action: str, parameters: Parameters, host: str) -> Answer:
        world = self.accounts.get(number)
        if action == "GetCallerIdentity" and not number:
            return result(action, "<Account>999988887777</Account><Arn>arn:aws:iam::999988887777:user/worker</Arn><UserId>AIDA</UserId>")
        if world is None:
            raise Refused(403, "AccessDenied", "User: x is not authorized to perform: sts:AssumeRole")
        if host not in HOSTS[world.partition]:
            raise Refused(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        if action == "AssumeRole":
            return result(action, _assumed(number, parameters))
        if action == "GetCredentialReport":
            return result(action, self._report(world))
        make = ANSWERS.get(action)
        if make is None:
            raise Refused(400, "InvalidAction", f"Could not find operation {action} for version 2010-05-08")
        try:
            return result(action, make(world, parameters))
        except LookupError:
            raise Refused(404, "NoSuchEntity", "The user or key cannot be found.") from None

    def _report(self, world: FakeAwsAccount) -> str:
        if world.snapshot is None:
            raise Refused(410, "ReportNotPresent")
        if world.now - world.snapshot.generated_at >= SNAPSHOT:
            raise Refused(410, "ReportExpired")
        content = self.content.get(world.account_id, base64.b64encode(world.snapshot.content).decode())
        made = iso(world.snapshot.generated_at)
        return f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat><GeneratedTime>{made}</GeneratedTime>"

    def _of_organization(self, action: str) -> Answer:
        """AWS Organizations: the list of accounts, and no permission for anything else."""
        if action == "ListAccounts":
            return 200, json.dumps({"Accounts": self.organization}).encode()
        return 400, json.dumps({"__type": "AccessDeniedException"}).encode()


class Applied(Exception):
    """Stands in a script for: do it, then fail so."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(str(failure))
        self.failure = failure


def result(action: str, inner: str) -> Answer:
    """A good answer of the query protocol, in its namespace."""
    namespace = NAMESPACES["sts" if action.startswith(("Assume", "GetCaller")) else "iam"]
    text = f'<{action}Response xmlns="{namespace}"><{action}Result>{inner}</{action}Result>'
    return 200, f"{text}<ResponseMetadata><RequestId>request-of-{action}</RequestId></ResponseMetadata></{action}Response>".encode()


def _assumed(number: str, parameters: Parameters) -> str:
    if parameters.get("ExternalId") != EXTERNAL_ID:
        raise Refused(403, "AccessDenied", "User: x is not authorized to perform: sts:AssumeRole on resource: y")
    expires = iso(datetime.now(UTC) + timedelta(hours=1))
    partition, role = parameters["RoleArn"].split(":")[1], parameters["RoleArn"].rsplit("/", 1)[1]
    arn = f"arn:{partition}:sts::{number}:assumed-role/{role}/{parameters['RoleSessionName']}"
    return (
        f"<Credentials><AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>never-told</SecretAccessKey>"
        f"<SessionToken>never-told-either</SessionToken><Expiration>{expires}</Expiration></Credentials>"
        f"<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:x</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>"
    )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _response(request: AWSPreparedRequest, answer: Answer, kind: str) -> AWSResponse:
    status, body = answer
    headers = HTTPHeaders()
    headers["Content-Type"], headers["x-amzn-RequestId"] = kind, "request-on-the-wire"
    return AWSResponse(request.url, status, headers, Raw(body))


__all__ = ["EXTERNAL_ID", "Answer", "FakeAwsAccount", "FakeKey", "FakeUser", "Refused", "Wire", "error", "result"]
