"""One assumed session over boto3: its credentials, its clients, its pace, and how one call is made. What is asked stands beside it."""

from __future__ import annotations

import binascii
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from accounts.aws import session
from accounts.aws.errors import NOT_AWS, THROTTLED, translate
from accounts.aws.session import HOME_REGIONS, Credentials, SessionSpec
from accounts.gateway import (
    AccessDenied,
    CallerIdentity,
    CredentialsExpired,
    Purpose,
    RegionDisabled,
    Throttled,
    UnexpectedAwsError,
    Unreachable,
)
from accounts.pace import Pacer

BROKEN_ANSWER_ATTEMPTS = 3
STORM_PATIENCE = 240.0  # seconds that a poll waits in all while AWS throttles, beyond botocore's own attempts
STORM_FIRST_WAIT, STORM_GROWTH, STORM_LONGEST_WAIT = 2.0, 1.6, 20.0
BROKEN = frozenset({"BrokenAnswer", "CutOffAnswer"})
RENEWABLE = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
UNREADABLE = (LookupError, TypeError, AttributeError, ValueError)  # raised for what is not AWS's XML or JSON, as a proxy's page
FAILURES = (ClientError, BotoCoreError, ResponseParserError, binascii.Error, HTTPError, OSError, *UNREADABLE)


@dataclass(frozen=True, slots=True)
class Api:
    """Which client a call goes through. `region` "": the partition's home Region. A write has one attempt on the wire."""

    service: str
    is_write: bool = False
    region: str = ""


IAM, IAM_WRITE, STS, ORGANIZATIONS = Api("iam"), Api("iam", is_write=True), Api("sts"), Api("organizations")


class Connection:
    """The role is assumed at the first call; a session near its end is renewed. Every request on the wire keeps the account's pace."""

    def __init__(
        self,
        spec: SessionSpec,
        pacer: Pacer,
        *,
        trail_pacer: Callable[[str], Pacer] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.spec = spec
        self.pacer = pacer
        self.is_source_identity_refused = False
        self._trail_pacer = trail_pacer
        self._sleep = sleep
        self._calls = 0
        self._turns = 0  # taken before the writes that they are for
        self._storm_left = STORM_PATIENCE if spec.purpose is Purpose.POLL else 0.0
        self._lock = threading.Lock()
        self._credentials: Credentials | None = None
        self._clients: dict[Api, Any] = {}
        self._worker: CallerIdentity | None = None

    @property
    def account_id(self) -> str:
        """The 12-digit number of the account that the session is for."""
        return self.spec.account_id or (self._worker.account_id if self._worker else "")

    @property
    def calls(self) -> int:
        """How many requests this session has sent, retries and the assuming of the role included."""
        return self._calls

    @property
    def worker_identity(self) -> CallerIdentity | None:
        """Who the worker is before it assumes anything: told by AWS where no role is assumed, by a web identity's role ARN, else None."""
        return self._worker or session.web_identity()

    @property
    def worker_access_key_id(self) -> str:
        """The id of the long-term key that the worker signs with; empty when it uses temporary credentials."""
        return session.long_term_key_id()

    def pages(self, method: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Answers of an IAM list, page by page of at most 1,000 entries. Raises Unreachable for a list that has no end or no way on."""
        parameters["MaxItems"] = 1000
        markers: set[str] = set()
        while True:
            answer = self.call(IAM, method, operation, **parameters)
            yield answer
            if not answer.get("IsTruncated"):
                return
            parameters["Marker"] = _next(answer.get("Marker"), markers, operation)

    def token_pages(self, api: Api, method: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Answers of a list that goes on by NextToken. A page may be empty; only a missing token ends it."""
        tokens: set[str] = set()
        while True:
            answer = self.call(api, method, operation, **parameters)
            yield answer
            if not answer.get("NextToken"):
                return
            parameters["NextToken"] = _next(answer.get("NextToken"), tokens, operation)

    def call(self, api: Api, method: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One API call. While AWS throttles, a read of a poll is asked again, ever later, for some minutes of the session in all."""
        wait = STORM_FIRST_WAIT
        while True:
            try:
                return self._tried(api, method, operation, parameters)
            except Throttled as error:
                if api.is_write or error.code not in THROTTLED or wait > self._storm_left:
                    raise
            self._storm_left -= wait
            self._sleep(wait)
            wait = min(wait * STORM_GROWTH, STORM_LONGEST_WAIT)

    def _tried(self, api: Api, method: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """A read whose answer is broken is sent again, and once more after an expired session; a write never is."""
        attempts = 1 if api.is_write else BROKEN_ANSWER_ATTEMPTS
        has_renewed = api.is_write or not self._can_renew
        for attempt in range(1, attempts + 1):
            try:
                return self._send(lambda: getattr(self._client(api), method)(**parameters), operation)
            except Unreachable as error:
                if error.code not in BROKEN or attempt == attempts:
                    raise
                self._sleep(0.2 * attempt)
            except CredentialsExpired as error:
                if error.code not in RENEWABLE or has_renewed or attempt == attempts:
                    raise
                has_renewed = True
                with self._lock:
                    self._credentials = None
        raise AssertionError("the loop returns or raises")

    @property
    def _can_renew(self) -> bool:
        return bool(self.spec.role_arn)

    def _send(self, call: Callable[[], dict[str, Any]], operation: str) -> dict[str, Any]:
        try:
            return call()
        except FAILURES as error:
            raise translate(error, operation=operation, who=self.spec.who) from error

    def _client(self, api: Api) -> Any:
        """A client with fresh credentials; gets them when there are none."""
        with self._lock:
            if self._credentials is None or not self._credentials.is_fresh():
                self._clients.clear()
                self._credentials = self._obtain()
            if api not in self._clients:
                self._clients[api] = self._made(api, None if self._credentials.is_own else self._credentials)
            return self._clients[api]

    def _made(self, api: Api, credentials: Credentials | None) -> Any:
        config = session.writes(self.spec) if api.is_write else session.reads(self.spec)
        region = api.region or session.home_region(self.spec.partition, api.service)
        client = session.client(api.service, self.spec, config, region=region, credentials=credentials)
        is_trail = api.service == "cloudtrail" and self._trail_pacer is not None
        pacer = self._trail_pacer(api.region) if is_trail and self._trail_pacer else self.pacer
        client.meta.events.register("before-send", partial(self._before_send, pacer, api.is_write))
        client.meta.events.register("response-received", partial(_after_answer, pacer))
        return client

    def take_turn(self) -> None:
        """Get credentials and the client of writes, and wait for the pace: the next write is sent without waiting."""
        self._client(IAM_WRITE)
        self.pacer.acquire()
        self._turns += 1

    def _before_send(self, pacer: Pacer, is_write: bool, **_: Any) -> None:  # positional: partial of an event's handler
        """Each attempt on the wire, botocore's own retries included, waits its turn and is counted."""
        if is_write and self._turns:
            self._turns -= 1
        else:
            pacer.acquire()
        self._calls += 1

    def _obtain(self) -> Credentials:
        return self._assume() if self.spec.role_arn else self._own()

    def _own(self) -> Credentials:
        """No role: the worker's own identity must be in the account that it is taken for, if any is named."""
        answer = self._send(lambda: dict(self._made(STS, None).get_caller_identity()), "GetCallerIdentity")
        self._worker = CallerIdentity(str(answer.get("Account", "")), str(answer.get("Arn", "")))
        self._check_account(self._worker.account_id)
        return Credentials.own()

    def _assume(self) -> Credentials:
        """sts:AssumeRole at the home Region's endpoint, at the second Region's when STS is off in the first."""
        answer = self.in_home_regions(self._assume_in)
        arn = str((answer.get("AssumedRoleUser") or {}).get("Arn", ""))
        self._check_account((arn.split(":") + [""] * 5)[4])
        return Credentials.given(answer.get("Credentials") or {}, "AssumeRole")

    def in_home_regions(self, ask: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        """The answer of STS in the partition's first Region, or in its second where the first is switched off."""
        first, second = HOME_REGIONS[self.spec.partition]
        try:
            return ask(first)
        except RegionDisabled:
            if first == second:
                raise
            return ask(second)

    def _assume_in(self, region: str) -> dict[str, Any]:
        """With the source identity where one is given. A trust policy that lets nobody set it refuses the call: then once without."""
        try:
            return self._asked(region, self.spec.source_identity)
        except AccessDenied:
            if not self.spec.source_identity:
                raise
        answer = self._asked(region, "")
        self.is_source_identity_refused = True
        return answer

    def _asked(self, region: str, source_identity: str) -> dict[str, Any]:
        optional = {"ExternalId": self.spec.external_id, "SourceIdentity": source_identity, "Policy": self.spec.session_policy}
        parameters = {
            "RoleArn": self.spec.role_arn,
            "RoleSessionName": self.spec.session_name,
            "DurationSeconds": self.spec.duration_seconds,
            **{name: value for name, value in optional.items() if value},
        }
        return self._send(lambda: dict(self._made(Api("sts", region=region), None).assume_role(**parameters)), "AssumeRole")

    def _check_account(self, account_id: str) -> None:
        if self.spec.account_id and account_id != self.spec.account_id:
            raise UnexpectedAwsError(
                f"The session belongs to account {account_id or 'nobody knows'}, not to {self.spec.account_id}. Check the role ARN.",
                code="WrongAccount",
            )


def _after_answer(pacer: Pacer, *, parsed_response: Any = None, **_: Any) -> None:
    """Throttling of any attempt slows the account's pace; an answer lets it recover."""
    if parsed_response is None:
        return
    if str((parsed_response.get("Error") or {}).get("Code", "")) in THROTTLED:
        pacer.throttled()
    else:
        pacer.went_well()


def _next(marker: object, seen: set[str], operation: str) -> str:
    if not marker or str(marker) in seen:
        raise Unreachable(f"AWS's list of {operation} does not come to an end.", operation=operation, code="EndlessList")
    seen.add(str(marker))
    return str(marker)


def needed(answer: dict[str, Any], name: str, operation: str) -> Any:
    """A field without which the answer says nothing. Raises Unreachable when it did not come."""
    value = answer.get(name)
    if value in (None, ""):
        raise Unreachable(f"AWS's answer to {operation} came without {name}.", operation=operation, code="MissingField")
    return value


def utc(moment: object) -> datetime | None:
    """An aware time in UTC; None for anything else."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else None


def request_id(answer: dict[str, Any], operation: str) -> str:
    """The AWS request id in the body of a write's answer. Raises Unreachable where there is none.

    Such an answer is not AWS's, though its status is 200: a proxy's page, which botocore takes for an answer without content.
    """
    found = str(answer.get("ResponseMetadata", {}).get("RequestId") or "")
    if not found:
        words = f"The answer to {operation} is not AWS's: something on the way, such as a proxy, answered instead."
        raise Unreachable(words, operation=operation, code=NOT_AWS)
    return found
