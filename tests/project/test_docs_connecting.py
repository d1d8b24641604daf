"""The page about callers: its configuration names the address that the chart gives, its samples are of the examples."""

import re
from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "connecting-flyte.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def endpoints(value: Any) -> list[str]:
    if isinstance(value, dict):
        here = [value["endpoint"]] if "endpoint" in value else []
        return here + [found for part in value.values() for found in endpoints(part)]
    return []


def test_both_versions_dial_the_service_of_the_chart() -> None:
    with helm.Chart.load(ROOT / "helm" / "connectory") as chart:
        manifests = chart.render({}, name="connectory", namespace="connectory")
    service = next(yaml.safe_load(text) for name, text in manifests.items() if name.endswith("service.yaml"))
    assert service["spec"]["clusterIP"] == "None"
    host = f"{service['metadata']['name']}.connectory.svc.cluster.local"
    wanted = f"dns:///{host}:{service['spec']['ports'][0]['port']}"
    first, several, second = (yaml.safe_load(block) for block in blocks("yaml"))
    assert endpoints(first) == endpoints(second) == [wanted]
    settings = first["plugins"]["connector-service"]["defaultConnector"]
    assert set(second["configuration"]["inline"]["plugins"]["connector-service"]["defaultConnector"]) == set(settings)
    named = several["plugins"]["connector-service"]
    assert set(named["connectorForTaskTypes"].values()) == set(named["connectors"])


def test_the_samples_are_lines_of_the_clients() -> None:
    for language, folder, ending in (("go", "go-client", "go"), ("js", "node-client", "js")):
        code = "\n".join(path.read_text() for path in (ROOT / "examples" / folder).glob(f"*.{ending}"))
        lines = [line.strip() for block in blocks(language) for line in block.splitlines() if line.strip()]
        assert lines
        assert [line for line in lines if line not in code] == []
