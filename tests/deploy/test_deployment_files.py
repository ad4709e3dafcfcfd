"""What is shipped to run docqa elsewhere fits the docqa that is here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docqa.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SETTINGS = {f"DOCQA_{name.upper()}" for name in Settings.model_fields} | {"DOCQA_CONFIG"}
COMMANDS = {"serve", "migrate", "revalidate"}


def objects() -> list[dict[str, Any]]:
    return [
        found
        for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
        for found in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def pods() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, name and pod of everything that runs."""
    for made in objects():
        if made["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield made["kind"], made["metadata"]["name"], made["spec"]["template"]["spec"]


PODS = list(pods())
IDS = [name for _, name, _ in PODS]


def apt_of_makefile() -> set[str]:
    text = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    names = {
        variable: set(value.split())
        for variable, value in re.findall(r"^(APT\w*) := (.*)$", text, flags=re.MULTILINE)
    }
    fonts = {name for name in names["APT"] if name.startswith("fonts-")}  # fixtures only
    return names["APT"] - fonts | names["APT_IF_THERE"]


def test_every_setting_that_is_named_exists() -> None:
    for path in [*DEPLOY.rglob("*.yaml"), DEPLOY / "Containerfile", DEPLOY / "docqa.service"]:
        named = set(re.findall(r"\bDOCQA_[A-Z_]+[A-Z]\b", path.read_text(encoding="utf-8")))
        assert named - SETTINGS == set(), path


def test_every_object_has_its_kind_name_and_namespace_once() -> None:
    seen = [(made["kind"], made["metadata"]["name"]) for made in objects()]
    assert len(seen) == len(set(seen))
    for made in objects():
        assert made["apiVersion"]
        assert made["kind"] == "Namespace" or made["metadata"]["namespace"] == "docqa"


@pytest.mark.parametrize(("kind", "name", "pod"), PODS, ids=IDS)
def test_a_pod_can_do_as_little_as_possible(kind: str, name: str, pod: dict[str, Any]) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False  # the Service docqa would set DOCQA_PORT, no number
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        allowed = container["securityContext"]
        assert allowed["allowPrivilegeEscalation"] is False
        assert allowed["readOnlyRootFilesystem"] is True
        assert allowed["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert re.search(r":[0-9][\w.-]*$", container["image"]), "an image has its version"
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        claimed = {"data"} if kind == "StatefulSet" else set()
        assert mounted <= {volume["name"] for volume in pod["volumes"]} | claimed


@pytest.mark.parametrize(("kind", "name", "pod"), PODS, ids=IDS)
def test_what_a_pod_refers_to_is_there(kind: str, name: str, pod: dict[str, Any]) -> None:
    there = {(made["kind"], made["metadata"]["name"]) for made in objects()}
    for container in pod["containers"]:
        for source in container.get("envFrom", []):
            for kind_ref, wanted in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if kind_ref in source:
                    assert (wanted, source[kind_ref]["name"]) in there
        if container["image"].startswith("registry.invalid/docqa") and "command" not in container:
            assert container["args"][0] in COMMANDS
        claims = {
            volume["persistentVolumeClaim"]["claimName"]
            for volume in pod.get("volumes", [])
            if "persistentVolumeClaim" in volume
        }
        secrets = {
            volume["secret"]["secretName"]
            for volume in pod.get("volumes", [])
            if "secret" in volume
        }
        assert {("PersistentVolumeClaim", claim) for claim in claims} <= there
        assert {("Secret", secret) for secret in secrets} <= there
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            asked = container.get(probe, {}).get("httpGet")
            if asked is not None:
                assert asked["path"] in {"/livez", "/readyz"} and asked["port"] in ports
    if kind != "Job" and name != "dask-worker":
        assert all("livenessProbe" in container for container in pod["containers"])


def container_of(wanted: str) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = [pod["containers"][0] for _, name, pod in PODS if name == wanted]
    return found


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("dask-scheduler", ["dask", "scheduler"]),
        ("dask-worker", ["dask", "worker"]),
        ("docqa-revalidate", ["docqa", "revalidate"]),
    ],
)
def test_the_commands_of_a_batch_run_exist_and_take_what_they_get(
    name: str, program: list[str]
) -> None:
    container = container_of(name)
    given = container.get("command", ["tini", "--", "docqa", *container.get("args", [])])
    assert given[:4] == ["tini", "--", *program]
    bin_folder = Path(sys.executable).parent
    told = subprocess.run(
        [bin_folder / program[0], program[1], "--help"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for option in [one.split("=")[0] for one in given[4:] if one.startswith("--")]:
        assert re.search(rf"{option}\b", told), option


def test_workers_can_judge_uploads_and_know_no_more() -> None:
    [settings] = [
        made["data"]
        for made in objects()
        if (made["kind"], made["metadata"]["name"]) == ("ConfigMap", "docqa")
    ]
    worker = container_of("dask-worker")
    assert {"secretRef": {"name": "docqa"}} not in worker["envFrom"]
    assert f"--nthreads={settings['DOCQA_WORKERS']}" in worker["command"]
    given = {one["name"]: one.get("value") for one in worker["env"]}
    assert given["DASK_DISTRIBUTED__WORKER__DAEMON"] == "False"
    for container in (worker, container_of("docqa-revalidate")):
        places = [mount["mountPath"] for mount in container["volumeMounts"]]
        assert str(Path(settings["DOCQA_BLOBS_DIR"]).parent) in places


def test_only_workers_and_the_driver_reach_the_scheduler_and_by_tls() -> None:
    [sources] = let_in("dask-scheduler", 8786)
    reached = [source["podSelector"]["matchLabels"]["app"] for source in sources]
    assert sorted(reached) == ["dask-worker", "docqa-revalidate"]
    assert "--protocol=tls" in container_of("dask-scheduler")["command"]
    assert "tls://dask-scheduler:8786" in container_of("dask-worker")["command"]
    assert "--cluster=tls://dask-scheduler:8786" in container_of("docqa-revalidate")["args"]


def test_a_pod_is_not_killed_before_its_service_has_stopped() -> None:
    [pod] = [pod for kind, name, pod in PODS if (kind, name) == ("Deployment", "docqa")]
    longest = Settings.model_fields["shutdown_timeout_s"].default
    assert pod["terminationGracePeriodSeconds"] > longest
    unit = (DEPLOY / "docqa.service").read_text()
    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, flags=re.MULTILINE)[0]) > longest


def test_every_service_finds_its_pods() -> None:
    labels = [
        made["spec"]["template"]["metadata"]["labels"]
        for made in objects()
        if made["kind"] in {"Deployment", "StatefulSet"}
    ]
    for made in objects():
        if made["kind"] == "Service":
            assert made["spec"]["selector"] in labels, made["metadata"]["name"]


def let_in(name: str, port: int) -> list[list[dict[str, Any]]]:
    """From where the pods of that name are reached at a port; an empty list is everywhere."""
    [policy] = [
        made["spec"]
        for made in objects()
        if made["kind"] == "NetworkPolicy"
        and made["spec"]["podSelector"] == {"matchLabels": {"app": name}}
    ]
    assert "Ingress" in policy["policyTypes"]
    return [
        rule.get("from", [])
        for rule in policy["ingress"]
        if "ports" not in rule or port in [allowed["port"] for allowed in rule["ports"]]
    ]


def test_metrics_are_for_the_pods_that_collect_them() -> None:
    [sources] = let_in("docqa", 9000)
    assert sources == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    ]


def test_the_database_is_for_the_pods_that_know_its_address() -> None:
    knowing = [
        made["spec"]["template"]["metadata"].get("labels")
        for made in objects()
        if made["kind"] in {"Deployment", "StatefulSet", "Job"}
        and {"secretRef": {"name": "docqa"}}
        in made["spec"]["template"]["spec"]["containers"][0].get("envFrom", [])
    ]
    [sources] = let_in("postgresql", 5432)
    reached = [source["podSelector"]["matchLabels"] for source in sources]
    assert sorted(map(str, reached)) == sorted(map(str, knowing))


def test_the_image_copies_what_is_there_and_installs_what_the_makefile_does() -> None:
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, flags=re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    for lock in re.findall(r"LOCK=(\S+)", (DEPLOY / "kubernetes" / "dask.yaml").read_text()):
        assert f" {lock} " in text and "distributed==" in (ROOT / lock).read_text()
    [installed] = re.findall(r"--no-install-recommends\s+([^&]*)&&", text)
    assert set(installed.split()) == {*apt_of_makefile(), "tini"}
    assert '["tini", "--", "docqa"]' in text  # else nobody buries what a killed child had started
    users = re.findall(r"^USER (\d+)$", text, flags=re.MULTILINE)
    assert users and users[-1] != "0"
    pinned = (ROOT / "pyproject.toml").read_text()
    for name in re.findall(r"pip install --no-cache-dir (\S+==\S+)", text):
        assert f'"{name}"' in pinned


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_it_well_confined(tmp_path: Path) -> None:
    text = (DEPLOY / "docqa.service").read_text()
    here = text.replace("/opt/docqa/.venv/bin/docqa", "/bin/true").replace("=docqa\n", "=root\n")
    unit = tmp_path / "docqa.service"
    unit.write_text(here)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "docqa.service" not in done.stderr, done.stderr
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=30", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert rated.returncode == 0, rated.stdout[-600:]
