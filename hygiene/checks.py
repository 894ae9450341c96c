"""System checks: settings that are well-formed but must not be used together."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_ORGANIZATIONS")


@register(Tags.security)
def custom_aws_endpoint(**_: Any) -> list[CheckMessage]:
    """AWS calls may go to another server than AWS only when that is allowed explicitly: it would see signed requests."""
    named = [name for name in ENDPOINT_VARIABLES if os.environ.get(name)]
    if not named or settings.ALLOW_CUSTOM_AWS_ENDPOINT:
        return []
    return [
        Error(
            f"{named[0]} is set, but ALLOW_CUSTOM_AWS_ENDPOINT is not 1.",
            hint="Remove it to talk to AWS, or set ALLOW_CUSTOM_AWS_ENDPOINT=1 if this other server is meant.",
            id="hygiene.E001",
        )
    ]


@register(Tags.security, deploy=True)
def production_choices(**_: Any) -> list[CheckMessage]:
    """What works on one machine but is weaker than production should be."""
    found: list[CheckMessage] = []
    if settings.DEMO:
        found.append(Error("DEMO is on.", hint="The demo's logins and switches are public knowledge.", id="hygiene.E002"))
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(
            Warning(
                "The database is SQLite.",
                hint="Set DATABASE_URL to postgres://…: the audit log is weaker protected on SQLite.",
                id="hygiene.W001",
            )
        )
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        found.append(Warning("No broker is set.", hint="Set CELERY_BROKER_URL to redis://….", id="hygiene.W002"))
    return found
