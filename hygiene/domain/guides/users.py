"""Words of the rules about IAM users: passwords, MFA, owners, permissions and other credentials. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hygiene.domain.guides.base import Guide

CREDENTIALS = "IAM, Users, the user, Security credentials"
DELETE_PASSWORD = "aws iam delete-login-profile --user-name USER"  # noqa: S105  # a command
MFA = "aws iam enable-mfa-device --user-name USER --serial-number ARN --authentication-code1 CODE --authentication-code2 CODE"
NO_PROFILE = "# take the aws_iam_user_login_profile resource out of the configuration, then apply:\nterraform apply"
DENY_WITHOUT_MFA = (
    "# MFA devices belong to people and are no resource here; deny what is done without one:\n"
    'resource "aws_iam_group_policy" "mfa" {\n  group  = "GROUP"\n  policy = jsonencode({\n    Version = "2012-10-17"\n'
    '    Statement = [{\n      Effect    = "Deny"\n'
    '      NotAction = ["iam:EnableMFADevice", "iam:CreateVirtualMFADevice", "iam:ListMFADevices"]\n'
    '      Resource  = "*"\n      Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }\n    }]\n  })\n}'
)

GUIDES: Mapping[str, Guide] = {
    "password.no_mfa": Guide(
        "Console user without MFA",
        "A stolen password alone opens the console.",
        "The report says password enabled and MFA not active.",
        "CIS 1.2 (v1.2), 1.10 (v1.4 to v4.0), 1.9 (v5), 2.9 (v6), 2.10 (v7); Security Hub IAM.5",
        f"{CREDENTIALS}: Assign MFA device, a passkey or security key. Better: give the person access by IAM Identity Center.",
        MFA,
        DENY_WITHOUT_MFA,
    ),
    "password.unused": Guide(
        "Password unused",
        "A password nobody uses is forgotten, not safe.",
        "Password enabled, and the last sign-in, or the last change when there was none, is at least this many days ago.",
        "CIS 1.3 (v1.2), 1.12 (v1.4 to v4.0), 1.11 (v5), 2.11 (v6, v7); Security Hub IAM.22",
        f"{CREDENTIALS}: Manage console access, Disable.",
        DELETE_PASSWORD,
        NO_PROFILE,
    ),
    "password.too_old": Guide(
        "Password over maximum age",
        "Off by default: forced changes make weak passwords.",
        "Changed more than this many days ago, or the next rotation is in the past.",
        "",
        f"{CREDENTIALS}: Manage console access, Reset password.",
        "aws iam update-login-profile --user-name USER --password-reset-required --password NEW_PASSWORD",
        'resource "aws_iam_user_login_profile" "this" {\n  user                    = "USER"\n  password_reset_required = true\n}',
    ),
    "mfa.virtual_only": Guide(
        "Virtual MFA only",
        "Codes from an app can be phished; passkeys and security keys cannot.",
        "Every MFA device of a console user is virtual.",
        "",
        f"{CREDENTIALS}: Assign MFA device, a passkey or security key; then remove the virtual one.",
        f"aws iam list-mfa-devices --user-name USER\n{MFA}",
        DENY_WITHOUT_MFA,
    ),
    "certificate.old": Guide(
        "Old signing certificate",
        "Signing certificates are credentials too, and nearly always forgotten.",
        "An active signing certificate was rotated more than this many days ago.",
        "",
        f"{CREDENTIALS}: X.509 signing certificates, Deactivate, later Delete.",
        "aws iam list-signing-certificates --user-name USER\n"
        "aws iam update-signing-certificate --user-name USER --certificate-id CERTIFICATE_ID --status Inactive",
        "# take the aws_iam_signing_certificate resource out of the configuration, then apply:\nterraform apply",
    ),
    "ssh_key.old": Guide(
        "Old SSH public key",
        "The private half lies on laptops and build machines, and is seldom changed.",
        "An active SSH public key was uploaded more than this many days ago. Quiet until SSH keys were collected.",
        "",
        f"{CREDENTIALS}: SSH public keys for AWS CodeCommit, Deactivate, later Delete.",
        "aws iam list-ssh-public-keys --user-name USER\n"
        "aws iam update-ssh-public-key --user-name USER --ssh-public-key-id SSH_KEY_ID --status Inactive",
        'resource "aws_iam_user_ssh_key" "this" {\n  username   = "USER"\n  encoding   = "SSH"\n  public_key = "NEW_PUBLIC_KEY"\n}',
    ),
    "service_credential.long_lived": Guide(
        "Long-term Bedrock API key",
        "It is a bearer secret that needs no signature, and calls models at your cost until it expires, if ever.",
        "An API key of Amazon Bedrock is active and has not expired. "
        "Critical if it never expires. Quiet until such credentials were collected.",
        "AWS: prefer short-term Bedrock API keys",
        f"{CREDENTIALS}: API keys for Amazon Bedrock, Deactivate, later Delete.",
        "aws iam list-service-specific-credentials --user-name USER --service-name bedrock.amazonaws.com\n"
        "aws iam update-service-specific-credential --user-name USER --service-specific-credential-id CREDENTIAL_ID --status Inactive",
        'resource "aws_iam_service_specific_credential" "this" {\n  service_name = "bedrock.amazonaws.com"\n  user_name    = "USER"\n'
        '  status       = "Inactive"\n}',
    ),
    "user.no_owner": Guide(
        "No owner",
        "When a key has to go, somebody must be asked. Users without an owner stay for years, because nobody dares.",
        "No owner tag of the user, no description of one of its keys, and no mapping names an owner. The account's owner does not count.",
        "Security Hub IAM.25 (tags of users), an analogue",
        "IAM, Users, the user, Tags: add an owner tag with a mail address.",
        "aws iam tag-user --user-name USER --tags Key=owner,Value=PERSON@EXAMPLE.COM",
        'resource "aws_iam_user" "this" {\n  name = "USER"\n  tags = {\n    owner = "PERSON@EXAMPLE.COM"\n  }\n}',
    ),
    "user.direct_policy": Guide(
        "Policy on the user itself",
        "Permissions of single users are seldom looked at again; those of groups and roles are.",
        "A policy is attached to the user, or embedded in it.",
        "CIS 1.16 (v1.2), 1.15 (v1.4 to v4.0), 1.14 (v5), 2.14 (v6), 2.13 (v7); Security Hub IAM.2",
        "IAM, Users, the user, Permissions: remove the policy, and put the user into a group that has it.",
        "aws iam list-attached-user-policies --user-name USER\naws iam list-user-policies --user-name USER\n"
        "aws iam add-user-to-group --user-name USER --group-name GROUP\n"
        "aws iam detach-user-policy --user-name USER --policy-arn POLICY_ARN\n"
        "aws iam delete-user-policy --user-name USER --policy-name POLICY_NAME",
        'resource "aws_iam_user_group_membership" "this" {\n  user   = "USER"\n  groups = ["GROUP"]\n}',
    ),
    "user.role_would_do": Guide(
        "A role would do",
        "Where AWS gives temporary credentials by itself, a long-term key is a risk for nothing.",
        "CloudTrail shows calls with a key of this user from a place where temporary credentials exist: EC2, ECS, Lambda, CodeBuild, "
        "GitHub Actions, a mobile app. Quiet until somebody looked for a key's use.",
        "AWS access-key guidance: roles instead of long-term keys",
        "1. Make a role that the place can use: an instance profile, a task role, an execution role, an OIDC provider.\n"
        "2. Take the key out of the program's configuration.\n3. Deactivate the key when its last use stands still.",
        "aws iam create-role --role-name ROLE --assume-role-policy-document file://trust.json\n"
        "aws iam attach-role-policy --role-name ROLE --policy-arn POLICY_ARN\n"
        "aws iam update-access-key --user-name USER --access-key-id KEY_ID --status Inactive",
        'resource "aws_iam_role" "this" {\n  name = "ROLE"\n  assume_role_policy = jsonencode({\n    Version   = "2012-10-17"\n'
        '    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]\n  })\n}\n\n'
        'resource "aws_iam_instance_profile" "this" {\n  name = "ROLE"\n  role = aws_iam_role.this.name\n}',
    ),
}
