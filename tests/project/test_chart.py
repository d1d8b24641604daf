"""The Helm chart, rendered by the real Helm library over a matrix of values and checked against Kubernetes' schemas."""

from pathlib import Path
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
import yaml

from connector_server.settings import ServerSettings

CHART = Path(__file__).parents[2] / "helm" / "connectory"
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
    "sidecar": {"mode": "sidecar"},
    "sidecar with tokens": {"mode": "sidecar", "access": {"tokens": {"secretName": "callers"}}},
    "autoscaled": {"autoscaling": {"enabled": True, "maxReplicas": 5}},
    "monitored": {"serviceMonitor": {"enabled": True, "labels": {"team": "data"}}},
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


def test_the_url_of_the_ledger_is_in_no_config_map() -> None:
    documents = rendered(MATRIX["ledger in a database"])
    (variable,) = only(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert variable["name"] == "CONNECTORY_LEDGER"
    assert variable["valueFrom"] == {"secretKeyRef": {"name": "database", "key": "uri"}}
    assert "ledger" not in settings_of(MATRIX["ledger in a database"])
    assert settings_of(MATRIX["ledger in a file"])["ledger"] == "/tmp/ledger.sqlite"


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
