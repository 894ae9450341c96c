"""A bad setting stops each kind of process with one sentence that names it, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = {
    "worker": ("-m", "celery", "-A", "hygiene", "worker", "-Q", "poll"),
    "beat": ("-m", "celery", "-A", "hygiene", "beat", "-S", "celery.beat.Scheduler", "--pidfile="),
    "command": ("manage.py", "migrate"),
    "web": ("-c", "import hygiene.wsgi"),
}


@pytest.mark.parametrize("kind", PROCESSES)
def test_a_bad_setting_is_one_sentence(kind: str) -> None:
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 50, "POLL_INTERVAL_HOURS": "99"}
    done = subprocess.run([sys.executable, *PROCESSES[kind]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr.strip().splitlines()[-1] == "key-hygiene cannot start: POLL_INTERVAL_HOURS must be a number from 0.05 to 24, not '99'."
    )
    assert "Traceback" not in done.stderr
