"""What compose-check works with: commands, timed steps, the composed stack, and a browser without scripts. Standard library only."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import re
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Failed(Exception):
    """A step did not do what it should; the words are for a person."""


def run(*command: str, env: dict[str, str] | None = None, timeout: float = 900, check: bool = True) -> str:
    """Output of a command; `Failed` with the end of what it said when it fails."""
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout, check=False)  # noqa: S603
    if check and done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
        raise Failed(f"`{' '.join(command[:6])} …` ended with {done.returncode}:\n{tail}")
    return done.stdout


def say(words: str, seconds: float | None = None) -> None:
    """One line, at once."""
    print(words if seconds is None else f"{words} ({seconds:.1f} s)", flush=True)  # noqa: T201


@contextlib.contextmanager
def step(words: str) -> Iterator[list[str]]:
    """Times one step; the list takes what should stand on its line."""
    started, notes = time.monotonic(), [""]
    try:
        yield notes
    except BaseException:
        say(f"FAILED  {words}", time.monotonic() - started)
        raise
    say(f"ok      {words}{notes[-1] and ': ' + notes[-1]}", time.monotonic() - started)


def until(what: str, probe: Callable[[], Any], *, seconds: float, pause: float = 1.0) -> Any:
    """The first true answer of `probe`; `Failed` when none came in time."""
    end, last = time.monotonic() + seconds, ""
    while time.monotonic() < end:
        try:
            found = probe()
        except (OSError, urllib.error.URLError, Failed, ValueError) as error:
            found, last = None, f" ({error})"
        if found:
            return found
        time.sleep(pause)
    raise Failed(f"{what} did not happen within {seconds:.0f} s{last}")


def free_port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Stack:
    """The composed services under a project name of this run."""

    def __init__(self, folder: Path, images: dict[str, str]) -> None:
        self.port, mail_port = free_port(), free_port()
        self.project, self.password = f"hygienecheck{secrets.token_hex(3)}", secrets.token_urlsafe(12)
        self.file = folder / "check.env"
        lines = dict(line.split("=", 1) for line in (ROOT / "deploy/demo.env").read_text().splitlines() if line and line[0] != "#")
        lines |= {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "POSTGRES_PASSWORD": secrets.token_urlsafe(18),
            "REDIS_PASSWORD": secrets.token_urlsafe(18),
            "METRICS_TOKEN": secrets.token_urlsafe(18),
            "DEMO_PASSWORD": self.password,
            "SITE_ROOT": f"http://127.0.0.1:{self.port}",
            "WEB_PUBLISH": f"127.0.0.1:{self.port}",
            "MAIL_PUBLISH": f"127.0.0.1:{mail_port}",
            "HYGIENE_IMAGE": "key-hygiene-check",
            "POLL_SLOTS": "2",
        }
        self.settings = lines | images
        self.file.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))
        has_plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0  # noqa: S607
        self.tool = ["docker", "compose"] if has_plugin else ["docker-compose"]

    def compose(self, *words: str, timeout: float = 900, check: bool = True) -> str:
        """One call of compose, with nothing of this shell's settings in it."""
        kept = {
            name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "XDG_RUNTIME_DIR") or name.startswith("DOCKER_")
        }
        arguments = ("--project-name", self.project, "--env-file", str(self.file), "--profile", "demo", *words)
        return run(*self.tool, *arguments, env=kept, timeout=timeout, check=check)

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of the service's container."""
        names = ("--filter", f"label=com.docker.compose.project={self.project}", "--filter", f"label=com.docker.compose.service={service}")
        found = run("docker", "ps", "--all", "--quiet", *names).split()
        if len(found) != 1:
            raise Failed(f"{service} has {len(found)} containers, not one")
        return dict(json.loads(run("docker", "inspect", found[0]))[0])

    def health(self, service: str) -> str:
        """The engine's word: starting, healthy, unhealthy; or why it does not run."""
        state = self.inspect(service)["State"]
        return str(state["Health"]["Status"]) if state["Status"] == "running" else f"{state['Status']} with {state['ExitCode']}"

    def wait_healthy(self, *services: str, seconds: float = 240) -> None:
        """Return once every one of `services` is healthy."""

        def all_healthy() -> bool:
            states = {service: self.health(service) for service in services}
            waiting = {service: state for service, state in states.items() if state != "healthy"}
            if waiting:
                raise Failed(", ".join(f"{service} is {state}" for service, state in waiting.items()))
            return True

        until("Health of all services", all_healthy, seconds=seconds)

    def fake_aws(self, path: str) -> Any:
        """Ask the fake AWS's control address from inside its container."""
        program = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:5000{path}', timeout=10).read().decode())"
        return json.loads(run("docker", "exec", str(self.inspect("fake-aws")["Id"]), "python", "-c", program))


class Browser:
    """Cookies, forms and redirects: what a person's browser does, without scripts."""

    def __init__(self, stack: Stack) -> None:
        self.root, self.jar = f"http://127.0.0.1:{stack.port}", http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar), urllib.request.ProxyHandler({}))

    def open(self, path: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> tuple[str, str, int]:
        """Address after redirects, text and status."""
        address = urllib.parse.urljoin(self.root, path)
        data = None if form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(address, data, {"Referer": address, **(headers or {})})  # noqa: S310
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.url, answer.read().decode(), answer.status
        except urllib.error.HTTPError as error:
            return error.url or address, error.read().decode(errors="replace"), error.code

    def page(self, path: str) -> tuple[str, str]:
        """A page that must answer 200: its address and text."""
        url, text, status = self.open(path)
        if status != 200:
            raise Failed(f"{path} answered {status}: {text[:300]}")
        return url, text

    def post(self, path: str, form: dict[str, str], page: str) -> tuple[str, str]:
        """Send a form with the CSRF token of the text `page`."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None:
            raise Failed(f"no form for {path} on the page")
        url, text, status = self.open(path, {"csrfmiddlewaretoken": token[1], **form})
        if status != 200:
            raise Failed(f"POST {path} answered {status}: {text[:300]}")
        return url, text

    def sign_in(self, name: str, password: str) -> None:
        """Through the real form."""
        _, page = self.page("/auth/login/")
        url, _ = self.post("/auth/login/", {"login": name, "password": password}, page)
        if "/auth/" in url:
            raise Failed(f"sign-in as {name} led to {url}")

    def ready(self) -> bool:
        """Whether the product says that every part of it works."""
        _, text, status = self.open("/healthz/ready")
        if status != 200:
            raise Failed(text[:400])
        return True
