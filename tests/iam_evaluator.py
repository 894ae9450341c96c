"""IAM's way to match a resource, for tests that ask whom a session policy reaches. The fake AWS has its own."""

from __future__ import annotations

import json
import re


def matches(resource: str, arn: str) -> bool:
    """IAM's matching: ${*}, ${?} and ${$} are the characters themselves, * and ? are wildcards; other variables match nothing here."""
    parts = re.split(r"(\$\{[*?$]\}|[*?])", resource)
    words = {"*": ".*", "?": "."}
    pattern = "".join(words.get(part) or re.escape(part[2] if re.fullmatch(r"\$\{[*?$]\}", part) else part) for part in parts)
    return re.fullmatch(pattern, arn) is not None


def reached(policy: str, arns: list[str]) -> list[str]:
    """Which of these ARNs the Allow statements of a session policy name."""
    resources = [statement["Resource"] for statement in json.loads(policy)["Statement"] if statement["Effect"] == "Allow"]
    return [arn for arn in arns if any(matches(resource, arn) for resource in resources)]
