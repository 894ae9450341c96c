"""One call and its answer in AWS's words: the query protocol's XML, and JSON for Organizations and CloudTrail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from demo.fake_aws.world import Session

Start = Callable[..., Any]
NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


class Refused(Exception):
    """An error answer in AWS's words."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Call:
    """One signed call."""

    action: str
    parameters: Mapping[str, Any]
    key_id: str
    service: str
    region: str
    request_id: str
    is_json: bool = False
    session: Session | None = None


def tag(name: str, value: object) -> str:
    """One element; nothing for None."""
    return "" if value is None else f"<{name}>{escape(str(value))}</{name}>"


def members(name: str, inner: Iterable[str]) -> str:
    """A list as AWS writes it."""
    return f"<{name}>{''.join(f'<member>{one}</member>' for one in inner)}</{name}>"


def wrapped(call: Call, result: str) -> str:
    """The body of an answer in XML."""
    inner = f"<{call.action}Result>{result}</{call.action}Result>" if result else ""
    metadata = f"<ResponseMetadata><RequestId>{call.request_id}</RequestId></ResponseMetadata>"
    return f'<{call.action}Response xmlns="{NAMESPACE}">{inner}{metadata}</{call.action}Response>'


def error(call: Call, refused: Refused) -> str:
    """The body of an error. AWS's errors of reports carry no message."""
    if call.is_json:
        return json.dumps({"__type": refused.code, **({"Message": refused.message} if refused.message else {})})
    return error_text(refused.code, refused.message, call.request_id)


def error_text(code: str, message: str, request_id: str) -> str:
    """An error in XML."""
    words = f"<Message>{escape(message)}</Message>" if message else ""
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>{words}</Error>'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def answer(start_response: Start, status: int, text: str, request_id: str = "", *, is_json: bool = False) -> Iterable[bytes]:
    """Send it."""
    body = text.encode()
    kind = "application/x-amz-json-1.1" if is_json else "text/xml"
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-RequestId", request_id)]
    start_response(f"{status} {'OK' if status == 200 else 'Error'}", headers)
    return [body]
