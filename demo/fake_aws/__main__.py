"""`python -m demo.fake_aws --port 5000`: the demo's organisation in a process of its own."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from demo.cast import organization
from demo.fake_aws.serving import serve


def main() -> None:
    """Serve until the process ends. A taken port is one sentence."""
    parser = argparse.ArgumentParser(description="A fake AWS for the demo, on loopback.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--born", help="ISO time that the cast's ages are relative to; now by default")
    options = parser.parse_args()
    born = datetime.fromisoformat(options.born) if options.born else datetime.now(UTC)
    try:
        _, server = serve(organization(born), port=options.port, latency=options.latency_ms / 1000)
    except (OSError, SystemExit):
        sys.exit(f"Port {options.port} is taken. Choose another one.")
    server.serve_forever()


main()
