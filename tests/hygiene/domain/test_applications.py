"""User agents name applications, and point at places with temporary credentials."""

from __future__ import annotations

import pytest

from hygiene.domain.applications import application, place_of_address, place_of_agent


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("aws-cli/2.15.30 Python/3.11.8 Linux/6.1 exe/x86_64 prompt/off command/s3api.list-buckets", "aws-cli"),
        ("Boto3/1.40.1 md/Botocore#1.40.1 ua/2.0 os/linux lang/python#3.11 app/nightly-report", "nightly-report"),
        ("[Boto3/1.26 Python/3.9 Linux/4.14 exec-env/AWS_Lambda_python3.9]", "Boto3"),
        ("APN/1.0 HashiCorp/1.0 Terraform/1.5.7 (+https://www.terraform.io) aws-sdk-go/1.44", "Terraform"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0", "Chrome"),
        ("s3.amazonaws.com", "s3.amazonaws.com"),
        ("[ Windows PowerShell ]", "Windows PowerShell"),
        ("XX Windows PowerShell XX", "XX Windows PowerShell XX"),
        ("x" * 65, "x" * 64),
        ("", ""),
    ],
)
def test_a_user_agent_names_its_application(user_agent: str, name: str) -> None:
    assert application(user_agent) == name


@pytest.mark.parametrize(
    ("user_agent", "address", "place"),
    [
        ("Boto3/1.26 exec-env/AWS_Lambda_python3.9", "", "AWS Lambda"),
        ("aws-sdk-go/1.44 exec-env/AWS_ECS_FARGATE", "", "Amazon ECS"),
        ("aws-cli/2.15 Linux/6.1.79-99.164.amzn2023.x86_64", "", "Amazon EC2"),
        ("configure-aws-credentials-for-github-actions", "", "GitHub Actions"),
        ("aws-sdk-iOS/2.33", "", "a mobile app"),
        ("", "ec2-52-1-2-3.eu-west-1.compute.amazonaws.com", "Amazon EC2"),
        ("", "cloudformation.amazonaws.com", "the service cloudformation.amazonaws.com"),
        ("aws-cli/2.15 Darwin/23", "198.51.100.7", ""),
    ],
)
def test_a_call_points_at_the_place_it_came_from(user_agent: str, address: str, place: str) -> None:
    assert place_of_agent(user_agent) + place_of_address(address) == place
