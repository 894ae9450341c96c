"""Gunicorn in the container: threads in a few processes, logs on standard output, nothing written outside /tmp."""

import os
import re
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # gunicorn ships no types

ONE_TIME_LINK = re.compile(r"(/password/reset/key/[0-9A-Za-z]+-)[^/]+")


class QuietLogger(Logger):  # type: ignore[misc]  # as above
    """The access log without links that set a password."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """What a line can say."""
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return {**found, "U": ONE_TIME_LINK.sub(r"\1[one-time]", found["U"] or "")}


logger_class = QuietLogger
bind = "0.0.0.0:8000"  # inside the container; compose decides what is published
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS") or 2)
threads = int(os.environ.get("WEB_THREADS") or 8)
worker_tmp_dir = "/tmp"  # noqa: S108  # a tmpfs: the heartbeat of a worker must not wait for a disk
control_socket_disable = True
timeout = 60
graceful_timeout = 30
keepalive = 5
max_requests = 10_000
max_requests_jitter = 1_000
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms'  # no query string: filters may name people and keys
