"""What compose.yaml uses of an image, its stand-in reads or has: held without an engine, from the files alone."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

COMPOSE = Path(__file__).parents[2] / "compose"
STANDINS = COMPOSE / "standins"
FILE: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))
ALL: dict[str, dict[str, Any]] = FILE["services"]
SERVICES = {name: told for name, told in ALL.items() if told["profiles"] != ["grafana"]}
"""Grafana has no stand-in, which compose.yaml and the README say."""
CREATED_BY_ENGINE = ("/tmp", "/run/workbench")
"""Mounted where nothing of the image is needed."""


def image_of(service: str) -> str:
    """The official one: `${REDIS_IMAGE:-redis:7.4-bookworm}`."""
    found = re.fullmatch(r"\$\{[A-Z_]+:-(.+)\}", SERVICES[service]["image"])
    assert found is not None, f"{service}: the image is not one that .env may replace"
    return found[1]


def folder_of(image: str) -> Path:
    """As in compose/images."""
    name = image.rpartition("/")[2].partition(":")[0]
    return STANDINS / name.replace("_", "-").replace("-prometheus-", "-", 1)


def text_of(folder: Path) -> str:
    """Everything that the stand-in is made from."""
    return "\n".join(
        path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".sha256"
    )


OTHERS = sorted(name for name in SERVICES if not image_of(name).startswith("workbench/"))


@pytest.mark.parametrize("service", OTHERS)
def test_each_image_has_a_stand_in_that_says_so(service: str) -> None:
    image = image_of(service)
    assert f"tands in for {image}" in (folder_of(image) / "Dockerfile").read_text("utf-8")


@pytest.mark.parametrize("service", OTHERS)
def test_the_stand_in_reads_every_variable(service: str) -> None:
    text = text_of(folder_of(image_of(service)))
    general = "KAFKA_X_Y" if "KAFKA_X_Y" in text else "\0"  # any variable of that form is a property
    unread = [
        name
        for name in SERVICES[service].get("environment", {})
        if not re.search(rf"\b{name}\b", text) and not name.startswith(general[:6])
    ]
    assert unread == []


@pytest.mark.parametrize("service", OTHERS)
def test_the_stand_in_has_every_path_and_user(service: str) -> None:
    told, text = SERVICES[service], text_of(folder_of(image_of(service)))
    paths = [mount.split(":")[1] for mount in told.get("volumes", ())]
    paths += [mount.partition(":")[0] for mount in told.get("tmpfs", ())]
    for path in paths:
        made_here = (
            path in CREATED_BY_ENGINE
            or path.endswith((".conf", ".sh", ".json"))
            or path.startswith("/etc/nginx/")
        )
        made_here = made_here or path in ("/certificate", "/var/cache/nginx", "/etc/prometheus/rules")
        assert made_here or path in text, path
    if (user := told.get("user")) and user != "root":
        made = re.search(rf"useradd [^\n]*\b{user}\b|^USER {re.escape(str(user))}$", text, re.MULTILINE)
        assert made or user == "nobody", user  # whom every Debian has


@pytest.mark.parametrize("service", OTHERS)
def test_the_ports_that_others_use_are_the_images_own(service: str) -> None:
    exposed = set(re.findall(r"^EXPOSE (.+)$", text_of(folder_of(image_of(service))), re.MULTILINE))
    listened = set(re.findall(rf"\b{service}:(\d{{4,5}})\b", (COMPOSE / "compose.yaml").read_text("utf-8")))
    # These two listen where their configuration says.
    if not image_of(service).startswith("nginx") and service != "network":
        assert listened <= {port for ports in exposed for port in ports.split()}


def test_images_makes_what_compose_uses() -> None:
    made = set(re.findall(r"^  \[[A-Z_]+\]=(\S+)$", (COMPOSE / "images").read_text("utf-8"), re.MULTILINE))
    assert {image_of(service) for service in OTHERS} == made - {"python:3.11-slim-bookworm"}


def test_every_service_has_its_limits_and_a_health_check() -> None:
    for name, told in SERVICES.items():
        assert "mem_limit" in told, name
        once = told.get("restart") == "no"
        bare = name.endswith("-exporter") and "healthcheck" not in told  # its image holds no other program
        ours = image_of(name).startswith("workbench/")  # the Dockerfile has it
        assert once or ours or bare or "healthcheck" in told, name
        assert once or "cpus" in told, name


def test_the_apps_packages_are_the_projects_own_versions() -> None:
    root = COMPOSE.parent
    pinned = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,-]+\])?==([^\s;\\]+)", re.MULTILINE)
    ours = dict(pinned.findall((root / "requirements.lock").read_text("utf-8")))
    theirs = dict(pinned.findall((COMPOSE / "app/requirements.lock").read_text("utf-8")))
    assert theirs.items() <= ours.items()
    assert "jupyterlab" not in theirs
