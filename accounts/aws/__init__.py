"""The adapter of the gateway port over boto3: the only door to AWS. No Django here."""

from accounts.aws.adapter import AwsGateway
from accounts.aws.root import AwsRootGateway
from accounts.aws.session import SessionSpec, long_term_key_id

__all__ = ["AwsGateway", "AwsRootGateway", "SessionSpec", "long_term_key_id"]
