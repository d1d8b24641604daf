"""The Helm chart, rendered by the real Helm library over a matrix of values and checked against Kubernetes' schemas."""

from pathlib import Path
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
import yaml

from connector_server.settings import ServerSettings
from connector_server.settings.changes import LIVE

CHART = Path(__file__).parents[2] / "helm" / "connectory"
DEPLOY = Path(__file__).parents[2] / "deploy"
KUBERNETES = "1.30"
TLS = {"enabled": True, "secretName": "server-tls"}

MATRIX: dict[str, dict[str, Any]] = {
    "defaults": {},
    "mtls": {"tls": TLS, "insecurePublic": False},
    "tls without client certificates": {"tls": {**TLS, "requireClientCertificates": False}},
    "tokens over tls": {
        "tls": {**TLS, "requireClientCertificates": False},
        "insecurePublic": False,
        "access": {"tokens": {"secretName": "callers"}, "auditLog": "-"},
    },
    "signed tokens and handles": {
        "tls": {**TLS, "requireClientCertificates": False},
        "access": {
            "jwt": {"jwks": "https://login.example.com/keys", "issuer": "https://login.example.com", "audience": "c"},
            "handleKeys": {"secretName": "handles", "key": "keys"},
            "secretsAllow": {"sql": ["warehouse/*", "ml:admin/password"], "*": []},
        },
    },
    "ledger in a database": {"ledger": {"secretName": "database", "key": "uri", "leaseSeconds": 20}},
    "ledger in a file": {"ledger": {"place": "/tmp/ledger.sqlite"}},
    "limits": {
        "server": {"maxInFlight": 5000, "reloadSeconds": 0},
        "limits": {"sql": {"jobs": 20, "creates_per_second": 0.5, "create_burst": 10}, "*": {"wait": 10, "queue": 0}},
    },
    "isolation": {
        "server": {
            "isolation": {
                "sql": "process",
                "gpu": {
                    "python": "/opt/gpu/bin/python",
                    "module": "acme.gpu",
                    "env": {"CUDA_HOME": "/opt/cuda"},
                    "inherit": ["PATH"],
                },
                "*": "none",
            }
        }
    },
    "sidecar": {"mode": "sidecar"},
    "sidecar with tokens": {"mode": "sidecar", "access": {"tokens": {"secretName": "callers"}}},
    "sidecar with a volume": yaml.safe_load((DEPLOY / "sidecar-values.yaml").read_text()),
    "autoscaled": {"autoscaling": {"enabled": True, "maxReplicas": 5}},
    "autoscaled by calls": {
        "autoscaling": {"enabled": True, "targetInFlight": 200, "targetCPUUtilizationPercentage": 0},
        "topologySpread": {"keys": ["kubernetes.io/hostname"], "whenUnsatisfiable": "DoNotSchedule"},
    },
    "closed in": {
        "networkPolicy": {
            "to": [{"ports": [{"port": 53, "protocol": "UDP"}]}, {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]
        }
    },
    "jobs in the cluster": {
        "kubernetesJobs": {
            "enabled": True,
            "namespaces": ["team-a", "team-b"],
            "storageSecrets": ["store"],
            "podTemplate": "large",
        }
    },
    "monitored": {"serviceMonitor": {"enabled": True, "labels": {"team": "data"}}},
    "several workers": {"server": {"workers": 4}, "serviceMonitor": {"enabled": True}},
    "bare": {
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "serviceAccount": {"create": False},
    },
    "furnished": {
        "image": {"repository": "registry.example/connectory", "tag": "1.2.3", "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "pull"}],
        "server": {"port": 9000, "workers": 4, "modules": ["acme.connectors"], "extra": {"reap_every": 60}},
        "secretMounts": [{"secretName": "warehouse"}],
        "env": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector:4317"}],
        "envFrom": [{"secretRef": {"name": "credentials"}}],
        "podLabels": {"a": "b"},
        "podAnnotations": {"c": "d"},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}
        ],
        "priorityClassName": "high",
        "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"engine": "flyte"}}}]},
        "service": {"type": "LoadBalancer", "annotations": {"x": "y"}},
    },
}


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    with helm.Chart.load(CHART) as chart:
        manifests = chart.render(values, name="demo", namespace="flows")
    return [
        document
        for name, text in manifests.items()
        if not name.endswith("NOTES.txt")
        for document in yaml.safe_load_all(text)
        if document
    ]


def only(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (document,) = [document for document in documents if document["kind"] == kind]
    return document


@pytest.mark.parametrize("values", MATRIX.values(), ids=list(MATRIX))
def test_every_manifest_is_valid_kubernetes(values: dict[str, Any]) -> None:
    documents = rendered(values)
    assert documents
    for document in documents:
        if document["kind"] != "ServiceMonitor":  # a custom resource, of which Kubernetes has no schema
            kubernetes_validate.validate(document, KUBERNETES, strict=True)


@pytest.mark.parametrize("values", MATRIX.values(), ids=list(MATRIX))
def test_lint_finds_nothing_above_information(values: dict[str, Any]) -> None:
    report = helm.lint(CHART, values, strict=True)
    assert [message for message in report["messages"] if message["severity"] > 1] == []


def test_the_settings_file_is_accepted_by_the_server(tmp_path: Path) -> None:
    for values in MATRIX.values():
        config = next(d for d in rendered(values) if d["kind"] == "ConfigMap" and "server.yaml" in d["data"])
        # the chart names files that exist in the pod only
        text = config["data"]["server.yaml"]
        for folder in ("/etc/connectory-tls", "/etc/connectory-tokens", "/etc/connectory-handle-keys"):
            text = text.replace(folder, str(tmp_path))
        for name in ("tls.crt", "tls.key", "ca.crt", "tokens.yaml", "keys"):
            (tmp_path / name).write_text("")
        path = tmp_path / "server.yaml"
        path.write_text(text)
        assert ServerSettings(config=path).grace == 30


def test_the_pod_listens_where_the_service_points_and_probes_ask() -> None:
    documents = rendered({"server": {"port": 9000}})
    container = only(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "grpc", "containerPort": 9000} in container["ports"]
    assert container["readinessProbe"]["grpc"]["port"] == 9000
    assert only(documents, "Service")["spec"]["ports"][0]["port"] == 9000
    settings = yaml.safe_load(only(documents, "ConfigMap")["data"]["server.yaml"])
    assert settings["addresses"] == ["0.0.0.0:9000"]


def test_with_tls_the_container_asks_itself_with_a_certificate() -> None:
    container = only(rendered(MATRIX["mtls"]), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert "grpc" not in container["readinessProbe"]
    assert container["readinessProbe"]["exec"]["command"][:2] == ["connectory", "health"]


def settings_of(values: dict[str, Any]) -> Any:
    config = next(d for d in rendered(values) if d["kind"] == "ConfigMap" and "server.yaml" in d["data"])
    return yaml.safe_load(config["data"]["server.yaml"])


def test_tokens_come_from_a_secret_and_make_a_public_address_safe() -> None:
    values = MATRIX["tokens over tls"]
    settings = settings_of(values)
    assert settings["tokens"] == "/etc/connectory-tokens/tokens.yaml"
    assert settings["audit_log"] == "-"
    assert "insecure_public" not in settings
    pod = only(rendered(values), "Deployment")["spec"]["template"]["spec"]
    assert {"name": "tokens", "secret": {"secretName": "callers"}} in pod["volumes"]
    mounts = pod["containers"][0]["volumeMounts"]
    assert {"name": "tokens", "mountPath": "/etc/connectory-tokens", "readOnly": True} in mounts


def test_signed_tokens_handle_keys_and_secrets_are_as_the_server_has_them() -> None:
    settings = settings_of(MATRIX["signed tokens and handles"])
    assert settings["jwt_issuer"] == settings["jwt_jwks"].removesuffix("/keys") == "https://login.example.com"
    assert settings["handle_keys"] == "/etc/connectory-handle-keys/keys"
    assert settings["secrets_allow"] == {"sql": ["warehouse/*", "ml:admin/password"], "*": []}
    assert "insecure_public" not in settings


def test_jobs_go_where_the_server_has_a_role() -> None:
    documents = rendered(MATRIX["jobs in the cluster"])
    pod = only(documents, "Deployment")["spec"]["template"]["spec"]
    told = {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"]}
    assert told["CONNECTORY_K8S_ALLOW"] == "flows team-a team-b"
    assert told["CONNECTORY_K8S_IMAGE"] == pod["containers"][0]["image"]
    assert told["CONNECTORY_K8S_STORAGE_SECRETS"] == "store"
    assert told["CONNECTORY_K8S_POD_TEMPLATE"] == "large"
    assert pod["automountServiceAccountToken"] is True
    for kind in ("Role", "RoleBinding"):
        places = [document["metadata"]["namespace"] for document in documents if document["kind"] == kind]
        assert places == ["flows", "team-a", "team-b"]
    without = rendered({})
    assert not [document for document in without if document["kind"] in ("Role", "RoleBinding")]
    assert "automountServiceAccountToken" not in only(without, "Deployment")["spec"]["template"]["spec"]


def test_the_url_of_the_ledger_is_in_no_config_map() -> None:
    documents = rendered(MATRIX["ledger in a database"])
    (variable,) = only(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert variable["name"] == "CONNECTORY_LEDGER"
    assert variable["valueFrom"] == {"secretKeyRef": {"name": "database", "key": "uri"}}
    assert "ledger" not in settings_of(MATRIX["ledger in a database"])
    assert settings_of(MATRIX["ledger in a file"])["ledger"] == "/tmp/ledger.sqlite"


def test_isolation_is_as_the_server_has_it() -> None:
    values = MATRIX["isolation"]
    assert settings_of(values)["isolation"] == values["server"]["isolation"]


def test_limits_are_as_the_server_has_them() -> None:
    settings = settings_of(MATRIX["limits"])
    assert settings["max_in_flight"] == 5000
    assert settings["limits"] == MATRIX["limits"]["limits"]


CHANGES: dict[str, Any] = {
    "ambiguous": "ask",
    "isolation": {"sql": "process"},
    "lease": 60,
    "limits": {"sql": {"jobs": 3}},
    "log_level": "DEBUG",
    "max_in_flight": 3,
    "modules": ["acme"],
    "on_orphan": "delete",
    "reap_every": 1,
    "secrets_allow": {"sql": ["a"]},
    "jwt_leeway": 3,
    "ledger_lease": 3,
    "max_message_bytes": 4096,
}
OWN_VALUES = {
    "log_level": ("server", "logLevel"),
    "max_in_flight": ("server", "maxInFlight"),
    "ledger_lease": ("ledger", "leaseSeconds"),
    "max_message_bytes": ("server", "maxMessageBytes"),
}
"""Settings that `server.extra` may not hold, because the chart always writes them."""


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_rolls_the_pods_only_when_running_servers_cannot_take_it_up(name: str) -> None:
    group, value = OWN_VALUES.get(name, ("", ""))

    def pod(*, is_changed: bool, **server: Any) -> Any:
        values: dict[str, Any] = {"server": server}
        if is_changed and value:
            values.setdefault(group, {})[value] = CHANGES[name]
        elif is_changed:
            server["extra"] = {name: CHANGES[name]}
        return only(rendered(values), "Deployment")["spec"]["template"]["metadata"]["annotations"]

    assert (pod(is_changed=True) == pod(is_changed=False)) == (name in LIVE)
    assert pod(is_changed=True, reloadSeconds=0) != pod(is_changed=False, reloadSeconds=0)


def test_every_setting_that_can_be_taken_up_is_tried_above() -> None:
    assert set(CHANGES) >= LIVE


def test_the_grace_period_of_the_pod_is_longer_than_the_servers() -> None:
    pod = only(rendered({"server": {"graceSeconds": 45}}), "Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > 45


def test_sidecar_mode_renders_a_container_with_the_socket_in_a_shared_volume() -> None:
    documents = rendered({"mode": "sidecar"})
    assert {document["kind"] for document in documents} == {"ConfigMap"}
    snippet = next(d["data"]["pod.yaml"] for d in documents if "pod.yaml" in d["data"])
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "engine"},
        "spec": yaml.safe_load(snippet),
    }
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)
    assert {"name": "connectory-socket", "emptyDir": {}} in pod["spec"]["volumes"]


def test_the_example_of_a_sidecar_is_what_the_chart_gives() -> None:
    documents = rendered({**MATRIX["sidecar with a volume"]})
    snippet = yaml.safe_load(next(d["data"]["pod.yaml"] for d in documents if "pod.yaml" in d["data"]))
    pod = yaml.safe_load((DEPLOY / "sidecar-pod.yaml").read_text())
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)
    engine, server = pod["spec"]["containers"]
    assert [server] == snippet["containers"]
    assert pod["spec"]["volumes"] == snippet["volumes"]
    assert snippet["securityContext"].items() <= pod["spec"]["securityContext"].items()
    shared = {"name": "connectory-socket", "mountPath": "/run/connectory"}
    assert shared in engine["volumeMounts"]
    assert shared in server["volumeMounts"]
    (settings,) = [d for d in documents if "server.yaml" in d["data"]]
    assert {"name": "config", "configMap": {"name": settings["metadata"]["name"]}} in pod["spec"]["volumes"]


def test_pods_are_added_by_processor_time_by_calls_in_flight_or_both() -> None:
    def metrics(**values: Any) -> list[Any]:
        documents = rendered({"autoscaling": {"enabled": True, **values}})
        return [
            metric[metric["type"].lower()] for metric in only(documents, "HorizontalPodAutoscaler")["spec"]["metrics"]
        ]

    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    calls = {
        "metric": {"name": "connectory_requests_in_flight"},
        "target": {"type": "AverageValue", "averageValue": "200"},
    }
    assert metrics() == [cpu]
    assert metrics(targetInFlight=200) == [calls, cpu]
    assert metrics(targetInFlight=200, targetCPUUtilizationPercentage=0) == [calls]
    (rule,) = yaml.safe_load((DEPLOY / "prometheus-adapter-rules.yaml").read_text())
    assert rule["name"]["as"] == calls["metric"]["name"]


def test_pods_spread_over_zones_and_nodes_unless_it_is_said_otherwise() -> None:
    def spread(**values: Any) -> list[Any]:
        pod = only(rendered(values), "Deployment")["spec"]["template"]
        found: list[Any] = pod["spec"].get("topologySpreadConstraints", [])
        for one in found:
            assert one["labelSelector"].get("matchLabels", {}).items() <= pod["metadata"]["labels"].items()
        return found

    assert [one["topologyKey"] for one in spread()] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert spread(topologySpread={"keys": []}) == []
    own = {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
    assert spread(topologySpreadConstraints=[own]) == [own]


def test_the_metrics_of_every_worker_are_read() -> None:
    documents = rendered(MATRIX["several workers"])
    (container,) = only(documents, "Deployment")["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    names = {"metrics": 9090, "metrics-2": 9091, "metrics-3": 9092, "metrics-4": 9093}
    assert ports == {"grpc": 8000, **names}
    service = {port["targetPort"]: port["port"] for port in only(documents, "Service")["spec"]["ports"]}
    assert service == {"grpc": 8000, **names}
    assert {one["port"] for one in only(documents, "ServiceMonitor")["spec"]["endpoints"]} == set(names)
    _, metrics = only(documents, "NetworkPolicy")["spec"]["ingress"]
    assert {port["port"] for port in metrics["ports"]} == set(names.values())


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"mode": "sidecar", "server": {"workers": 2}}, "set server.workers=1 in mode sidecar"),
        ({"server": {"port": 9091, "workers": 2}}, "server.port=9091 is a port of metrics"),
        ({"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 2}}, "minReplicas is above"),
        ({"server": {"extra": {"grace": 5}}}, "server.extra.grace would be there twice"),
    ],
)
def test_values_that_do_not_fit_together_are_refused_with_the_remedy(values: dict[str, Any], remedy: str) -> None:
    with pytest.raises(helm.HelmError, match=remedy):
        rendered(values)


def test_replicas_without_a_shared_ledger_are_told_so() -> None:
    def notes(**values: Any) -> str:
        with helm.Chart.load(CHART) as chart:
            return str(chart.render(values, name="demo", namespace="flows")["connectory/templates/NOTES.txt"])

    told = "Its replicas share no ledger"
    assert told in notes()
    assert told not in notes(replicas=1)
    assert told not in notes(ledger={"secretName": "database"})


def test_an_unprotected_server_is_refused_with_the_remedy() -> None:
    with pytest.raises(helm.HelmError, match="tls\\.enabled=true"):
        rendered({"insecurePublic": False})


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicsa": 3}, "replicsa"),
        ({"server": {"port": 0}}, "port"),
        ({"mode": "daemonset"}, "mode"),
        ({"tls": {"enabled": True, "secretName": ""}}, "secretName"),
        ({"server": {"logFormat": "xml"}}, "logFormat"),
        ({"access": {"jwt": {"jwks": "https://login.example.com/keys"}}}, "issuer"),
        ({"access": {"tokens": {"secret": "callers"}}}, "secret"),
        ({"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": 0}}, "targetInFlight|targetCPU|anyOf"),
        ({"topologySpread": {"whenUnsatisfiable": "Sometimes"}}, "whenUnsatisfiable"),
        ({"limits": {"sql": {"job": 3}}}, "job"),
        ({"fullnameOverride": "Not_a_name"}, "fullnameOverride"),
        ({"nameOverride": "-a"}, "nameOverride"),
        ({"secretMounts": [{"secretName": "a"}, {"secretName": "a"}]}, "secretMounts"),
        ({"limits": {"sql": {"jobs": 0}}}, "jobs"),
        ({"server": {"maxInFlight": 0}}, "maxInFlight"),
        ({"ledger": {"place": "postgresql://user:password@db/ledger"}}, "place"),
    ],
)
def test_the_schema_refuses_and_names_a_wrong_value(values: dict[str, Any], named: str) -> None:
    with helm.Chart.load(CHART) as chart, pytest.raises(helm.HelmError, match=named):
        chart.validate_schema(values)


def test_every_value_is_documented() -> None:
    def undocumented(schema: dict[str, Any], path: str) -> list[str]:
        missing = [] if schema.get("description") else [path]
        for name, child in schema.get("properties", {}).items():
            missing += undocumented(child, f"{path}.{name}")
        return missing

    with helm.Chart.load(CHART) as chart:
        schema = chart.schema
        assert schema is not None
        assert undocumented(schema, "values") == []
        assert set(chart.values) <= set(schema["properties"])
