"""What the adapter makes of AWS's answers, byte by byte, over HTTP on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from accounts.aws import AwsGateway, AwsRootGateway, SessionSpec
from accounts.gateway import (
    AccessDenied,
    AwsError,
    CredentialsExpired,
    FeatureOff,
    NoSuchEntity,
    Purpose,
    RegionDisabled,
    ReportNotReady,
    RootTask,
    Throttled,
    UnexpectedAwsError,
    Unreachable,
)
from accounts.pace import Unlimited

NUMBER = "111122223333"
Answer = tuple[int, str]
CREDENTIALS = (
    "<Credentials><AccessKeyId>ASIAEXAMPLE000000000</AccessKeyId><SecretAccessKey>never-told</SecretAccessKey>"
    "<SessionToken>never-told-either</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
)


def ok(action: str, result: str) -> Answer:
    metadata = "<ResponseMetadata><RequestId>r-0</RequestId></ResponseMetadata>"
    return 200, f"<{action}Response><{action}Result>{result}</{action}Result>{metadata}</{action}Response>"


def error(status: int, code: str, message: str | None = None) -> Answer:
    words = "" if message is None else f"<Message>{message}</Message>"
    return status, f"<ErrorResponse><Error><Code>{code}</Code>{words}</Error><RequestId>r-1</RequestId></ErrorResponse>"


class Stub:
    """Answers by action, each list in turn and its last for ever; keeps what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.regions: dict[str, str] = {}  # for which each action was signed last
        assumed = f"<AssumedRoleUser><Arn>arn:aws:sts::{NUMBER}:assumed-role/hygiene-read/x</Arn></AssumedRoleUser>"
        self.given("AssumeRole", ok("AssumeRole", CREDENTIALS + assumed))
        self.given("AssumeRoot", ok("AssumeRoot", CREDENTIALS))

    def given(self, action: str, *answers: Answer) -> None:
        self.answers[action] = list(answers)

    def count(self, action: str) -> int:
        return sum(name == action for name, _ in self.asked)

    def answer(self, action: str, parameters: dict[str, Any]) -> Answer:
        self.asked.append((action, parameters))
        queue = self.answers[action]
        return queue.pop(0) if len(queue) > 1 else queue[0]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    state = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            target = self.headers.get("X-Amz-Target")
            if target:
                action, parameters = target.rsplit(".", 1)[1], json.loads(body)
            else:
                parameters = {name: values[0] for name, values in parse_qs(body).items()}
                action = parameters["Action"]
            state.regions[action] = self.headers["Authorization"].split("/")[2]
            status, text = state.answer(action, parameters)
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-of-anybody")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0.0)
    yield state
    server.shutdown()
    server.server_close()


def spec(**fields: Any) -> SessionSpec:
    values: dict[str, Any] = {
        "account_id": NUMBER,
        "partition": "aws",
        "role_arn": f"arn:aws:iam::{NUMBER}:role/hygiene-read",
        "external_id": "id-of-ours",
        "purpose": Purpose.POLL,
        "session_name": "hygiene-poll",
        "session_policy": "",
        "allows_custom_endpoint": True,
    }
    return SessionSpec(**{**values, **fields})


def gateway(**fields: Any) -> AwsGateway:
    return AwsGateway(spec(**fields), Unlimited(), sleep=lambda seconds: None)


def root_gateway(task: RootTask = RootTask.AUDIT) -> AwsRootGateway:
    return AwsRootGateway(spec(role_arn="", task=task.value), Unlimited(), sleep=lambda seconds: None)


Read = Callable[[AwsGateway], object]
SUMMARY: Read = lambda gateway: gateway.account_summary()  # noqa: E731  # a table of cases


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (error(403, "AccessDenied", "... because no identity-based policy allows the action"), AccessDenied, "the role's policy"),
        (error(403, "AccessDenied", "... with an explicit deny in a service control policy"), AccessDenied, "service control policy"),
        (error(403, "AccessDenied", "... because no permissions boundary allows it"), AccessDenied, "permissions boundary"),
        (error(403, "AccessDenied", "... because no session policy allows it"), AccessDenied, "session's own policy"),
        (error(403, "AccessDenied"), AccessDenied, "iam:GetAccountSummary"),
        (error(400, "Throttling", "Rate exceeded"), Throttled, "fewer calls"),
        (error(400, "RequestLimitExceeded"), Throttled, "fewer calls"),
        (error(404, "NoSuchEntity", "gone"), NoSuchEntity, "does not exist"),
        (error(403, "InvalidClientTokenId"), CredentialsExpired, "does not accept"),
        (error(403, "SignatureDoesNotMatch", "Signature expired: 2026 is now earlier than"), CredentialsExpired, "clock"),
        (error(403, "RequestTimeTooSkewed"), CredentialsExpired, "clock"),
        (error(500, "ServiceFailure"), Unreachable, "failed to answer"),
        (error(400, "SomethingNew", "secret words of AWS"), UnexpectedAwsError, "SomethingNew"),
        ((200, "<not-xml"), Unreachable, "could not be read"),
        ((200, "<html>a proxy</html>"), Unreachable, "could not be read"),
        (ok("GetAccountSummary", ""), Unreachable, "without SummaryMap"),
        ((0, ""), Unreachable, "127.0.0.1"),
    ],
)
def test_each_answer_has_its_error_and_a_sentence(stub: Stub, answer: Answer, kind: type[AwsError], words: str) -> None:
    stub.given("GetAccountSummary", answer)
    with pytest.raises(kind) as caught:
        SUMMARY(gateway())
    assert type(caught.value) is kind
    assert words in caught.value.sentence
    assert "secret" not in caught.value.sentence
    assert "never-told" not in caught.value.sentence


@pytest.mark.parametrize(("code", "status"), [("ReportNotPresent", 410), ("ReportExpired", 410), ("ReportInProgress", 404)])
def test_report_errors_carry_no_message(stub: Stub, code: str, status: int) -> None:
    stub.given("GetCredentialReport", error(status, code))
    with pytest.raises(ReportNotReady) as caught:
        gateway().get_credential_report()
    assert caught.value.code == code


def test_too_many_report_requests_are_throttling_and_are_not_repeated(stub: Stub) -> None:
    stub.given("GenerateCredentialReport", error(409, "LimitExceeded"))
    with pytest.raises(Throttled):
        gateway().generate_credential_report()
    assert stub.count("GenerateCredentialReport") == 1


def test_a_state_that_is_not_known_is_not_complete(stub: Stub) -> None:
    stub.given("GenerateCredentialReport", ok("GenerateCredentialReport", "<State>DREAMING</State>"))
    assert gateway().generate_credential_report() == "INPROGRESS"


def report(stub: Stub, content: str) -> None:
    body = f"<Content>{content}</Content><GeneratedTime>2026-11-23T08:00:00Z</GeneratedTime>"
    stub.given("GetCredentialReport", ok("GetCredentialReport", body))


@pytest.mark.parametrize("content", ["", "%%%"])
def test_an_empty_report_comes_as_no_bytes(stub: Stub, content: str) -> None:
    report(stub, content)
    assert gateway().get_credential_report().content == b""


def test_a_report_cut_in_its_base64_is_asked_for_again_and_then_an_error(stub: Stub) -> None:
    report(stub, "YQ")
    with pytest.raises(Unreachable) as caught:
        gateway().get_credential_report()
    assert caught.value.code == "CutOffAnswer"
    assert stub.count("GetCredentialReport") == 3


def test_every_try_on_the_wire_is_counted(stub: Stub) -> None:
    summary = ok("GetAccountSummary", "<SummaryMap><entry><key>Users</key><value>3</value></entry></SummaryMap>")
    stub.given("GetAccountSummary", error(400, "Throttling"), error(503, "ServiceUnavailable"), summary)
    opened = gateway()
    assert opened.account_summary().users == 3
    assert opened.calls == 4


def test_a_list_without_an_end_is_an_error(stub: Stub) -> None:
    stub.given("ListUsers", ok("ListUsers", "<Users/><IsTruncated>true</IsTruncated><Marker>again</Marker>"))
    with pytest.raises(Unreachable) as caught:
        gateway().list_users()
    assert caught.value.code == "EndlessList"
    assert stub.asked[-1][1]["MaxItems"] == "1000"


def test_an_expired_session_is_renewed_once_for_a_read_and_never_for_a_write(stub: Stub) -> None:
    keys = ok("ListAccessKeys", "<AccessKeyMetadata/><IsTruncated>false</IsTruncated>")
    stub.given("ListAccessKeys", error(403, "ExpiredToken"), keys)
    opened = gateway()
    assert opened.list_access_keys("ana") == ()
    assert stub.count("AssumeRole") == 2
    stub.given("UpdateAccessKey", error(403, "ExpiredToken"))
    with pytest.raises(CredentialsExpired):
        opened.update_access_key("ana", "AKIAIOSFODNN7EXAMPLE", active=False)
    assert stub.count("UpdateAccessKey") == 1


class Counted(Unlimited):
    """A pace that counts who waited."""

    waits = 0

    def acquire(self) -> None:
        self.waits += 1


def test_a_write_whose_turn_was_taken_does_not_wait_and_the_next_one_does(stub: Stub) -> None:
    pace = Counted()
    opened = AwsGateway(spec(), pace, sleep=lambda seconds: None)
    opened.take_turn()
    assert (pace.waits, stub.count("AssumeRole")) == (2, 1)
    stub.given("ListAccessKeys", ok("ListAccessKeys", "<AccessKeyMetadata/><IsTruncated>false</IsTruncated>"))
    opened.list_access_keys("ana")
    stub.given("UpdateAccessKey", ok("UpdateAccessKey", ""))
    assert pace.waits == 3
    for waits in (3, 4):
        opened.update_access_key("ana", "AKIAIOSFODNN7EXAMPLE", active=False)
        assert pace.waits == waits


@pytest.mark.parametrize("answer", [error(500, "ServiceFailure"), (0, ""), error(400, "Throttling"), (200, "<broken")])
def test_a_write_is_sent_once_whatever_comes(stub: Stub, answer: Answer) -> None:
    stub.given("DeleteAccessKey", answer)
    with pytest.raises(AwsError):
        gateway().delete_access_key("ana", "AKIAIOSFODNN7EXAMPLE")
    assert stub.count("DeleteAccessKey") == 1


SIGN_IN, XHTML = "<html><body><h1>Sign in</h1></body></html>", '<html xmlns="http://www.w3.org/1999/xhtml"><p>blocked</p></html>'


@pytest.mark.parametrize(
    ("status", "page"), [(200, SIGN_IN), (200, XHTML), (200, ""), (302, ""), (403, SIGN_IN), (407, "<p>not closed"), (502, SIGN_IN)]
)
def test_a_page_of_a_proxy_is_no_answer_to_a_write(stub: Stub, status: int, page: str) -> None:
    writes: dict[str, Callable[[], object]] = {
        "UpdateAccessKey": lambda: gateway().update_access_key("ana", "AKIAIOSFODNN7EXAMPLE", active=False),
        "DeleteAccessKey": lambda: gateway().delete_access_key("ana", "AKIAIOSFODNN7EXAMPLE"),
        "DeleteLoginProfile": lambda: gateway().delete_login_profile("ana"),
        "DeactivateMFADevice": lambda: root_gateway(RootTask.DELETE).deactivate_mfa_device("GAHT12345678"),
    }
    for action, write in writes.items():
        stub.given(action, (status, page))
        with pytest.raises(Unreachable) as caught:
            write()
        assert (caught.value.definite, stub.count(action)) == (False, 1)


def test_sts_is_asked_in_the_second_region_when_it_is_off_in_the_first(stub: Stub) -> None:
    good = stub.answers["AssumeRole"][0]
    stub.given("AssumeRole", error(403, "RegionDisabledException"), good)
    stub.given("ListUsers", ok("ListUsers", "<Users/><IsTruncated>false</IsTruncated>"))
    assert gateway().list_users() == ()
    stub.given("AssumeRole", error(403, "RegionDisabledException"))
    with pytest.raises(RegionDisabled):
        gateway().list_users()


def test_a_source_identity_that_is_refused_is_left_out(stub: Stub) -> None:
    good = stub.answers["AssumeRole"][0]
    stub.given("AssumeRole", error(403, "AccessDenied"), good)
    stub.given("ListUsers", ok("ListUsers", "<Users/><IsTruncated>false</IsTruncated>"))
    opened = gateway(source_identity="n.adeyemi")
    opened.list_users()
    asked = [parameters for action, parameters in stub.asked if action == "AssumeRole"]
    assert [parameters.get("SourceIdentity") for parameters in asked] == ["n.adeyemi", None]
    assert opened.is_source_identity_refused
    assert all(parameters["ExternalId"] == "id-of-ours" for parameters in asked)


def test_a_session_in_another_account_is_refused(stub: Stub) -> None:
    with pytest.raises(UnexpectedAwsError, match="not to 999999999999"):
        gateway(account_id="999999999999").list_users()


DETAILS = """<UserDetailList><member><Path>/</Path><UserName>ana</UserName><UserId>AIDA1</UserId>
<Arn>arn:aws:iam::111122223333:user/ana</Arn><CreateDate>2024-01-01T00:00:00Z</CreateDate><GroupList><member>ops</member></GroupList>
<AttachedManagedPolicies><member><PolicyName>Admin</PolicyName><PolicyArn>arn:aws:iam::aws:policy/Admin</PolicyArn></member>
</AttachedManagedPolicies><Tags><member><Key>owner</Key><Value>ana@example.com</Value></member></Tags></member></UserDetailList>"""
GROUPS = """<GroupDetailList><member><GroupName>ops</GroupName><GroupPolicyList><member><PolicyName>in</PolicyName>
<PolicyDocument>%7B%22Statement%22%3A%5B%5D%7D</PolicyDocument></member></GroupPolicyList></member></GroupDetailList>
<Policies><member><Arn>arn:aws:iam::aws:policy/Admin</Arn><DefaultVersionId>v2</DefaultVersionId><PolicyVersionList>
<member><VersionId>v1</VersionId><Document>%7B%22old%22%3A1%7D</Document></member>
<member><VersionId>v2</VersionId><IsDefaultVersion>true</IsDefaultVersion><Document>%7B%22Statement%22%3A1%7D</Document></member>
</PolicyVersionList></member></Policies>"""


def test_groups_and_documents_may_come_on_a_later_page(stub: Stub) -> None:
    action = "GetAccountAuthorizationDetails"
    stub.given(
        action,
        ok(action, f"{DETAILS}<IsTruncated>true</IsTruncated><Marker>m1</Marker>"),
        ok(action, f"{GROUPS}<IsTruncated>false</IsTruncated>"),
    )
    (ana,) = gateway().authorization_details()
    assert (ana.user.user_id, ana.tags, ana.groups) == ("AIDA1", {"owner": "ana@example.com"}, ("ops",))
    assert [(policy.name, policy.via, policy.document) for policy in ana.policies] == [
        ("Admin", "user", {"Statement": 1}),
        ("in", "group ops", {"Statement": []}),
    ]


def test_pages_of_the_organization_may_be_empty_and_state_wins_over_status(stub: Stub) -> None:
    account = {"Id": NUMBER, "Name": "pay", "Email": "a@example.com", "State": "CLOSED", "Status": "ACTIVE"}
    stub.given(
        "ListAccounts",
        (200, json.dumps({"Accounts": [], "NextToken": "t1"})),
        (200, json.dumps({"Accounts": [account, {"Id": "444455556666", "Status": "SUSPENDED"}]})),
    )
    stub.given("ListParents", (400, json.dumps({"__type": "AccessDeniedException"})))
    stub.given("ListTagsForResource", (200, json.dumps({"Tags": [{"Key": "env", "Value": "prod"}]})))
    first, second = gateway().organization_accounts()
    assert (first.state, second.state, first.tags, first.unit_path) == ("CLOSED", "SUSPENDED", {"env": "prod"}, "")
    assert stub.count("ListParents") == 1


def test_an_account_without_an_organization(stub: Stub) -> None:
    stub.given("DescribeOrganization", (400, json.dumps({"__type": "AWSOrganizationsNotInUseException"})))
    assert gateway().organization().role == "none"


@pytest.mark.parametrize(
    ("partition", "iam", "organizations"),
    [
        ("aws", "us-east-1", "us-east-1"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1"),
        ("aws-cn", "cn-north-1", "cn-northwest-1"),
        ("aws-eusc", "eusc-de-east-1", "eusc-de-east-1"),
    ],
)
def test_global_services_are_signed_for_the_region_of_their_partition(stub: Stub, partition: str, iam: str, organizations: str) -> None:
    stub.given("DescribeOrganization", (200, json.dumps({"Organization": {"Id": "o-1", "MasterAccountId": NUMBER}})))
    stub.given("ListOrganizationsFeatures", error(403, "AccessDenied"))
    gateway(partition=partition).organization()
    assert (stub.regions["ListOrganizationsFeatures"], stub.regions["DescribeOrganization"]) == (iam, organizations)
    assert stub.regions["AssumeRole"] == iam


@pytest.mark.parametrize(
    ("answer", "role", "features"),
    [
        (
            ok("ListOrganizationsFeatures", "<EnabledFeatures><member>RootSessions</member></EnabledFeatures>"),
            "delegated",
            ("RootSessions",),
        ),
        (error(400, "AccountNotManagementOrDelegatedAdministratorException"), "member", None),
        (error(400, "ServiceAccessNotEnabledException"), "delegated", ()),
        (error(403, "AccessDenied"), "member", None),
    ],
)
def test_what_an_account_is_to_its_organization(stub: Stub, answer: Answer, role: str, features: tuple[str, ...] | None) -> None:
    organization = {"Organization": {"Id": "o-1", "MasterAccountId": "999999999999"}}
    stub.given("DescribeOrganization", (200, json.dumps(organization)))
    stub.given("ListOrganizationsFeatures", answer)
    facts = gateway().organization()
    assert (facts.role, facts.features, facts.management_account_id) == (role, features, "999999999999")


def test_events_are_cut_and_told_so(stub: Stub) -> None:
    inside = json.dumps({"sourceIPAddress": "192.0.2.1", "errorCode": "AccessDenied", "awsRegion": "eu-west-1"})
    event = {"EventId": "e", "EventName": "ListBuckets", "EventTime": 1763884800, "ReadOnly": "true", "CloudTrailEvent": inside}
    broken = {**event, "CloudTrailEvent": "{not json"}
    stub.given("LookupEvents", (200, json.dumps({"Events": [event, broken], "NextToken": "more"})))
    page = gateway().trail_events(region="eu-west-1", access_key_id="AKIAIOSFODNN7EXAMPLE", most=2)
    assert page.is_cut_short
    assert (page.events[0].source_address, page.events[0].error_code, page.events[0].read_only) == ("192.0.2.1", "AccessDenied", True)
    assert page.events[1].source_address == ""
    assert stub.asked[-1][1]["LookupAttributes"] == [{"AttributeKey": "AccessKeyId", "AttributeValue": "AKIAIOSFODNN7EXAMPLE"}]


def test_root_is_asked_without_a_user_name_under_the_task_policy(stub: Stub) -> None:
    member = "<member><AccessKeyId>AKIAROOT000000000000</AccessKeyId><Status>Active</Status></member>"
    stub.given("ListAccessKeys", ok("ListAccessKeys", f"<AccessKeyMetadata>{member}</AccessKeyMetadata><IsTruncated>false</IsTruncated>"))
    stub.given("GetLoginProfile", error(404, "NoSuchEntity", "Login Profile for User null cannot be found."))
    stub.given("DeleteAccessKey", ok("DeleteAccessKey", ""))
    root = root_gateway(RootTask.DELETE)
    assert [key.user_name for key in root.list_access_keys()] == [""]
    assert not root.has_login_profile()
    root.delete_access_key("AKIAROOT000000000000")
    assumed = next(parameters for action, parameters in stub.asked if action == "AssumeRoot")
    assert assumed["TargetPrincipal"] == NUMBER
    assert assumed["TaskPolicyArn.arn"] == "arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials"
    assert assumed["DurationSeconds"] == "900"
    assert not any("UserName" in parameters for _, parameters in stub.asked)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Root credentials management feature is not enabled for your AWS Organization.", FeatureOff),
        ("User: x is not authorized to perform: sts:AssumeRoot", AccessDenied),
    ],
)
def test_central_root_access_that_is_off_is_told_apart(stub: Stub, message: str, kind: type[AwsError]) -> None:
    stub.given("AssumeRoot", error(403, "AccessDenied", message))
    with pytest.raises(kind):
        root_gateway().list_access_keys()
