"""Whatever metric a document, a dashboard or an alert names is served; what is served is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from producers.metrics import SourceMetrics
from producers.progress import Summary, TableProgress
from runtime.breaker import Circuit
from sink.metrics import SinkMetrics
from sink.patience import breaker_of
from stream_app.metrics import StreamMetrics

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/metrics.md").read_text("utf-8")
DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
NAME = re.compile(r"\b(aos_(?:source|stream|sink|jobs)_[a-z_]+)\b")
OF_A_HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


def in_code() -> dict[str, str]:
    """Give every metric that the stages and the jobs serve, with its type."""
    registry = CollectorRegistry()
    summary = Summary("aos", "one", {"t": TableProgress("t")}, circuits={"db:1": Circuit.CLOSED})
    registry.register(SourceMetrics(summary))
    StreamMetrics(registry)
    SinkMetrics(registry, breaker_of(60))
    families = [one for one in registry.collect() if one.name.startswith("aos_")]
    known = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in families
    }
    # These ask a database; here their names are enough.
    jobs = (ROOT / "operate/jobs/metrics.py").read_text("utf-8")
    return known | {f"aos_jobs_{name}": "gauge" for name in re.findall(r'_gauge\("(\w+)"', jobs)}


def named(text: str, known: dict[str, str]) -> set[str]:
    """Give the metrics that a text names; a series of a histogram stands for the whole of it."""
    found = set(NAME.findall(text))
    whole = {name: OF_A_HISTOGRAM.sub("", name) for name in found}
    return {stem if known.get(stem) == "histogram" else name for name, stem in whole.items()}


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Give all panels of a dashboard, those in rows included."""
    return [each for one in dashboard["panels"] for each in (one, *one.get("panels", []))]


@pytest.mark.requirement("F3")
def test_the_document_explains_what_is_served_and_nothing_else() -> None:
    known = in_code()
    assert named(DOCS, known) == known.keys()


@pytest.mark.requirement("D5", "D11")
def test_the_dashboard_shows_what_is_served_and_nothing_else() -> None:
    known = in_code()
    assert DASHBOARDS
    shown = set[str]()
    for file in DASHBOARDS:
        dashboard = json.loads(file.read_text("utf-8"))
        expressions = [t["expr"] for one in panels(dashboard) for t in one.get("targets", ())]
        shown |= named("\n".join(expressions), known)
    assert shown == known.keys()


@pytest.mark.requirement("D6")
def test_an_alert_asks_for_what_is_served() -> None:
    known = in_code()
    for file in sorted((ROOT / "deploy/prometheus").glob("*.yml")):
        asked = named(file.read_text("utf-8"), known)
        assert asked, file.name
        assert asked <= known.keys(), file.name


@pytest.mark.requirement("D11")
def test_panels_do_not_overlap_and_each_says_what_it_shows() -> None:
    for file in DASHBOARDS:
        dashboard = json.loads(file.read_text("utf-8"))
        taken = set[tuple[int, int]]()
        for one in panels(dashboard):
            place = one["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, one["title"]
            assert one["type"] == "row" or one["description"]
            taken |= cells
        assert len({one["id"] for one in panels(dashboard)}) == len(panels(dashboard))


@pytest.mark.requirement("D11")
def test_grafana_finds_the_dashboard_and_prometheus() -> None:
    provisioning = ROOT / "deploy/grafana/provisioning"
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text("utf-8"))
    (source,) = sources["datasources"]
    used = {
        one["datasource"]["uid"]
        for file in DASHBOARDS
        for one in panels(json.loads(file.read_text("utf-8")))
        if "datasource" in one
    }
    assert used == {source["uid"]}
    (provider,) = yaml.safe_load((provisioning / "dashboards/aos.yml").read_text("utf-8"))[
        "providers"
    ]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    mounted = {
        given["source"]: given["target"] for given in compose["services"]["grafana"]["configs"]
    }
    assert mounted["grafana-dashboard"].startswith(provider["options"]["path"])
