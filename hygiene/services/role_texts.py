"""The templates of deploy/aws, filled for one choice: what a person pastes into AWS to make the roles."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "deploy" / "aws"
CLOUDFORMATION, TERRAFORM = "hygiene-roles.yaml", "hygiene-roles.tf"
STACK = "key-hygiene-roles"
CONSOLES = {
    "aws": ("console.aws.amazon.com", "us-east-1"),
    "aws-us-gov": ("console.amazonaws-us-gov.com", "us-gov-west-1"),
    "aws-cn": ("console.amazonaws.cn", "cn-north-1"),
    "aws-eusc": ("console.amazonaws-eusc.eu", "eusc-de-east-1"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the texts are filled with. The caller has checked the shape of every word."""

    partition: str
    worker_arn: str
    external_id: str
    acts: bool = False
    read_role: str = "hygiene-read"
    act_role: str = "hygiene-act"
    lists: bool = False  # the account that lists the organization

    @property
    def region(self) -> str:
        """Where the stack is made; IAM itself has no Region."""
        return CONSOLES[self.partition][1]

    def parameters(self) -> dict[str, str]:
        """Of the CloudFormation template, without `ListsOrganization`, which only one account of an organization needs."""
        return {
            "WorkerArn": self.worker_arn,
            "ExternalId": self.external_id,
            "ReadRoleName": self.read_role,
            "ActRoleName": self.act_role,
            "CreateActRole": "true" if self.acts else "false",
        }


@cache
def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def console_url(partition: str) -> str:
    """CloudFormation's page "Create stack" in the partition's console."""
    host, region = CONSOLES[partition]
    return f"https://{host}/cloudformation/home?region={region}#/stacks/create/template"


def cloudformation(choice: Choice) -> str:
    """The CloudFormation template, with the choice as the defaults of its parameters."""
    text = _template(CLOUDFORMATION)
    for name, value in choice.parameters().items():
        pattern = rf'^(  {name}: {{Type: String)(?:, Default: "[^"]*")?'
        text = _filled(text, pattern, lambda found, value=value: f"{found[1]}, Default: {json.dumps(value)}")
    return text


def terraform(choice: Choice) -> str:
    """The Terraform configuration, with the choice as the defaults of its variables."""
    text = _template(TERRAFORM)
    values = {
        "worker_arn": json.dumps(choice.worker_arn),
        "external_id": json.dumps(choice.external_id),
        "read_role_name": json.dumps(choice.read_role),
        "act_role_name": json.dumps(choice.act_role),
        "create_act_role": "true" if choice.acts else "false",
        "lists_organization": "true" if choice.lists else "false",
    }
    for name, value in values.items():
        pattern = rf'^(variable "{name}" {{[^\n]*\n  type) += (\w+)\n(?:  default = [^\n]*\n)?'
        text = _filled(text, pattern, lambda found, value=value: f"{found[1]}    = {found[2]}\n  default = {value}\n")
    return text


def _filled(text: str, pattern: str, by: object) -> str:
    """Every place is there exactly once: a template that changed its shape must not be handed out half-filled."""
    filled, count = re.subn(pattern, by, text, flags=re.MULTILINE)  # type: ignore[call-overload]  # a function of the match
    if count != 1:
        raise ValueError(f"The template has {count} places for {pattern!r}.")
    return str(filled)


def stack(choice: Choice) -> str:
    """AWS CLI: the stack in one account, from the downloaded template."""
    values = choice.parameters() | ({"ListsOrganization": "true"} if choice.lists else {})
    given = " \\\n    ".join(f"{name}='{value}'" for name, value in values.items())
    return (
        f"aws cloudformation deploy --region {choice.region} \\\n"
        f"  --stack-name {STACK} --template-file {CLOUDFORMATION} \\\n"
        f"  --capabilities CAPABILITY_NAMED_IAM \\\n"
        f"  --parameter-overrides \\\n    {given}\n"
    )


def stack_set(choice: Choice) -> str:
    """AWS CLI in the management account: a service-managed StackSet for every member, and a stack for the account itself."""
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in choice.parameters().items()]
    return (
        "# In the management account. The template is the file downloaded above.\n"
        f"aws cloudformation create-stack-set --region {choice.region} \\\n"
        f"  --stack-set-name {STACK} --template-body file://{CLOUDFORMATION} \\\n"
        "  --capabilities CAPABILITY_NAMED_IAM --permission-model SERVICE_MANAGED \\\n"
        "  --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false \\\n"
        f"  --parameters '{json.dumps(parameters)}'\n"
        "\n"
        f"aws cloudformation create-stack-instances --region {choice.region} \\\n"
        f"  --stack-set-name {STACK} --regions {choice.region} \\\n"
        "  --operation-preferences FailureTolerancePercentage=100,MaxConcurrentPercentage=50 \\\n"
        "  --deployment-targets \"OrganizationalUnitIds=$(aws organizations list-roots --query 'Roots[0].Id' --output text)\"\n"
        "\n"
        "# StackSets leave the management account out: its own stack, which may also list the organization.\n"
        f"{stack(choice)}"
    )
