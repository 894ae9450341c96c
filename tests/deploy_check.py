"""`check --deploy` with settings as in production, in a process of its own. Part of `make lint`; any message fails it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "hygiene.settings",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "DEBUG": "false",
    "SITE_ROOT": "https://keys.example.com",
    "ALLOWED_HOSTS": "keys.example.com",
    "DATABASE_URL": "postgres://hygiene:unused@127.0.0.1:5432/hygiene",
    "CELERY_BROKER_URL": "redis://127.0.0.1:6379/0",
    "EMAIL_URL": "smtp://127.0.0.1:25",
    "REMEDIATION_ENABLED": "true",
}


def main() -> int:
    """Exit status of the check; warnings count as failures."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | PRODUCTION
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, env=environment, check=False).returncode  # our own command line


if __name__ == "__main__":
    sys.exit(main())
