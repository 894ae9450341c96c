"""docs/aws-access.md and the templates in deploy/aws grant what the code calls, alike, and no more."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from accounts import policies
from hygiene.models import ROOT_ACTIONS
from hygiene.services.operations import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/aws-access.md").read_text()
TEMPLATES = ["deploy/aws/hygiene-roles.tf", "deploy/aws/hygiene-roles.yaml"]
ACTION = re.compile(r"(?:iam|organizations|cloudtrail):[A-Z]\w+(?![\w/])")
READS = set(policies.READS)
OPTIONAL = (set(policies.DETAIL_READS) | set(policies.EVIDENCE_READS)) - READS
ACTS = {
    *policies.KEY_READS,
    *policies.OTHER_READS,
    *("iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:DeleteLoginProfile"),
    *("iam:UpdateSigningCertificate", "iam:DeleteSigningCertificate"),
}


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def allowed(title: str) -> set[str]:
    document = json.loads(re.findall(r"```json\n(.*?)```", section(title), re.DOTALL)[0])
    return {action for statement in document["Statement"] if statement["Effect"] == "Allow" for action in statement["Action"]}


def test_the_read_role_allows_what_a_poll_needs() -> None:
    assert allowed("Read role") == READS


def test_what_is_optional_is_told_with_what_becomes_unknown() -> None:
    rows = [line for line in section("Read role").splitlines() if line.startswith("| `")]
    assert {action for row in rows for action in ACTION.findall(row)} == OPTIONAL


def test_the_act_role_allows_what_changes_call_and_no_more() -> None:
    assert allowed("Act role") == ACTS
    assert {
        call for operation in OPERATIONS.values() for call in (operation.call, *operation.reads) if operation.action not in ROOT_ACTIONS
    } <= ACTS


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_grant_the_same(name: str) -> None:
    assert set(ACTION.findall((ROOT / name).read_text())) - {"iam:ResourceTag"} == READS | OPTIONAL | ACTS | set(
        policies.ORGANIZATION_READS
    )


@pytest.mark.parametrize("name", ["docs/aws-access.md", *TEMPLATES])
def test_every_trust_policy_asks_for_the_external_id_and_lets_the_operator_be_named(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "sts:ExternalId" in text
    assert "sts:SetSourceIdentity" in text


def test_the_documents_name_files_that_exist() -> None:
    for name in TEMPLATES:
        assert name in TEXT
