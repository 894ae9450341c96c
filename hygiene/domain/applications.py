"""Which application a user agent names, and which place with temporary credentials a call came from. Pure.

AWS's SDKs write products such as ``Boto3/1.40`` and, where their environment says so, ``exec-env/AWS_Lambda_python3.12`` and
``app/NAME`` (see "User agent" and "AWS_SDK_UA_APP_ID" in the SDKs and Tools Reference Guide).
"""

from __future__ import annotations

import re

_APP = re.compile(r"\bapp/([\w.+-]+)", re.ASCII)
_PRODUCT = re.compile(r"([A-Za-z][\w.+-]*)/[\w.+-]+", re.ASCII)
_TOOLS = re.compile(r"\b(Terraform|OpenTofu|Pulumi|Ansible|CloudFormation|Packer|Vault|rclone|s3cmd|Veeam|cyberduck)\b", re.IGNORECASE)
_NO_PRODUCT = ("APN", "Mozilla")  # partner and browser prefixes: the product comes later
_PLACES = (
    (re.compile(r"AWS_Lambda", re.IGNORECASE), "AWS Lambda"),
    (re.compile(r"CodeBuild", re.IGNORECASE), "AWS CodeBuild"),
    (re.compile(r"AWS_ECS", re.IGNORECASE), "Amazon ECS"),
    (re.compile(r"exec-env/(AWS_)?EC2\b|-amazon-linux|\bamzn\d?\b|\.amzn", re.IGNORECASE), "Amazon EC2"),
    (re.compile(r"CloudShell", re.IGNORECASE), "AWS CloudShell"),
    (re.compile(r"github.?actions", re.IGNORECASE), "GitHub Actions"),
    (re.compile(r"gitlab", re.IGNORECASE), "GitLab CI"),
    (re.compile(r"aws-sdk-(android|ios)|aws-amplify|aws-sdk-swift", re.IGNORECASE), "a mobile app"),
)
_EC2_HOST = re.compile(r"ec2-[\d-]+\..*amazonaws\.com", re.IGNORECASE)


def application(user_agent: str) -> str:
    """The application's own name where the user agent has one, else the tool or SDK; "" for an empty one."""
    text = user_agent.strip("[] ")
    if (named := _APP.search(text)) is not None:
        return named[1]
    if (tool := _TOOLS.search(text)) is not None:
        return tool[1]
    for product in _PRODUCT.findall(text):
        if product not in _NO_PRODUCT:
            return str(product)
    return text[:64]


def place_of_agent(user_agent: str) -> str:
    """Where temporary credentials exist and the call came from, by its user agent; "" when nothing points there."""
    return next((place for pattern, place in _PLACES if pattern.search(user_agent)), "")


def place_of_address(address: str) -> str:
    """The same by the source address, which may be a host of EC2 or the name of a service."""
    if _EC2_HOST.fullmatch(address):
        return "Amazon EC2"
    return f"the service {address}" if address.endswith(".amazonaws.com") else ""
