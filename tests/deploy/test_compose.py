"""The compose file and the image hold what docs/operating.md promises. Needs no container engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
WORKERS = {name: service for name, service in SERVICES.items() if name.startswith("worker-")}
JOBS = {"migrate", "seed"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(entry.startswith("/tmp:") for entry in service["tmpfs"])  # noqa: S108  # a tmpfs of the container
    assert "privileged" not in service


@pytest.mark.parametrize("name", sorted(set(SERVICES) - JOBS))
def test_every_lasting_service_has_a_health_check_and_comes_back(name: str) -> None:
    assert "test" in SERVICES[name]["healthcheck"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_jobs_run_once() -> None:
    assert all(SERVICES[name]["restart"] == "no" for name in JOBS)


def test_only_web_is_published_and_the_demos_mails() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"web", "mail"}
    assert SERVICES["mail"]["profiles"] == ["demo"]
    assert all("127.0.0.1:" in port for service in SERVICES.values() for port in service.get("ports", []))


def test_data_has_no_way_out() -> None:
    assert FILE["networks"]["data"] == {"internal": True}
    assert SERVICES["database"]["networks"] == SERVICES["broker"]["networks"] == ["data"]


def test_every_queue_has_a_worker_and_only_one_kind_of_worker() -> None:
    from hygiene.celery_settings import task_queues

    served = [queue for service in WORKERS.values() for queue in service["command"][service["command"].index("-Q") + 1].split(",")]
    assert sorted(served) == sorted(queue.name for queue in task_queues)


@pytest.mark.parametrize("name", SERVICES)
def test_aws_credentials_reach_only_the_workers_that_call_aws_each_with_its_own(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    given = {key: value for key, value in environment.items() if key.startswith("AWS_") and key.endswith(("_ID", "_KEY", "_TOKEN"))}
    if name in ("worker-poll", "worker-remediate", "worker-root"):
        prefix = name.removeprefix("worker-").upper()
        assert given == {key: f"${{{prefix}_{key}:-}}" for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
    else:
        assert given == {}
    assert "env_file" not in SERVICES[name]


def test_workers_end_softly() -> None:
    from hygiene.celery_settings import worker_soft_shutdown_timeout

    for service in WORKERS.values():
        assert service["environment"]["REMAP_SIGTERM"] == "SIGQUIT"
        assert float(service["stop_grace_period"].removesuffix("s")) >= 2 * worker_soft_shutdown_timeout


def test_everything_waits_for_migrations() -> None:
    for name in ("web", "beat", *WORKERS):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_beat_writes_no_file_and_there_is_one() -> None:
    command = SERVICES["beat"]["command"]
    assert command[command.index("-S") + 1] == "celery.beat.Scheduler"
    assert "--pidfile=" in command


def test_the_broker_loses_nothing_and_asks_for_a_password() -> None:
    script = SERVICES["broker"]["command"][-1]
    assert "--appendonly yes" in script
    assert "--maxmemory-policy noeviction" in script
    assert "user default off" in script
    assert "-@dangerous" in script


def test_health_checks_ask_for_heartbeats_that_exist() -> None:
    from hygiene.services.health import BEATS

    asked = {service["healthcheck"]["test"][-1] for name, service in SERVICES.items() if name == "beat" or name in WORKERS}
    assert asked <= set(BEATS)


def test_no_secret_is_written_down() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert re.findall(rf"\${{{name}:\?", text)
        assert not re.findall(rf"\${{{name}:-\w", text)


def test_the_production_image_is_not_root_and_holds_no_demo() -> None:
    text = (ROOT / "Dockerfile").read_text()
    runtime = text[text.index("AS runtime") : text.index("AS demo\n")]
    assert "USER 10001" in runtime
    assert "HEALTHCHECK" in runtime
    assert "COPY demo" not in runtime
    assert "COPY deploy/aws deploy/aws" in runtime  # pages fill these templates
    assert "demo-packages" not in runtime
    assert "requirements-dev" not in text
    assert all("--require-hashes" in line for line in text.splitlines() if "pip install" in line)
    assert text.rstrip().endswith("FROM runtime")


def test_only_named_files_reach_the_engine() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert not {"!.env", "!.git", "!var", "!tests"} & set(lines)
    assert all((ROOT / line[1:]).exists() for line in lines if line.startswith("!"))
