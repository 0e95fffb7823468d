"""Dockerfile, compose.yaml and their scripts: what no builder is needed for to see whether it is right."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from app.cli import COMMANDS, main
from app.commands.ui import HOST_NAMES_VARIABLE, PROXIES_VARIABLE
from app.library_place import has_password
from db.server.address import parse_address

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SECRET = "/run/secrets/database_password"
needs_shell = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for containers with Linux")


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with their arguments."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def of(name: str) -> list[str]:
    return [rest for each, rest in instructions() if each == name]


def copied() -> list[str]:
    """What is copied from this tree."""
    found = []
    for rest in of("COPY"):
        *sources, _ = [word for word in rest.split() if not word.startswith("--")]
        found += [] if "--from=" in rest else sources
    return found


def test_the_image_begins_with_versions_and_ends_with_a_user() -> None:
    bases = {rest.split()[0] for rest in of("FROM")}
    assert len(bases) == 1
    for image in (*bases, COMPOSE["services"]["database"]["image"]):
        assert re.fullmatch(r"[a-z/]+:[0-9]+\.[0-9]+\.[0-9]+[-a-z0-9]*", image), image
    last = max(at for at, (name, _) in enumerate(instructions()) if name == "FROM")
    users = [rest for name, rest in instructions()[last:] if name == "USER"]
    assert users
    assert users[-1] not in ("root", "0")
    installing = [line for line in of("RUN") if "pip install" in line]
    assert len(installing) == 2
    assert all(re.search(r"==[0-9.]+", line) or "constraints.txt" in line for line in installing)
    assert not of("ADD")


def test_everything_that_is_copied_is_there_and_all_that_is_needed_is_copied() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert ignored.count("*") == 1
    for path in copied():
        assert (ROOT / path).exists(), path
        assert path.split("/")[0] in kept, f"{path} is not sent to the builder"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = {name.split(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    assert needed | {"constraints.txt", "README.md"} <= set(copied())
    extras = next(re.findall(r"\.\[([a-z,]+)\]", line) for line in of("RUN") if "constraints.txt" in line)
    assert set(extras[0].split(",")) <= set(project["project"]["optional-dependencies"])
    assert "server" in extras[0]


def test_no_secret_is_in_the_image_or_in_a_command_line() -> None:
    for name, rest in instructions():
        assert name not in ("ENV", "ARG") or not re.search(r"(?i)password|secret|token", rest)
    assert not any(fnmatch("secrets/database_password", line[1:]) for line in ("!app", "!db", "!docker"))
    assert "/secrets/" in (ROOT / ".gitignore").read_text("utf-8").split("\n")
    for service in COMPOSE["services"].values():
        words = [*service.get("command", []), *service.get("entrypoint", []), *service.get("environment", {}).values()]
        assert not any(has_password(word) for word in words)
        assert not any("PASSWORD" in key and not key.endswith("_FILE") for key in service.get("environment", {}))
        assert service["secrets"] == ["database_password"]
    assert COMPOSE["services"]["database"]["environment"]["POSTGRES_PASSWORD_FILE"] == SECRET
    assert SECRET in (ROOT / "docker" / "prismsearch.sh").read_text("utf-8")


def test_commands_of_the_services_are_commands_of_prismsearch() -> None:
    """Their options exist: --help, which comes first, is answered, and nothing is said of the rest."""
    worker, page = (COMPOSE["services"][name] for name in ("worker", "page"))
    assert worker["entrypoint"] == ["worker.sh"]
    script = (ROOT / "docker" / "worker.sh").read_text("utf-8")
    assert "prismsearch.sh index" in script
    for words in (["index", *worker["command"]], page["command"]):
        assert words[0] in COMMANDS
        shown = CliRunner().invoke(main, [words[0], "--help"]).output
        assert all(word in shown for word in words if word.startswith("--"))
    environment = page["environment"]
    assert {HOST_NAMES_VARIABLE, PROXIES_VARIABLE} <= set(environment)
    assert not {HOST_NAMES_VARIABLE, PROXIES_VARIABLE} & set(worker["environment"])
    assert environment.items() >= worker["environment"].items()
    address = parse_address(environment["PRISMSEARCH_LIBRARY"])
    mounted = {each.split(":")[1] if isinstance(each, str) else each["target"] for each in page["volumes"]}
    assert {str(address.media), "/footage", "/models"} <= mounted
    assert str(address.work) not in mounted, "each container has its own"
    assert "/footage" in worker["command"]
    made = next(line for line in of("RUN") if "useradd" in line)
    assert all(folder in made for folder in (str(address.media), str(address.work), "/models"))


def test_videos_can_only_be_read_and_a_folder_that_is_not_there_is_an_error() -> None:
    """By its short form, a mistyped FOOTAGE would become an empty folder of root's."""
    for name in ("worker", "page"):
        footage = next(each for each in COMPOSE["services"][name]["volumes"] if "FOOTAGE" in str(each))
        assert footage["read_only"] is True
        assert footage["bind"] == {"create_host_path": False}


def test_services_wait_for_the_database_and_tell_their_health() -> None:
    services = COMPOSE["services"]
    for name in ("worker", "page"):
        assert services[name]["depends_on"] == {"database": {"condition": "service_healthy"}}
    healthy = services["database"]["healthcheck"]["test"]
    assert "pg_isready" in healthy
    assert "--host" in healthy, "a server that only sets the database up answers on its socket"
    assert "/readyz" in services["page"]["healthcheck"]["test"][-1]
    assert "container_name" not in services["worker"], "several of it are started"
    assert "ports" not in services["database"]
    assert all(port.startswith("127.0.0.1:") for port in services["page"]["ports"])


def with_stand_in(folder: Path, body: str) -> dict[str, str]:
    """An environment in which `prismsearch` is a script."""
    (folder / "prismsearch").write_text(f"#!/bin/sh\n{body}\n")
    (folder / "prismsearch").chmod(0o755)
    return os.environ | {"PATH": f"{folder}:{ROOT / 'docker'}:{os.environ['PATH']}"}


@needs_shell
def test_the_password_comes_from_the_secret_and_is_in_no_argument(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret word\n")
    environment = with_stand_in(tmp_path, 'echo "$PGPASSWORD/$*"')
    environment["PRISMSEARCH_PASSWORD_FILE"] = str(tmp_path / "password")
    words = ["prismsearch.sh", "index", "a b"]
    assert subprocess.run(words, env=environment, capture_output=True, text=True).stdout == "s3cret word/index a b\n"
    environment["PRISMSEARCH_PASSWORD_FILE"] = str(tmp_path / "none")
    environment.pop("PGPASSWORD", None)
    assert subprocess.run(words, env=environment, capture_output=True, text=True).stdout == "/index a b\n"


@needs_shell
def test_a_worker_indexes_again_and_a_signal_ends_its_run(tmp_path: Path) -> None:
    """Docker sends SIGTERM to the script alone. A run that lacked something is tried again without the long pause."""
    body = f'echo begun >> {tmp_path}/told; trap "echo stopped >> {tmp_path}/told; exit 0" TERM; sleep 60 & wait'
    again = f"[ -e {tmp_path}/first ] || {{ touch {tmp_path}/first; echo failed >> {tmp_path}/told; exit 3; }}; {body}"
    environment = with_stand_in(tmp_path, again) | {"RETRY_SECONDS": "0"}
    worker = subprocess.Popen(["worker.sh", "--yes", "/footage"], env=environment)
    told = tmp_path / "told"
    deadline = time.monotonic() + 60
    while not (told.exists() and "begun" in told.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert told.read_text().split() == ["failed", "begun", "stopped"]
