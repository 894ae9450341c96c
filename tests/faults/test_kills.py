"""SIGKILL on real processes: a change is settled by reading, once; an account whose poller died is polled again.

A change is waited for until its lease runs out by itself. A poll's lease is ended by hand; `test_killed_polls` waits in the long form.
"""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.demo_process import until
from tests.faults.long_form import FULL
from tests.faults.processes import ACCOUNT, OPERATOR, Estate, Visitor, seconds_until

ENDED = ("succeeded", "succeeded_observed", "failed", "not_applied", "needs_human", "refused")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("estate")]


def test_a_worker_killed_in_the_call_leaves_one_change_that_is_settled_by_reading(estate: Estate) -> None:
    key_id = estate.active_key()
    estate.fault("UpdateAccessKey", "applied-then-hang", seconds=9)
    code, words = estate.command("remediate", "disable", key_id, "--as", OPERATOR, "--reason", "unused", "--note", "kill test")
    assert code == 0, words
    until(lambda: bool(estate.calls("UpdateAccessKey", AccessKeyId=key_id)), seconds=20, what="the call")
    estate.kill_group(estate.demo.worker_group("remediate"))
    until(lambda: "worker work ended" in estate.demo.said(), seconds=10, what="the word of the killed worker")
    row = estate.remediation(key_id)
    assert row["state"] == "calling"

    settled = lambda: estate.remediation(key_id)["state"] in ENDED  # noqa: E731  # read where it is used
    assert seconds_until(settled, seconds=120, what="the settling") <= 120

    assert estate.remediation(key_id)["state"] == "succeeded_observed"
    assert len(estate.calls("UpdateAccessKey", AccessKeyId=key_id)) == 1
    assert estate.demo.aws(f"/_keys/{key_id}")["status"] == "Inactive"
    assert estate.demo.rows("select status from hygiene_accesskey where access_key_id = ?", key_id) == [("inactive",)]
    story = [
        outcome
        for (outcome,) in estate.demo.rows(
            "select outcome from accounts_auditevent where correlation_id = ? order by id", row["correlation_id"]
        )
    ]
    assert story.count("calling") == 1
    assert story.index("calling") < story.index("unknown") < story.index("succeeded_observed") == len(story) - 1
    (uuid,) = estate.demo.rows("select uuid from hygiene_accesskey where access_key_id = ?", key_id)[0]
    page = Visitor(estate.demo.url, user=OPERATOR).page(f"/keys/{UUID(str(uuid))}/")
    assert ">disabled</span>" in page.text


def test_a_poller_killed_at_work_leaves_the_account_pollable(estate: Estate) -> None:
    until(lambda: not _unfinished(estate), seconds=60, what="the end of polls under way")
    estate.fault("GetAccountSummary", "hang", seconds=12)
    asked = len(estate.calls("AssumeRole"))
    process = estate.start("poll", ACCOUNT)
    until(lambda: len(estate.calls("AssumeRole")) > asked, seconds=30, what="the poll's first call")
    process.kill()
    process.communicate()
    (left,) = _unfinished(estate)

    if FULL:
        return
    estate.lease_runs_out("hygiene_poll", left)
    done = (
        "select count(*) from hygiene_poll where id > ? and outcome = 'complete'"
        " and account_id = (select account_id from hygiene_poll where id = ?)"
    )
    until(lambda: bool(estate.demo.rows(done, left, left)[0][0]), seconds=60, what="the poll after the killed one")
    assert estate.demo.rows("select outcome from hygiene_poll where id = ?", left) == [("abandoned",)]


def _unfinished(estate: Estate) -> list[int]:
    query = (
        "select p.id from hygiene_poll p join accounts_account a on a.id = p.account_id where a.account_id = ? and p.finished_at is null"
    )
    return [number for (number,) in estate.demo.rows(query, ACCOUNT)]
