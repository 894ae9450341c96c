"""Command lines of the product's processes on one machine, the same for the demo and for `manage.py run`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from hygiene.environment import AWS_CREDENTIALS
from hygiene.supervisor import Supervisor

CELERY = (sys.executable, "-m", "celery", "-A", "hygiene.celery")
WORKERS = {"poll": ("poll", 3), "work": ("remediate,root,mail,housekeeping", 2)}


def start_workers(supervisor: Supervisor, environment: Mapping[str, str], *, logs: Path | None) -> None:
    """One worker for polls, one for everything else, so that a slow poll delays no change; and beat."""
    for name, (queues, slots) in WORKERS.items():
        argv = [*CELERY, "worker", "-Q", queues, "-c", str(slots), "-n", f"{name}@%h", "--without-gossip", "--without-mingle"]
        supervisor.start(f"worker {name}", argv, {**environment, "REMAP_SIGTERM": "SIGQUIT"}, log=_log(logs, f"worker-{name}"))
    supervisor.start("beat", [*CELERY, "beat", "-S", "celery.beat.Scheduler"], without_aws(environment), log=_log(logs, "beat"))


def start_web(supervisor: Supervisor, environment: Mapping[str, str], *, port: int, logs: Path | None, reload: bool = False) -> None:
    """Gunicorn on loopback."""
    argv = [sys.executable, "-m", "gunicorn", "hygiene.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    argv += ["--threads", "8", "--no-control-socket", *(["--reload"] if reload else [])]
    supervisor.start("web", argv, without_aws(environment), log=_log(logs, "web"))


def without_aws(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of processes that never call AWS."""
    return {name: value for name, value in environment.items() if name not in AWS_CREDENTIALS}


def manage(*words: str) -> list[str]:
    """A management command."""
    return [sys.executable, "manage.py", *words]


def _log(logs: Path | None, name: str) -> Path | None:
    return logs / f"{name}.log" if logs else None
