"""Gunicorn in the container: threads in a few processes, logs on standard output, nothing written outside /tmp."""

import os

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
