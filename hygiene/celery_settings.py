"""Celery's settings, read when an app first needs them.

They follow what was measured (docs/dependencies.md): late acknowledgement, one task prefetched, JSON only, no results.
"""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

try:
    _folder = settings.CELERY_FALLBACK_DIR
except ImproperlyConfigured as error:  # workers and beat read the settings here first
    sys.exit(f"key-hygiene cannot start: {error}")
_files: dict[str, Any] = {
    "data_folder_in": str(_folder / "queue"),
    "data_folder_out": str(_folder / "queue"),
    "processed_folder": str(_folder / "processed"),
    "control_folder": str(_folder / "control"),
}
_redis: dict[str, Any] = {
    "socket_timeout": 1.0,  # a Redis that hangs keeps a page for 5 s; workers, who wait for messages, drop this (hygiene.celery)
    "visibility_timeout": 3600,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
    "health_check_interval": 10,
}

broker_url = settings.CELERY_BROKER_URL
broker_transport_options = _files if broker_url.startswith("filesystem") else _redis
broker_connection_retry_on_startup = True
task_queues = [Queue(name) for name in ("poll", "remediate", "root", "mail", "housekeeping")]
imports = ("hygiene.access_tasks",)  # beside each app's `tasks`
task_default_queue = "housekeeping"
task_create_missing_queues = False
task_routes = {
    "hygiene.tasks.poll_account": {"queue": "poll"},
    "hygiene.tasks.look_into_trail": {"queue": "poll"},
    "hygiene.access_tasks.check_access": {"queue": "poll"},  # parts for other workers name their queue
    "hygiene.tasks.inspect_root": {"queue": "root"},
    "hygiene.tasks.execute_remediation": {"queue": "remediate"},
    "hygiene.tasks.execute_root_removal": {"queue": "root"},
    "hygiene.tasks.look_again": {"queue": "remediate"},
    "hygiene.tasks.send_owner_notice": {"queue": "mail"},
    "hygiene.tasks.send_owner_notices": {"queue": "mail"},
    "hygiene.tasks.send_invitation": {"queue": "mail"},
    "hygiene.tasks.send_digest": {"queue": "mail"},
    "hygiene.tasks.send_due_digests": {"queue": "mail"},
}
task_acks_late = True
task_reject_on_worker_lost = True
task_ignore_result = True
task_serializer = "json"
accept_content = ["json"]
task_soft_time_limit = 60
task_time_limit = 90
worker_prefetch_multiplier = 1
worker_max_tasks_per_child = 200
worker_soft_shutdown_timeout = 20.0
worker_enable_remote_control = False
worker_send_task_events = False
task_publish_retry_policy = {"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 0.5}
timezone = "UTC"
enable_utc = True
beat_schedule = {
    "poll what is due": {"task": "hygiene.tasks.poll_due_accounts", "schedule": 15.0, "options": {"expires": 30}},
    "sweep": {"task": "hygiene.tasks.sweep", "schedule": 15.0, "options": {"expires": 30}},
    "wake checks of access": {"task": "hygiene.access_tasks.wake_checks", "schedule": 15.0, "options": {"expires": 30}},
    "send due digests": {"task": "hygiene.tasks.send_due_digests", "schedule": 60.0, "options": {"expires": 120}},
    "judge silent accounts": {"task": "hygiene.tasks.judge_silent_accounts", "schedule": 300.0, "options": {"expires": 300}},
    "keep the audit log": {"task": "hygiene.tasks.keep_audit", "schedule": 3600.0, "options": {"expires": 3600}},
    "end exemptions": {"task": "hygiene.tasks.end_exemptions", "schedule": 300.0, "options": {"queue": "mail", "expires": 300}},
    **{
        f"heartbeat of {name}": {
            "task": "hygiene.tasks.beat_of_worker",
            "schedule": 15.0,
            "args": (name,),
            "options": {"queue": name, "expires": 60},
        }
        for name in ("poll", "remediate", "root", "mail", "housekeeping")
    },
}
