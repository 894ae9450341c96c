"""ARNs of IAM roles: where a role lives, and whether it is one of a given account. No call to AWS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from accounts.models import Partition

_PATH, _NAME = r"/(?:[\x21-\x7e]{1,510}/)?", r"[\w+=,.@-]{1,64}"  # as IAM allows them
_ROLE = re.compile(rf"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{{12}}):role{_PATH}{_NAME}", re.ASCII)


def role_of(arn: str) -> tuple[str, str]:
    """Partition and account number of a role's ARN; ("", "") for what is none."""
    match = _ROLE.fullmatch(arn)
    return (match["partition"], match["account"]) if match and match["partition"] in Partition.values else ("", "")


def role_problems(values: Mapping[str, Any], account_id: str) -> list[str]:
    """What is wrong with `read_role_arn` and `act_role_arn` in an account of a `partition`."""
    problems = []
    for name in ("read_role_arn", "act_role_arn"):
        arn = values.get(name, "")
        match = _ROLE.fullmatch(arn)
        if arn and match is None:
            problems.append(f"{name} is not the ARN of an IAM role: {arn[:80]!r}")
        elif match and match["account"] != account_id:
            problems.append(f"{name} is in account {match['account']}, not in {account_id}")
        elif match and match["partition"] != values.get("partition", "aws"):
            problems.append(f"{name} is in partition {match['partition']}, not in {values.get('partition', 'aws')}")
    return problems
