"""A fake AWS over HTTP: moto's IAM and STS behind our own wrapper, for the demo, the tests and the benchmarks.

`start(organization)` serves it from a thread of this process on a free loopback port::

    with start(organization, latency=0.03) as aws:
        os.environ["AWS_ENDPOINT_URL"] = aws.url        # and ALLOW_CUSTOM_AWS_ENDPOINT=1
        aws.world.fail(Fault(account="111122223333", action="AssumeRole", code="AccessDenied"))
        aws.world.log                                    # every call: the oracle of tests

`python -m demo.fake_aws --port 5000` serves the demo's own organisation in a process of its own; there the log is read at
`/_log` and faults are set by POST to `/_faults`. An organisation is plain data: `demo.fake_aws.organization`.
"""

from demo.fake_aws.organization import AwsAccount, AwsKey, AwsUser, Organization
from demo.fake_aws.serving import Running, start
from demo.fake_aws.world import Fault, World

__all__ = ["AwsAccount", "AwsKey", "AwsUser", "Fault", "Organization", "Running", "World", "start"]
