"""What is shipped for Grafana and Prometheus asks for figures that a server has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from connector_server.gauges import Gauges
from connector_server.measurements import Measurements
from connector_server.prometheus import ServerCollector
from connector_server.reloading.reloads import Reloads
from connector_server.settings import ServerSettings
from connectory.connector.dispatch import Dispatcher
from connectory.connector.limits.gate import WAIT_BOUNDS
from connectory.connector.limits.gates import LimitCount, WaitCount
from connectory.connector.registry import Registry
from connectory.secrets import default_secrets
from connectory.storage import default_storage
from connectory.types import default_types

DEPLOY = Path(__file__).parents[2] / "deploy"
_VARIABLES = {"$__rate_interval": "5m", "$task_type": ".*"}


def figures() -> set[str]:
    """The names of all samples that a server may show."""
    measurements = Measurements(["CreateTask"], ["sql"])
    series = measurements.of("CreateTask")["sql"]
    series.begin(1)
    series.end(0, 0.1)
    dispatcher = Dispatcher(Registry(), secrets=default_secrets(), storage=default_storage(), types=default_types())
    gauges = Gauges(
        dispatcher.registry,
        loop_lag=lambda: 0.0,
        limits=lambda: [
            LimitCount(
                connector="sql",
                jobs=1,
                waiting={"get": 1},
                refused={"get": 1},
                waits={"get": WaitCount(buckets=[1] * (len(WAIT_BOUNDS) + 1), seconds=1.0)},
            )
        ],
        reloads=Reloads(ServerSettings(), dispatcher),
    )
    collector = ServerCollector(measurements=measurements, gauges=gauges)
    families = list(collector.collect())
    named = {sample.name for family in families for sample in family.samples}
    return named | {family.name for family in families}


def of_dashboard() -> Iterator[str]:
    for panel in json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]:
        for target in panel["targets"]:
            expression = target["expr"]
            for variable, value in _VARIABLES.items():
                expression = expression.replace(variable, value)
            yield expression


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "prometheus-rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("expression", [*of_dashboard(), *(rule["expr"] for rule in rules())])
def test_every_expression_asks_for_figures_that_there_are(expression: str) -> None:
    promql_parser.parse(expression)
    asked = set(re.findall(r"connectory_\w+", expression))
    assert asked
    assert asked <= figures()


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    for rule in rules():
        assert rule["for"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_panels_lie_beside_each_other() -> None:
    panels = json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
