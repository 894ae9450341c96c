"""R1 for passwords, certificates and root's credentials: SIGKILL at every boundary, whatever became of the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from demo.fake_aws import AwsUser, Fault
from tests.faults.laboratory import Laboratory, stops
from tests.faults.long_form import FULL
from tests.faults.test_killed_changes import DONE, FATES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("laboratory")]
ROOT = "<root_account>"
Is = Callable[[AwsUser], bool]
ACTIONS: dict[str, tuple[str, str, Is]] = {  # its call, who has such a credential, whether it is done
    "delete_password": ("DeleteLoginProfile", "signs-in-", lambda user: not user.password),
    "deactivate_certificate": ("UpdateSigningCertificate", "signs-", lambda user: user.certificates[0][0] is False),
    "delete_certificate": ("DeleteSigningCertificate", "signed-", lambda user: not user.certificates),
    "delete_root_key": ("DeleteAccessKey", ROOT, lambda root: not root.keys),
    "delete_root_password": ("DeleteLoginProfile", ROOT, lambda root: not root.password),
    "delete_root_certificate": ("DeleteSigningCertificate", ROOT, lambda root: not root.certificates),
    "deactivate_root_mfa": ("DeactivateMFADevice", ROOT, lambda root: not root.mfa),
}
EVERY = 2 if FULL else 24
SOME = [
    ("delete_password", "answered"),
    ("deactivate_certificate", "answer lost"),
    ("delete_root_key", "not sent"),
    ("deactivate_root_mfa", "answered"),
]
CALLS = {"deactivate_root_mfa": ["DeactivateMFADevice", "DeleteVirtualMFADevice"]}  # of changes that take two
CASES = [(action, fate) for action in ACTIONS for fate in FATES] if FULL else SOME


def holder_for(laboratory: Laboratory, action: str) -> tuple[str, AwsUser]:
    """An account's number and a user or root of it with such a credential that no case has used."""
    _, prefix, _ = ACTIONS[action]
    if prefix != ROOT:
        taken = laboratory.holders.setdefault(prefix, [])
        users = laboratory.aws.world.organization.account(laboratory.number).users
        user = next(user for user in users if user.name.removeprefix(prefix).isdigit() and user.name not in taken)
        taken.append(user.name)
        return laboratory.number, user
    account = laboratory.account_for()
    if action == "deactivate_root_mfa":
        account.root.password = False  # which protects its MFA
    laboratory.result("look_at_root", account=account.number)
    return account.number, account.root


def one_case(
    laboratory: Laboratory, action: str, fate: str, stop: dict[str, Any] | None, *, suffers: str = ""
) -> tuple[list[str], list[str]]:
    """A change of a fresh credential, its kill and its settling: what breaks the promise, and what was crossed.

    The fate is that of its first call, or of the call `suffers`.
    """
    laboratory.aws.world.faults.clear()
    number, holder = holder_for(laboratory, action)
    call, _, is_done = ACTIONS[action]
    if FATES[fate]:
        laboratory.aws.world.fail(Fault(number, suffers or call, kind=FATES[fate]))
    before = len(laboratory.changes())
    crossed = laboratory.run("change_credential", action=action, account=number, holder=holder.name, stop=stop)["crossed"]
    end = laboratory.result("settle_credential", account=number, holder=holder.name)
    calls, told, done = laboratory.changes()[before:], end["told"], is_done(holder)
    made = [one["action"] for one in calls]
    in_full = CALLS.get(action, [call])
    checks = {
        f"{made} in AWS": made == in_full[: len(made)] and bool(made) == done,
        f"{made} in AWS, and the row says {end['code']}": len(made) == len(in_full) or not done or end["code"] == "device_unknown",
        f"ended {end['state']} while AWS shows it {'done' if done else 'not done'}": end["state"] in (DONE if done else ("not_applied",)),
        f"took {end['seconds']:.0f} s": end["seconds"] <= 120,
        f"the audit log tells {told}": told[-1] == end["state"] and max(len(made), 1) <= told.count("calling") <= len(in_full),
        "AWS was called before the audit event was committed": [one["committed"] for one in calls] == list(range(1, len(calls) + 1)),
        f"the session is {[one['session'] for one in calls]}": all(end["reference"] in one["session"] for one in calls if one["session"]),
    }
    return [sentence for sentence, holds in checks.items() if not holds], crossed


@pytest.mark.parametrize(("action", "fate"), CASES)
def test_a_killed_worker_never_loses_repeats_or_hides_a_change_of_other_credentials(laboratory: Laboratory, action: str, fate: str) -> None:
    said, crossed = one_case(laboratory, action, fate, None)
    found = [f"undisturbed: {sentence}" for sentence in said]
    assert f"wire {ACTIONS[action][0]}" in crossed
    for stop in stops(crossed, every=EVERY, first=CASES.index((action, fate)) * 5):
        said, _ = one_case(laboratory, action, fate, stop)
        found += [f"killed {stop['side']} {stop['at']} ({crossed[stop['at'] - 1]}): {sentence}" for sentence in said]
    assert found == []


@pytest.mark.parametrize("fate", FATES)
def test_a_second_call_without_an_answer_is_not_made_again(laboratory: Laboratory, fate: str) -> None:
    said, crossed = one_case(laboratory, "deactivate_root_mfa", fate, None, suffers="DeleteVirtualMFADevice")
    assert crossed.count("wire DeleteVirtualMFADevice") == 1
    assert said == []
