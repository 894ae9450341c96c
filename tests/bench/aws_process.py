"""`python -m tests.bench.aws_process --port 5000 --latency-ms 30`: the benchmark's organisation in a process of its own."""

from __future__ import annotations

import argparse

from demo.fake_aws.serving import serve
from tests.bench.estate import organization


def main() -> None:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, required=True)
    parser.add_argument("--accounts", type=int, required=True)
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--prefix", required=True)
    options = parser.parse_args()
    world, server = serve(
        organization(options.accounts, options.users, prefix=options.prefix), port=options.port, latency=options.latency_ms / 1000
    )
    world.report_seconds = 0
    server.serve_forever()


main()
