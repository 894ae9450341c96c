"""Words of the rules about root and the organization's hold on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hygiene.domain.guides.base import Guide

SIGN_IN = "1. Sign in as the root user.\n2. Open the account menu, Security credentials.\n"
CENTRAL_CLI = (
    "# from the organization's management account, or its delegated administrator for IAM\n"
    "aws sts assume-root --region us-east-1 --target-principal ACCOUNT_ID \\\n"
    "  --task-policy-arn arn=arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials\n"
    "# then, with the credentials of that answer\n"
)
FEATURES = 'resource "aws_iam_organizations_features" "root" {\n  enabled_features = ["RootCredentialsManagement"]\n}'
NO_TERRAFORM = "# Root's own credentials cannot be managed with Terraform. Managing them centrally keeps new members free of them:\n"

GUIDES: Mapping[str, Guide] = {
    "root.key_present": Guide(
        "Root key present",
        "No policy limits what a root key can do, so whoever copies it owns the account. AWS's advice is to have none.",
        "The live account summary says that root has a key, or a root slot of the report holds one. An inactive key counts too.",
        "CIS 1.4 (v1.4 to v4.0), 1.3 (v5), 2.3 (v6), 2.4 (v7); Security Hub IAM.4; Config iam-root-access-key-check",
        SIGN_IN + "3. Under Access keys, deactivate the key.\n4. Watch for a few days whether something breaks.\n5. Delete the key.",
        "# as the root user itself\naws iam list-access-keys\n"
        "aws iam update-access-key --access-key-id KEY_ID --status Inactive\n"
        "aws iam delete-access-key --access-key-id KEY_ID\n"
        f"{CENTRAL_CLI}aws iam delete-access-key --access-key-id KEY_ID",
        NO_TERRAFORM + FEATURES,
    ),
    "root.password_present": Guide(
        "Root password of a member account",
        "With central root management on, members need no root password. One that is there is one more way in.",
        "The account is a member of an organization, central root management is on, and root has a password.",
        "AWS centralized root access guidance",
        "1. Sign in to the management account, or the delegated administrator.\n2. Open IAM, Root access management.\n"
        "3. Choose the account, Take privileged action, Delete root user credentials.",
        CENTRAL_CLI + "aws iam delete-login-profile",
        NO_TERRAFORM + FEATURES,
    ),
    "root.certificate_present": Guide(
        "Root signing certificate present",
        "A signing certificate is an old kind of root credential, nearly always forgotten, and as powerful as a key.",
        "The live account summary says that root has one; without a summary, the certificate columns of the report.",
        "",
        SIGN_IN + "3. Under X.509 signing certificates, delete the certificate.",
        "# as the root user itself\naws iam list-signing-certificates\n"
        f"aws iam delete-signing-certificate --certificate-id CERTIFICATE_ID\n"
        f"{CENTRAL_CLI}aws iam delete-signing-certificate --certificate-id CERTIFICATE_ID",
        NO_TERRAFORM + FEATURES,
    ),
    "root.no_mfa": Guide(
        "Root without MFA",
        "A stolen root password alone opens the whole account.",
        "Root has a password or an active key, and no MFA device. Where root cannot sign in, as in GovCloud, only an active key counts. "
        "Profiles of CIS and Security Hub look at the password only.",
        "CIS 1.5 (v1.4 to v4.0), 1.4 (v5), 2.4 (v6), 2.5 (v7); Security Hub IAM.9 (both look at the password only)",
        SIGN_IN + "3. Under Multi-factor authentication, assign a passkey or security key; add a second one as a spare.",
        "aws iam get-account-summary --query SummaryMap.AccountMFAEnabled\n# MFA of the root user can be assigned in the console only",
        NO_TERRAFORM + FEATURES,
    ),
    "root.virtual_mfa": Guide(
        "Root with virtual MFA",
        "Codes of an app can be phished and its secret can be copied; a passkey or security key cannot.",
        "MFA is on, and a virtual device is assigned to the root ARN.",
        "CIS 1.6 (v1.4 to v4.0), 1.5 (v5), 2.5 (v6), 2.6 (v7), all level 2; Security Hub IAM.6",
        SIGN_IN + "3. Under Multi-factor authentication, assign a security key.\n4. Remove the virtual device.",
        "aws iam list-virtual-mfa-devices --assignment-status Assigned\n# MFA of the root user can be assigned in the console only",
        NO_TERRAFORM + FEATURES,
    ),
    "root.used": Guide(
        "Root used",
        "Daily work never needs the root user. Each use is either an emergency or a surprise.",
        "The newest of root's sign-in and its keys' last use is at most this many days ago.",
        "CIS 1.7 (v1.4 to v4.0), 1.6 (v5), 2.6 (v6), 2.7 (v7)",
        "1. Find out who used it: CloudTrail, Event history, User name root.\n2. Give that task to a role.",
        "aws cloudtrail lookup-events --region us-east-1 --lookup-attributes AttributeKey=Username,AttributeValue=root",
        'resource "aws_cloudwatch_log_metric_filter" "root_use" {\n'
        '  name           = "root-use"\n  log_group_name = "TRAIL_LOG_GROUP"\n'
        '  pattern        = "{ $.userIdentity.type = \\"Root\\" && $.eventType != \\"AwsServiceEvent\\" }"\n'
        '  metric_transformation {\n    name      = "RootUse"\n    namespace = "Security"\n    value     = "1"\n  }\n}',
    ),
    "org.central_root_off": Guide(
        "Central root management off",
        "Managed centrally, root of member accounts needs no password, no key and no MFA device at all.",
        "The account is the organization's management account or its delegated administrator for IAM, and RootCredentialsManagement "
        "is not among the enabled features.",
        "CIS 7.0 2.1.1",
        "1. Sign in to the management account.\n2. Open IAM, Root access management, Enable.\n3. Tick root credentials management.",
        "aws organizations enable-aws-service-access --service-principal iam.amazonaws.com\n"
        "aws iam enable-organizations-root-credentials-management\naws iam list-organizations-features",
        FEATURES,
    ),
}
