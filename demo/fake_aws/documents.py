"""Policies that the cast's users have, by name. A name with a path is the account's own; the others are AWS's."""

from __future__ import annotations

from typing import Any

DOCUMENTS: dict[str, dict[str, Any]] = {
    name: {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": "*"}]}
    for name, effect, actions in (
        ("AdministratorAccess", "Allow", "*"),
        ("ReadOnlyAccess", "Allow", ["s3:Get*", "s3:List*", "ec2:Describe*", "iam:Get*", "iam:List*"]),
        ("AmazonS3FullAccess", "Allow", ["s3:*", "s3-object-lambda:*"]),
        ("IAMFullAccess", "Allow", ["iam:*"]),
        ("AWSCodeCommitPowerUser", "Allow", ["codecommit:Git*", "codecommit:Get*", "codecommit:List*", "codecommit:Create*"]),
        ("AWSCompromisedKeyQuarantineV2", "Deny", ["iam:CreateAccessKey", "ec2:RunInstances", "organizations:CreateAccount"]),
        ("pipelines/deploy-artifacts", "Allow", ["s3:PutObject", "s3:GetObject", "cloudfront:CreateInvalidation"]),
    )
}
