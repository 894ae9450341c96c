"""The web process holds no AWS credentials, wherever they were set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hygiene.environment import AWS_CREDENTIALS

ROOT = Path(__file__).resolve().parents[2]
START = "import hygiene.wsgi, os; print(sorted(name for name in os.environ if name.startswith('AWS_')))"
WITH_FILE = "import hygiene.environment, os; hygiene.environment.read_env_file = lambda path: os.environ.update({wanted!r}); " + START


@pytest.mark.parametrize("place", ["environment", "file"])
def test_the_web_process_drops_aws_credentials(place: str) -> None:
    held = dict.fromkeys(AWS_CREDENTIALS, "not-a-secret-of-anybody")
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 50, "AWS_REGION": "eu-west-1"}
    code = START if place == "environment" else WITH_FILE.format(wanted=held)
    environment |= held if place == "environment" else {}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['AWS_REGION']"
