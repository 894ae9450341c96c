"""The demo's services in containers: `fake-aws`, `seed`, `mail`. Never in the production image.

On one machine `make demo` starts the same parts on loopback; here they listen on the container's own network.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
EVERYWHERE = "0.0.0.0"  # noqa: S104  # inside a network that has no published port


def fake_aws() -> None:
    """Serve the demo's organisation on port 5000."""
    from werkzeug.serving import make_server

    from demo.cast import organization
    from demo.fake_aws.server import FakeAws
    from demo.fake_aws.serving import Handler
    from demo.fake_aws.world import World

    world = World(organization(datetime.now(UTC)))
    make_server(EVERYWHERE, 5000, FakeAws(world), threaded=True, request_handler=Handler).serve_forever()


def seed() -> None:
    """Roles, logins and accounts; safe to run again."""
    import django

    django.setup()
    from demo.cast import organization
    from demo.seed import seed as fill

    fill(organization(datetime.now(UTC)), password=os.environ["DEMO_PASSWORD"])


def mail() -> None:
    """Catch every mail on port 1025 and show it in the browser on port 8025."""
    from aiosmtpd.controller import Controller
    from werkzeug.serving import make_server

    from demo.mailbox import Mailbox

    mailbox = Mailbox()
    Controller(mailbox, hostname=EVERYWHERE, port=1025).start()
    make_server(EVERYWHERE, 8025, mailbox, threaded=True).serve_forever()


if __name__ == "__main__":
    {"fake-aws": fake_aws, "seed": seed, "mail": mail}[sys.argv[1]]()
