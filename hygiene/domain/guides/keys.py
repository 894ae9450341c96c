"""Words of the rules about access keys. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hygiene.domain.guides.base import Guide

CONSOLE = "IAM, Users, the user, Security credentials, Access keys: Actions, Deactivate. Watch for a while, then Delete."
DISABLE = "aws iam update-access-key --user-name USER --access-key-id KEY_ID --status Inactive"
DELETE = "aws iam delete-access-key --user-name USER --access-key-id KEY_ID"
LIST = "aws iam list-access-keys --user-name USER"
INACTIVE = 'resource "aws_iam_access_key" "this" {\n  user   = "USER"\n  status = "Inactive"\n}'
REMOVE = "# take the aws_iam_access_key resource out of the configuration, then apply:\nterraform apply"
ROTATE = (
    "aws iam create-access-key --user-name USER\n# give the new key to the application, and watch the old one:\n"
    f"aws iam get-access-key-last-used --access-key-id OLD_KEY_ID\n{DISABLE.replace('KEY_ID', 'OLD_KEY_ID')}"
)
ROTATE_TERRAFORM = (
    'resource "aws_iam_access_key" "next" {\n  user = "USER"\n}\n\n# when the application uses the new key\n'
    'resource "aws_iam_access_key" "this" {\n  user   = "USER"\n  status = "Inactive"\n}'
)
ROTATE_CONSOLE = (
    "1. IAM, Users, the user, Security credentials: Create access key.\n2. Give the new key to the application.\n"
    "3. When the old key's last use stands still, deactivate it.\n4. After a waiting time, delete it."
)

GUIDES: Mapping[str, Guide] = {
    "key.never_used": Guide(
        "Never used",
        "A key nobody uses is only good for who steals it. Disabling it breaks nothing that is known.",
        "Active, and AWS has recorded no use since it was created. New keys have some days of grace.",
        "Stricter than CIS: a never-used key ages from its birth",
        CONSOLE,
        DISABLE,
        INACTIVE,
    ),
    "key.unused": Guide(
        "Unused",
        "A key that is not needed any more is a risk without a benefit.",
        "Active, and the last use, or the birth of a key never used, is at least this many days ago. High beyond a second number.",
        "CIS 1.12 (v1.4 to v4.0), 1.11 (v5), 2.11 (v6, v7); Security Hub IAM.22",
        CONSOLE,
        DISABLE,
        INACTIVE,
    ),
    "key.unused_90": Guide(
        "Unused 90+ days",
        "As above, with the longer limit of older standards.",
        "Active, and the last use, or the birth of a key never used, is at least this many days ago. Off unless the profile asks.",
        "Security Hub IAM.8; CIS 1.3 (v1.2)",
        CONSOLE,
        DISABLE,
        INACTIVE,
    ),
    "key.too_old": Guide(
        "Over maximum age",
        "The longer a key lives, the more copies of it there are.",
        "Active, and created more than this many days ago. High beyond a second number.",
        "CIS 1.4 (v1.2), 1.14 (v1.4 to v4.0), 1.13 (v5), 2.13 (v6), 2.12 (v7); Security Hub IAM.3; Config access-keys-rotated",
        ROTATE_CONSOLE,
        ROTATE,
        ROTATE_TERRAFORM,
    ),
    "key.two_active": Guide(
        "Two active keys",
        "Two keys are meant for the days of a rotation, not for years.",
        "Both keys of the user are active.",
        "CIS 1.13 (v1.4 to v4.0), 1.12 (v5), 2.12 (v6); dropped in v7",
        CONSOLE,
        f"{LIST}\n{DISABLE}",
        INACTIVE,
    ),
    "key.rotation_stalled": Guide(
        "Rotation unfinished",
        "A new key was made, but the old one is still in use.",
        "Both keys are active, the newer is past the grace days, the older was used within the last days.",
        "AWS access-key rotation procedure",
        "1. Find what still uses the old key: its page here shows where it was used.\n"
        "2. Give that the new key.\n3. Deactivate the old key.",
        f"aws iam get-access-key-last-used --access-key-id OLD_KEY_ID\n{DISABLE.replace('KEY_ID', 'OLD_KEY_ID')}",
        INACTIVE,
    ),
    "key.superseded": Guide(
        "Replaced by a newer key",
        "The newer key has taken over: the older one can go.",
        "Both keys are active, the newer is used, the older has not been since the newer was made.",
        "AWS access-key rotation procedure",
        CONSOLE,
        DISABLE,
        INACTIVE,
    ),
    "key.inactive_left": Guide(
        "Inactive, not deleted",
        "An inactive key can be switched on again by anybody who may, and blocks a slot.",
        "There, but not active for more than this many days since it was first seen so.",
        "AWS: remove unused credentials",
        "IAM, Users, the user, Security credentials, Access keys: Actions, Delete.",
        DELETE,
        REMOVE,
    ),
    "key.with_password": Guide(
        "Key and password on one user",
        "People and programs should not share an identity.",
        "The user has a console password and an active key.",
        "",
        "Give the program a role, or a user of its own. Then deactivate this user's key, or remove its console access.",
        f"{LIST}\n{DISABLE}\n# or, where nobody signs in\naws iam delete-login-profile --user-name USER",
        INACTIVE,
    ),
    "key.created_at_setup": Guide(
        "Made at set-up, never used",
        "Keys made together with a console user are often never needed.",
        "The user has a password, the key is active and was never used.",
        "CIS 1.21 (v1.2), 1.11 (v1.4 to v4.0), 1.10 (v5), 2.10 (v6); dropped in v7",
        CONSOLE,
        DISABLE,
        INACTIVE,
    ),
    "key.admin": Guide(
        "Key of an administrator",
        "Whoever has this key owns the account. So age, disuse and an unfinished rotation of such a key count one level more.",
        "Active, and its user has AdministratorAccess, or every action on every resource, directly or by a group.",
        "AWS access-key guidance: least privilege",
        "IAM, Users, the user, Permissions: remove AdministratorAccess and add what the program needs. "
        "Access Analyzer can make a policy from its recorded use.",
        "aws iam list-attached-user-policies --user-name USER\naws iam list-groups-for-user --user-name USER\n"
        "aws iam detach-user-policy --user-name USER --policy-arn arn:aws:iam::aws:policy/AdministratorAccess",
        "# take the attachment out of the configuration, and attach a narrower policy to the group:\n"
        'resource "aws_iam_group_policy_attachment" "narrow" {\n  group      = "GROUP"\n  policy_arn = "POLICY_ARN"\n}',
    ),
    "key.quarantined": Guide(
        "Quarantined by AWS",
        "AWS attaches this policy when it finds a key of the user in public. The key has to be taken as stolen.",
        "A policy whose name starts AWSCompromisedKeyQuarantine is attached to the user.",
        "AWS: remediate exposed access keys",
        "1. Do not remove the policy.\n2. Deactivate the exposed key and look at what it did: its page here asks CloudTrail.\n"
        "3. End the sessions made with it: attach a policy that denies everything, or everything before now (aws:TokenIssueTime).\n"
        "4. Answer AWS's support case, then let AWS's policy go.",
        f"{DISABLE}\naws cloudtrail lookup-events --lookup-attributes AttributeKey=AccessKeyId,AttributeValue=KEY_ID",
        INACTIVE,
    ),
    "key.status_other": Guide(
        "Unusual status",
        "AWS uses a status that is neither Active nor Inactive, such as Expired.",
        "The status word in ListAccessKeys is neither Active nor Inactive.",
        "",
        CONSOLE,
        f"{LIST}\n{DELETE}",
        REMOVE,
    ),
    "key.shared": Guide(
        "Shared by applications",
        "One key for several applications cannot be rotated or revoked for one of them alone, and its trail does not tell who called.",
        "CloudTrail shows calls with this one active key from more than one application, by their user agents. "
        "Quiet until somebody looked for the key's use.",
        "AWS access-key guidance: one key for each application",
        "Give each application a role, or a user and key of its own. Then deactivate this one.",
        f"aws iam create-user --user-name OTHER_APPLICATION\naws iam create-access-key --user-name OTHER_APPLICATION\n{DISABLE}",
        'resource "aws_iam_user" "each" {\n  for_each = toset(["APPLICATION_1", "APPLICATION_2"])\n  name     = each.key\n}\n\n'
        'resource "aws_iam_access_key" "each" {\n  for_each = aws_iam_user.each\n  user     = each.value.name\n}',
    ),
    "slot.ambiguous": Guide(
        "Report and keys do not match",
        "Nothing may be decided from a last use that may belong to the other key.",
        "Two keys were made in the same second and nothing in the report tells them apart.",
        "",
        "IAM, Users, the user, Security credentials: AWS shows the last use of each key there.",
        "aws iam get-access-key-last-used --access-key-id KEY_ID",
    ),
}
