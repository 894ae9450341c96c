"""Bodies that never come to their end, over HTTP on loopback: a call ends all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from accounts.aws import AwsGateway
from accounts.gateway import AwsError, Unreachable
from tests.accounts.test_adapter import gateway, ok, spec

pytestmark = pytest.mark.usefixtures("limits")
ROLE = "<AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/hygiene-read/x</Arn></AssumedRoleUser>"
CREDENTIALS = (
    "<Credentials><AccessKeyId>ASIAEXAMPLE000000000</AccessKeyId><SecretAccessKey>never-told</SecretAccessKey>"
    "<SessionToken>never-told-either</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
)
KEYS = "<AccessKeyMetadata/><IsTruncated>false</IsTruncated>"


class Slow:
    """A server whose answers to these actions come byte by byte, for ever; others at once, in two pieces or in chunks."""

    def __init__(self) -> None:
        self.dribbles: set[str] = set()
        self.asked: list[str] = []
        self.is_chunked = False
        self.is_over = threading.Event()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        action = parse_qs(body)["Action"][0]
        self.asked.append(action)
        text = ok(action, {"AssumeRole": CREDENTIALS + ROLE, "ListAccessKeys": KEYS}.get(action, ""))[1].encode()
        handler.send_response(200)
        if action in self.dribbles:
            handler.send_header("Content-Length", "100000000")
            handler.end_headers()
            while not self.is_over.wait(0.05):
                handler.wfile.write(b" ")
        elif self.is_chunked:
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for piece in (text[:7], text[7:], b""):
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        else:
            handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text[:7])
            handler.wfile.flush()
            time.sleep(0.05)
            handler.wfile.write(text[7:])


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.aws.bodies.LONGEST", 0.6)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    state = Slow()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            try:
                state.answer(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-of-anybody")
    yield state
    state.is_over.set()
    server.shutdown()
    server.server_close()


def timed(call: Callable[[], object]) -> tuple[AwsError, float]:
    began = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        call()
    return caught.value, time.monotonic() - began


@pytest.mark.parametrize("action", ["AssumeRole", "ListAccessKeys", "DeleteAccessKey"])
def test_a_body_that_dribbles_for_ever_ends_the_call_once(slow: Slow, action: str) -> None:
    opened: AwsGateway = gateway()
    if action != "AssumeRole":
        opened.take_turn()
    slow.dribbles.add(action)
    error, seconds = timed(
        lambda: opened.delete_access_key("ana", "AKIAIOSFODNN7EXAMPLE") if action[0] == "D" else opened.list_access_keys("ana")
    )
    assert (error.code, error.definite, slow.asked.count(action)) == ("EndlessAnswer", False, 1)
    assert seconds < 5
    assert "127.0.0.1" in error.sentence


def test_a_body_larger_than_any_of_aws_ends_the_call(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = gateway()
    assert opened.list_access_keys("ana") == ()
    monkeypatch.setattr("accounts.aws.bodies.MOST", 20)
    error, _ = timed(lambda: opened.list_access_keys("ana"))
    assert error.code == "EndlessAnswer"


@pytest.mark.parametrize("is_chunked", [False, True])
def test_bodies_in_pieces_come_whole_over_one_connection(slow: Slow, *, is_chunked: bool) -> None:
    slow.is_chunked = is_chunked
    opened = AwsGateway(spec(), gateway().pacer, sleep=lambda seconds: None)
    for _ in range(3):
        assert opened.list_access_keys("ana") == ()
    assert slow.asked == ["AssumeRole", *["ListAccessKeys"] * 3]
