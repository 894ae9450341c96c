"""`manage.py run`: web, workers and beat on this machine against your own settings, until Ctrl-C."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hygiene import embedded_broker
from hygiene.processes import manage, start_web, start_workers
from hygiene.supervisor import CannotRun, Supervisor, answers, require_port


class Command(BaseCommand):
    """The development server with everything beside it."""

    help = "Run web, workers and beat on this machine until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to serve."""
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Start in order, then watch. What is missing or taken is one sentence."""
        port = options["port"]
        supervisor: Supervisor | None = None
        with tempfile.TemporaryDirectory(prefix="key-hygiene-") as folder:
            try:
                require_port(port, "--port")
                supervisor = Supervisor(self.stdout.write)
                environment = {**os.environ, **self._broker(supervisor, Path(folder))}
                supervisor.run_once("migrate", manage("migrate", "--verbosity", "0"), environment)
                supervisor.run_once("create_roles", manage("create_roles"), environment)
                if not settings.DEBUG:
                    supervisor.run_once("collectstatic", manage("collectstatic", "--noinput", "--verbosity", "0"), environment)
                start_workers(supervisor, environment, logs=None)
                start_web(supervisor, environment, port=port, logs=None, reload=True)
                supervisor.wait_until(lambda: answers(port), "The web server", seconds=30)
                self.stdout.write(f"Key Hygiene runs at http://127.0.0.1:{port} (Ctrl-C ends it).")
                supervisor.run()
            except CannotRun as error:
                raise CommandError(str(error)) from error
            finally:
                if supervisor is not None:
                    supervisor.stop()

    def _broker(self, supervisor: Supervisor, folder: Path) -> dict[str, str]:
        """Your own broker; else a private Redis; else files, with a warning."""
        if not settings.CELERY_BROKER_URL.startswith("filesystem"):
            return {}
        executable = embedded_broker.find()
        if executable is None:
            self.stderr.write("No redis-server 6.2 or newer was found: tasks go through files, which is slower. The database stays right.")
            return {}
        supervisor.start("broker", embedded_broker.argv(executable, folder), os.environ)
        supervisor.wait_until(embedded_broker.socket_of(folder).exists, "The broker", seconds=10)
        return {"CELERY_BROKER_URL": embedded_broker.url(folder)}
