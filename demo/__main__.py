"""`python -m demo`, which is `make demo`: the whole product on this machine with a fake AWS, in real processes."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from hygiene import embedded_broker
from hygiene.processes import manage, start_web, start_workers, without_aws
from hygiene.supervisor import CannotRun, Supervisor, answers, free_port, require_port

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "hygiene-demo"  # noqa: S105  # printed, and the demo serves loopback only
LOGINS = (
    ("n.adeyemi", "operator"),
    ("m.larsen", "viewer"),
    ("j.okafor", "approver"),
    ("t.haas", "approver"),
    ("a.moreau", "administrator"),
    ("p.ibarra", "auditor"),
)
CALLS_PER_SECOND = 40
USUAL_PORT = 8000


def say(words: str) -> None:
    """One line to the terminal, at once."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def state_of(port: int) -> Path:
    """Where a demo on this port keeps its database and logs; two demos do not meet."""
    return ROOT / "var" / ("demo" if port == USUAL_PORT else f"demo-{port}")


class Demo:
    """Ports, environment and processes of one run."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder
        self.state = state_of(port)
        self.logs = self.state / "log"
        self.ports = {name: free_port() for name in ("aws", "smtp", "mailbox")}
        self.database = self.state / "demo.sqlite3"
        self.born = datetime.now(UTC).replace(microsecond=0)
        self.supervisor = Supervisor(say)
        self.environment = self._environment()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OIDC_", "DJANGO_", "EMAIL_"))}
        return {
            **kept,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DEMO": "1",
            "DEBUG": "0",
            "SITE_ROOT": f"http://127.0.0.1:{self.port}",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REMEDIATION_ENABLED": "1",
            "WORKER_ARN": "arn:aws:iam::999900001111:role/key-hygiene",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ports['aws']}",
            "ALLOW_CUSTOM_AWS_ENDPOINT": "1",
            "AWS_CALLS_PER_SECOND": str(CALLS_PER_SECOND),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "AKIADEMOWORKER000000",
            "AWS_SECRET_ACCESS_KEY": "of-the-fake-aws",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.ports['smtp']}",
            "DEFAULT_FROM_EMAIL": "Key Hygiene <key-hygiene@example.com>",
            "LOG_LEVEL": "INFO",
            "CELERY_BROKER_URL": "",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT),
        }

    def start(self) -> None:
        """Every process in its order, until the first page can be opened."""
        begun = time.monotonic()
        say("Starting the broker and the fake AWS ...")
        self._start_broker()
        module = [sys.executable, "-m"]
        fake = [*module, "demo.fake_aws", "--port", str(self.ports["aws"]), "--born", self.born.isoformat()]
        self.supervisor.start("fake AWS", fake, without_aws(self.environment), log=self.logs / "fake-aws.log")
        mailbox = [*module, "demo.mailbox", "--smtp-port", str(self.ports["smtp"]), "--web-port", str(self.ports["mailbox"])]
        self.supervisor.start("mail catcher", mailbox, without_aws(self.environment), log=self.logs / "mailbox.log")
        say("Making the database ...")
        once = self.logs / "setup.log"
        self.supervisor.run_once("migrate", manage("migrate", "--verbosity", "0"), self.environment, log=once)
        static = manage("collectstatic", "--noinput", "--verbosity", "0")
        with (ROOT / "var" / "collectstatic.lock").open("w") as lock:  # two demos share the folder of static files
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.supervisor.run_once("collectstatic", static, self.environment, log=once)
        say("Registering the accounts of the demo's organisation ...")
        seed = [*module, "demo.setup", "--born", self.born.isoformat(), "--password", PASSWORD]
        self.supervisor.run_once("setup", seed, self.environment, log=once)
        self.supervisor.wait_until(lambda: answers(self.ports["aws"]), "The fake AWS", seconds=20)
        say("Starting workers, beat and web ...")
        start_workers(self.supervisor, self.environment, logs=self.logs)
        start_web(self.supervisor, self.environment, port=self.port, logs=self.logs)
        self.supervisor.wait_until(lambda: answers(self.port), "The web server", seconds=30)
        if not self.supervisor.stopping:
            self._welcome(time.monotonic() - begun)

    def _start_broker(self) -> None:
        executable = embedded_broker.find()
        if executable is None:
            say("No redis-server 6.2 or newer was found: tasks go through files, which is slower. Nothing is lost by it.")
            return
        argv = embedded_broker.argv(executable, self.folder)
        self.supervisor.start("broker", argv, without_aws(self.environment), log=self.logs / "broker.log")
        self.supervisor.wait_until(embedded_broker.socket_of(self.folder).exists, "The broker", seconds=10)
        self.environment["CELERY_BROKER_URL"] = embedded_broker.url(self.folder)

    def _welcome(self, seconds: float) -> None:
        say(f"\nKey Hygiene is ready after {seconds:.0f} s:  http://127.0.0.1:{self.port}\n")
        for name, role in LOGINS:
            say(f"  sign in as  {name:<12} password  {PASSWORD}   ({role})")
        say(f"\n  mails       http://127.0.0.1:{self.ports['mailbox']}")
        say(f"  fake AWS    http://127.0.0.1:{self.ports['aws']}/_log   (every call that it got)")
        say(f"  logs        {self.logs.relative_to(ROOT)}\n\nCtrl-C ends every process.\n")

    def progress(self) -> Progress:
        """Lines about the first polls, until all are done; then what people did with them."""
        return Progress(self.database, then=self._tell_stories)

    def _tell_stories(self) -> None:
        """A campaign and a plan that waits. Without them the demo is a little emptier, and runs on."""
        argv = [sys.executable, "-m", "demo.stories"]
        try:
            self.supervisor.run_once("stories", argv, self.environment, log=self.logs / "stories.log")
        except CannotRun as error:
            say(f"No campaign was made: {error}")


class Progress:
    """Says how many accounts were read, as it changes."""

    def __init__(self, database: Path, *, then: Callable[[], None]) -> None:
        self.database, self.then = database, then
        self.said, self.begun, self.done = -1, time.monotonic(), False

    def __call__(self) -> None:
        """Look once."""
        if self.done:
            return
        self._look()
        if self.done:
            self.then()

    def _look(self) -> None:
        with suppress(sqlite3.Error), sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=1) as connection:
            total = connection.execute("select count(*) from accounts_account where is_polled").fetchone()[0]
            read = connection.execute("select count(*) from hygiene_accountstatus where last_polled_at is not null").fetchone()[0]
            if read != self.said:
                self.said = read
                say(f"  {read} of {total} accounts polled")
            if read >= total:
                self.done = True
                say(f"All accounts polled {time.monotonic() - self.begun:.0f} s after the first page.")


def main() -> int:
    """Run until told to stop. What is missing or taken is one sentence, and exit code 2."""
    word = os.environ.get("DEMO_PORT", str(USUAL_PORT))
    if not word.isdigit() or not 0 < int(word) < 65536:
        say(f"DEMO_PORT must be a port number, not {word!r}.")
        return 2
    os.chdir(ROOT)
    demo: Demo | None = None
    with tempfile.TemporaryDirectory(prefix="key-hygiene-") as folder:
        try:
            require_port(int(word), "DEMO_PORT")
            shutil.rmtree(state_of(int(word)), ignore_errors=True)
            (state_of(int(word)) / "log").mkdir(parents=True)
            demo = Demo(int(word), Path(folder))
            demo.start()
            demo.supervisor.run(demo.progress())
        except (CannotRun, OSError) as error:
            say(f"The demo cannot run: {error}")
            return 2
        finally:
            if demo is not None:
                say("Ending every process ...")
                demo.supervisor.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
