"""The fake AWS on a port of loopback: a server, from a thread of this process or for a process of its own."""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from demo.fake_aws.organization import Organization
from demo.fake_aws.server import FakeAws
from demo.fake_aws.world import World


class Handler(WSGIRequestHandler):
    """Keeps connections open, as AWS does, and writes no access log."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Silent: the world's log is the record."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """A fault of the test, or a client that went away: the connection ends without an answer."""
        self.close_connection = True


@dataclass
class Running:
    """A fake AWS that serves."""

    world: World
    server: BaseWSGIServer
    thread: threading.Thread

    @property
    def url(self) -> str:
        """For AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        """Serve no more."""
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(organization: Organization, *, port: int, latency: float = 0.0) -> tuple[World, BaseWSGIServer]:
    """A server that is bound to loopback and does not serve yet."""
    world = World(organization)
    server = make_server("127.0.0.1", port, FakeAws(world, latency), threaded=True, request_handler=Handler)
    if isinstance(server, socketserver.ThreadingMixIn):
        server.daemon_threads, server.block_on_close = True, False
    return world, server


def start(organization: Organization, *, port: int = 0, latency: float = 0.0) -> Running:
    """Serve from a thread; `port` 0 takes a free one."""
    world, server = serve(organization, port=port, latency=latency)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    return Running(world, server, thread)
