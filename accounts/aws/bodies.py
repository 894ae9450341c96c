"""Bodies of AWS's answers are read to their end within a limit in all: the timeout of a socket bounds the wait for one piece only."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import BotoCoreError, ConnectionClosedError, HTTPClientError, ReadTimeoutError
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.exceptions import ReadTimeoutError as PieceTimeoutError

LONGEST = 60.0  # seconds for one body
MOST = 64 * 1024 * 1024  # bytes of one body; the largest report that AWS's quotas allow is near a tenth of it
PIECE = 64 * 1024


class EndlessAnswer(BotoCoreError):
    """The body did not come to its end in time, or at all. No reason to send the request again: it would take as long."""

    fmt = "The answer from {endpoint_url} does not come to an end."


def bound(client: Any) -> Any:
    """The same client, whose answers are read within the limits. botocore offers no other place where a body can be read while it comes."""
    http = client._endpoint.http_session
    send = http.send

    def sent(request: Any) -> Any:
        request.stream_output = True
        response = send(request)
        response._content = _body(response.raw, request)
        return response

    http.send = sent
    return client


def _body(raw: Any, request: Any) -> bytes:
    """Raises botocore's own errors for a connection that breaks, so that reads are tried again as ever."""
    ends_at, pieces, size = time.monotonic() + LONGEST, [], 0
    try:
        while piece := raw.read1(PIECE):
            pieces.append(piece)
            size += len(piece)
            if time.monotonic() > ends_at or size > MOST:
                raw.close()
                raise EndlessAnswer(endpoint_url=request.url)
    except PieceTimeoutError as error:
        raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
    except ProtocolError as error:
        raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error
    except (HTTPError, OSError) as error:
        raise HTTPClientError(error=error) from error
    return b"".join(pieces)
