"""Celery: the wake-up service. Rows in the database are the truth; a lost or doubled message changes nothing."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_init
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.exceptions import OperationalError as BrokerError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hygiene.settings")
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")  # a stopped worker finishes its task within the soft shutdown time


app = Celery("hygiene")
app.config_from_object("hygiene.celery_settings")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks(["hygiene"])


def broker_answers() -> bool:
    """Whether the broker takes a connection within two seconds."""
    try:
        with app.connection_for_write(connect_timeout=2) as connection:
            connection.ensure_connection(max_retries=1, timeout=2)
    except (OSError, BrokerError):
        return False
    return True


@setup_logging.connect
def use_django_logging(**_: object) -> None:
    """Keep Celery from installing its own log handlers: Django's settings hold."""


@celeryd_init.connect
def wait_for_messages(conf: Any, **_: object) -> None:
    """A worker listens for as long as there is nothing to do: the time limit is for those who send."""
    conf.broker_transport_options = {name: value for name, value in conf.broker_transport_options.items() if name != "socket_timeout"}


@worker_init.connect
def refuse_bad_settings(**_: object) -> None:
    """Run the system checks at worker start too: a worker must not reach a forbidden AWS endpoint."""
    from django.core.management import CommandError, call_command

    try:
        call_command("check")
    except CommandError as error:
        sys.exit(f"key-hygiene worker cannot start: {error}")
