"""Words of the rules about the account's own settings, its data, and this product's own identity. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hygiene.domain.guides.base import Guide

GUIDES: Mapping[str, Guide] = {
    "account.password_policy": Guide(
        "Weak password policy",
        "Without a policy of its own an account takes passwords of eight characters, and the same one again and again.",
        "The minimum length or the number of remembered passwords is below the limit, or no policy is set at all.",
        "CIS 1.9 and 1.10 (1.2), 1.8 and 1.9 (v1.4 to v4.0), 1.7 and 1.8 (v5), 2.7 and 2.8 (v6), 2.8 and 2.9 (v7); "
        "Security Hub IAM.15, IAM.16",
        "IAM, Account settings, Password policy, Edit: custom, minimum length 14, prevent reuse of 24 passwords.",
        "aws iam get-account-password-policy\n"
        "# this call replaces the whole policy, so name every value that shall hold\n"
        "aws iam update-account-password-policy --minimum-password-length 14 --password-reuse-prevention 24 \\\n"
        "  --require-symbols --require-numbers --require-uppercase-characters --require-lowercase-characters \\\n"
        "  --allow-users-to-change-password",
        'resource "aws_iam_account_password_policy" "this" {\n'
        "  minimum_password_length        = 14\n  password_reuse_prevention      = 24\n"
        "  require_symbols                = true\n  require_numbers                = true\n  require_uppercase_characters   = true\n"
        "  require_lowercase_characters   = true\n  allow_users_to_change_password = true\n}",
    ),
    "account.stale": Guide(
        "Data out of date",
        "Numbers from old data look better than the truth.",
        "The newest report is older than the limit, or the last poll was not complete.",
        "",
        "Open the account here: its poll history shows what fails.",
        "manage.py poll ACCOUNT_ID",
    ),
    "account.unreachable": Guide(
        "Account not reporting",
        "What cannot be read is not known to be good. Earlier verdicts of the account become unknown.",
        "The role cannot be assumed, or AWS refuses the report.",
        "",
        "Check the role's trust policy, its external id and its permissions.",
        "manage.py check_access ACCOUNT_ID",
        'resource "aws_iam_role" "hygiene_read" {\n  name = "hygiene-read"\n'
        '  assume_role_policy = jsonencode({\n    Version = "2012-10-17"\n'
        '    Statement = [{\n      Effect    = "Allow"\n      Action    = "sts:AssumeRole"\n      Principal = { AWS = "WORKER_ROLE_ARN" }\n'
        '      Condition = { StringEquals = { "sts:ExternalId" = "EXTERNAL_ID" } }\n    }]\n  })\n}',
    ),
    "tool.long_term_key": Guide(
        "This product uses a long-term key",
        "What we ask of others holds for us: workers should run with a role and temporary credentials.",
        "The identity that the workers themselves sign with is an IAM user's access key.",
        "AWS access-key guidance, applied to ourselves",
        "1. Run the workers on EC2, ECS, EKS or another place that gives them a role.\n"
        "2. Name that role in the trust policies of the read and act roles.\n3. Remove the key from the environment, then disable it.",
        "aws sts get-caller-identity\naws iam update-access-key --user-name USER --access-key-id KEY_ID --status Inactive",
        'resource "aws_iam_role" "hygiene_worker" {\n  name = "hygiene-worker"\n  assume_role_policy = jsonencode({\n'
        '    Version   = "2012-10-17"\n    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", '
        'Principal = { Service = "ecs-tasks.amazonaws.com" } }]\n  })\n}',
    ),
}
