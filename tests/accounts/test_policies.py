"""A session of a change can act on exactly one user, whatever characters the user's path holds."""

from __future__ import annotations

import json
import random
import re

import pytest

from accounts.policies import LONGEST, act_session_policy, read_session_policy, session_name, source_identity
from tests.iam_evaluator import matches

NUMBER = "111122223333"
PATHS = ["/", "/people/", "/*/", "/?/", "/${aws:username}/", "/a*b?c/", "/$/", "/${*}/", "/x/*/y/"]


@pytest.mark.parametrize("path", PATHS)
def test_exactly_one_of_a_thousand_decoys_is_allowed(path: str) -> None:
    arn = f"arn:aws:iam::{NUMBER}:user{path}ana"
    dice = random.Random(path)
    alphabet = "ab*?${}:/x"
    decoys = {f"arn:aws:iam::{NUMBER}:user/{''.join(dice.choices(alphabet, k=dice.randint(0, 8)))}/ana" for _ in range(1200)}
    decoys |= {arn + "x", arn.replace("ana", "anb"), arn.replace("user/", "user/x/"), f"arn:aws:iam::{NUMBER}:user/ana"}
    (statement,) = json.loads(act_session_policy(arn, actions=("iam:UpdateAccessKey",)))["Statement"]
    assert statement["Effect"] == "Allow"
    assert [one for one in decoys | {arn} if matches(statement["Resource"], one)] == [arn]
    assert set(statement["Action"]) & {"iam:DeleteAccessKey", "iam:CreateAccessKey"} == set()


@pytest.mark.parametrize("arn", ["", "*", "arn:aws:iam::1:user/x", f"arn:aws:iam::{NUMBER}:role/x", f"arn:aws:iam::{NUMBER}:user/a b"])
def test_what_is_no_users_arn_is_refused(arn: str) -> None:
    with pytest.raises(ValueError, match="ARN"):
        act_session_policy(arn, actions=())


def test_a_policy_that_aws_would_refuse_is_refused_here() -> None:
    with pytest.raises(ValueError, match="longer"):
        act_session_policy(f"arn:aws:iam::{NUMBER}:user/{'*' * 510}/ana", actions=())


def test_the_session_of_a_poll_reads_and_fits() -> None:
    text = read_session_policy()
    assert len(text) <= LONGEST
    words = [action.split(":")[1] for action in json.loads(text)["Statement"][0]["Action"]]
    assert all(word.startswith(("Get", "List", "Generate", "Describe")) for word in words)


def test_names_fit_what_aws_allows() -> None:
    name = session_name("n.adeyemi <ops>" * 9, "1234abcd")
    assert re.fullmatch(r"[\w+=,.@-]{2,64}", name)
    assert name.endswith("-1234abcd")
    assert [source_identity(word) for word in ("", "a", "o'hara")] == ["", "a_", "o_hara"]
