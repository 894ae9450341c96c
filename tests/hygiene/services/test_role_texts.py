"""Texts for AWS: filled from the templates of deploy/aws, readable by what reads them, and with everything in them."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest
import yaml

from accounts.models import Partition, new_external_id
from hygiene.services import role_texts
from hygiene.services.role_texts import Choice

WORKER = "arn:aws:iam::999900001111:role/key-hygiene"
ID = new_external_id()


class Cloud(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation."""


Cloud.add_multi_constructor("!", lambda loader, suffix, node: {suffix: getattr(node, "value", None)})


def choice(**changes: Any) -> Choice:
    return Choice(**{"partition": "aws", "worker_arn": WORKER, "external_id": ID, **changes})


def parameters(chosen: Choice) -> dict[str, str]:
    read = yaml.load(role_texts.cloudformation(chosen), Loader=Cloud)  # noqa: S506  # a safe loader
    assert {"ReadRole", "ActRole"} <= set(read["Resources"])
    return {name: entry.get("Default") for name, entry in read["Parameters"].items()}


def test_the_external_id_has_160_random_bits() -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", ID)
    assert new_external_id() != ID


@pytest.mark.parametrize("acts", [False, True])
def test_the_template_of_cloudformation_is_yaml_with_the_choice_as_defaults(acts: bool) -> None:
    assert parameters(choice(acts=acts, read_role="ours=1,2", act_role="theirs")) == {
        "WorkerArn": WORKER,
        "ExternalId": ID,
        "ReadRoleName": "ours=1,2",
        "ActRoleName": "theirs",
        "CreateActRole": str(acts).lower(),
        "ListsOrganization": "false",
    }


@pytest.mark.parametrize("acts", [False, True])
def test_the_terraform_text_has_the_choice_as_defaults_and_balanced_braces(acts: bool) -> None:
    text = role_texts.terraform(choice(acts=acts, lists=True, read_role="ours"))
    found = dict(re.findall(r'^variable "(\w+)" {[^\n]*\n  type    = \w+\n  default = (.*)\n}$', text, re.MULTILINE))
    assert {name: json.loads(value) for name, value in found.items()} == {
        "worker_arn": WORKER,
        "external_id": ID,
        "read_role_name": "ours",
        "act_role_name": "hygiene-act",
        "create_act_role": acts,
        "lists_organization": True,
    }
    for opening, closing in ("{}", "()", "[]"):
        assert text.count(opening) == text.count(closing)


def test_commands_are_shell_words_with_json_and_every_parameter_of_the_template() -> None:
    chosen = choice(acts=True, lists=True, read_role="a,b=c")
    text = role_texts.stack_set(chosen)
    words = shlex.split(text, comments=True)
    given = json.loads(words[words.index("--parameters") + 1])
    assert {entry["ParameterKey"]: entry["ParameterValue"] for entry in given} == chosen.parameters()
    assert {f"{name}={value}" for name, value in chosen.parameters().items()} <= set(words)
    assert "ListsOrganization=true" in words
    assert set(chosen.parameters()) | {"ListsOrganization"} == set(parameters(chosen))
    assert "ListsOrganization=true" not in role_texts.stack(choice())
    assert text.count(ID) == 2


@pytest.mark.parametrize("partition", Partition.values)
def test_each_partition_has_its_console_and_region(partition: str) -> None:
    assert re.fullmatch(
        r"https://console\.[a-z.-]+/cloudformation/home\?region=[a-z0-9-]+#/stacks/create/template", role_texts.console_url(partition)
    )
    assert f"--region {choice(partition=partition).region} " in role_texts.stack(choice(partition=partition))


def test_a_template_that_lost_a_place_is_not_handed_out_half_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(role_texts, "_template", lambda name: "Parameters: {}")
    with pytest.raises(ValueError, match="0 places"):
        role_texts.cloudformation(choice())
