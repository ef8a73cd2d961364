"""What is deployed, and what deploys it: sound by the schemas of their makers, and by our rules."""

from __future__ import annotations

import gzip
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from jsonschema.validators import validator_for

from operate.cli import COMMANDS
from operate.settings import load

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
DATA = ROOT / "tests" / "data"
NOT_OBJECTS = {"kustomization.yaml", "aos.yaml"}
WORKLOADS = {"Deployment", "StatefulSet", "Job"}
STAGES = {"source", "stream", "sink", "jobs", "api"}
Object = dict[str, Any]

pytestmark = pytest.mark.requirement("E7")


def _schema(name: str) -> Any:
    return json.loads(gzip.decompress((DATA / name).read_bytes()))


KINDS = _schema("kubernetes-1.33.json.gz")["$defs"]


def objects() -> Iterator[tuple[str, Object]]:
    """Give every object of the manifests, with the name of its file."""
    for path in sorted(K8S.glob("*.yaml")):
        if path.name not in NOT_OBJECTS:
            for found in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                yield path.name, found


OBJECTS = list(objects())
PODS = {o["metadata"]["name"]: o["spec"]["template"] for _, o in OBJECTS if o["kind"] in WORKLOADS}


def _definition(found: Object) -> Object:
    group, _, version = found["apiVersion"].rpartition("/")
    ends = f".{group.split('.')[0] or 'core'}.{version}.{found['kind']}"
    (name,) = [one for one in KINDS if one.startswith("io.k8s.api.") and one.endswith(ends)]
    return {"$ref": f"#/$defs/{name}", "$defs": KINDS}


@pytest.mark.parametrize(
    "found", [o for _, o in OBJECTS], ids=lambda o: f"{o['kind']}/{o['metadata']['name']}"
)
def test_a_manifest_is_what_kubernetes_takes(found: Object) -> None:
    problems = Draft7Validator(_definition(found)).iter_errors(found)
    assert [f"{'.'.join(map(str, one.path))}: {one.message}" for one in problems] == []


def test_the_schema_refuses_what_kubernetes_would() -> None:
    wrong = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replica": 1}}
    told = " ".join(one.message for one in Draft7Validator(_definition(wrong)).iter_errors(wrong))
    assert "'replica' was unexpected" in told
    assert "'selector' is a required property" in told


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_has_no_rights_that_it_does_not_need(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]["limits"]) == {"cpu", "memory"}
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}


@pytest.mark.parametrize("name", sorted(f"aos-{stage}" for stage in STAGES))
def test_a_stage_runs_our_command_and_says_how_it_is(name: str) -> None:
    (container,) = PODS[name]["spec"]["containers"]
    assert container["args"][0] in COMMANDS
    assert container["args"][0] == name.removeprefix("aos-")
    ports = {port["name"] for port in container["ports"]}
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        told = container[probe]
        if "httpGet" in told:
            assert told["httpGet"]["port"] in ports
        else:
            assert told["exec"]["command"] == ["python", "-m", "runtime.heartbeat"]
    assert PODS[name]["spec"]["terminationGracePeriodSeconds"] >= 60


def test_passwords_come_from_secrets_that_the_readme_makes() -> None:
    readme = (K8S / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"aos-[a-z]+", re.findall(r"for one in (.*?);", readme)[0]))
    used: set[str] = set()
    for template in PODS.values():
        spec = template["spec"]
        volumes = {one["name"]: one for one in spec["volumes"]}
        used |= {one["secret"]["secretName"] for one in volumes.values() if "secret" in one}
        (container,) = spec["containers"]
        mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
        assert set(mounts.values()) == set(volumes)
        for variable in container["env"]:
            assert not re.search(r"PASSWORD$|TOKEN$", variable["name"])
            if variable["name"].endswith("_FILE"):
                assert variable["value"].rpartition("/")[0] in mounts
    assert used == named


def test_workers_of_a_stage_have_names_of_their_own_and_leave_one_by_one() -> None:
    by_name = {o["metadata"]["name"]: o for _, o in OBJECTS if o["kind"] == "StatefulSet"}
    assert set(by_name) == {"aos-stream", "aos-sink"}
    for name, variable in (
        ("aos-stream", "AOS_STREAM__INSTANCE"),
        ("aos-sink", "AOS_SINK__INSTANCE_ID"),
    ):
        (container,) = PODS[name]["spec"]["containers"]
        (told,) = [one for one in container["env"] if one["name"] == variable]
        assert told["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    budgets = [o for _, o in OBJECTS if o["kind"] == "PodDisruptionBudget"]
    selected = {tuple(o["spec"]["selector"]["matchLabels"].values()) for o in budgets}
    assert selected == {(name,) for name in by_name}


def test_of_source_and_jobs_the_old_pod_ends_before_the_new_one_begins() -> None:
    deployments = {
        o["metadata"]["name"]: o["spec"] for _, o in OBJECTS if o["kind"] == "Deployment"
    }
    for name in ("aos-source", "aos-jobs"):
        assert deployments[name]["replicas"] == 1
        assert deployments[name]["strategy"] == {"type": "Recreate"}


def test_the_settings_are_ours_and_demand_replicas() -> None:
    settings = load(K8S / "aos.yaml")
    assert settings.topics.replication == 3
    assert settings.sink.migrate_at_start is False
    ports = {settings.the_source().metrics_port, settings.stream.metrics_port}
    assert ports == {settings.sink.metrics_port} == {9400}


def test_everything_is_applied_in_the_version_of_the_package() -> None:
    found = yaml.safe_load((K8S / "kustomization.yaml").read_text(encoding="utf-8"))
    assert set(found["resources"]) == {path.name for path in K8S.glob("*.yaml")} - NOT_OBJECTS
    assert [image["newTag"] for image in found["images"]] == [_version()]
    assert f"\n## {_version()}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def _version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


@pytest.fixture(scope="module")
def workflow() -> Object:
    path = ROOT / ".github" / "workflows" / "ci.yml"
    # YAML reads the key "on" as true.
    return {("on" if k is True else k): v for k, v in yaml.safe_load(path.read_text()).items()}


def test_the_workflow_is_one_that_github_takes(workflow: Object) -> None:
    schema = _schema("github-workflow.json.gz")
    problems = validator_for(schema)(schema).iter_errors(workflow)
    assert [f"{list(one.path)}: {one.message}" for one in problems] == []


def test_the_workflow_runs_what_ci_runs_and_deploys_what_it_has_signed(workflow: Object) -> None:
    jobs = workflow["jobs"]
    told = {name: yaml.safe_dump(job) for name, job in jobs.items()}
    assert ".ci/run" in told["test"]
    assert "pip-audit" in told["dependencies"]
    assert "requirements-prod.lock" in told["dependencies"]
    assert jobs["image"]["needs"] == ["test", "dependencies"]
    assert "cosign sign" in told["image"]
    assert "cosign attest" in told["image"]
    assert jobs["deploy"]["needs"] == "image"
    assert jobs["deploy"]["environment"] == "production"
    assert told["deploy"].index("cosign verify") < told["deploy"].index("kubectl apply")


def test_the_workflow_trusts_no_tag_and_has_no_more_rights_than_it_needs(workflow: Object) -> None:
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one)] == []
    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    # What somebody may write into a branch or title never becomes a part of a script.
    scripts = " ".join(step.get("run", "") for step in steps)
    assert "${{" not in scripts
