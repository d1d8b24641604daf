"""flytekit's FlyteRemote against a runner's control API; answers with plain values."""

import logging
import warnings
from datetime import timedelta
from pathlib import Path

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from flytekit.configuration import Config, ImageConfig, PlatformConfig, SerializationSettings  # noqa: E402
from flytekit.models import filters  # noqa: E402
from flytekit.models.admin.common import Sort  # noqa: E402
from flytekit.remote import FlyteRemote  # noqa: E402

from tests.flytekit_peer import own_flows  # noqa: E402
from tests.flytekit_peer.answering import answer_all  # noqa: E402

PROJECT, DOMAIN = "default", "development"
_POLL, _PATIENCE = timedelta(milliseconds=50), timedelta(seconds=60)
_remotes = {}


def _remote(endpoint):
    """For "HOST:PORT", then the certificate of an authority (-: no TLS), then a token, all with spaces between."""
    if endpoint not in _remotes:
        target, _, rest = endpoint.partition(" ")
        authority, _, token = (rest or "-").partition(" ")
        platform = PlatformConfig(
            endpoint=target,
            insecure=authority == "-",
            ca_cert_file_path=None if authority == "-" else authority,
            **({"auth_mode": "ExternalCommand", "command": ["echo", token]} if token else {}),
        )
        _remotes[endpoint] = FlyteRemote(Config(platform=platform), default_project=PROJECT, default_domain=DOMAIN)
    return _remotes[endpoint]


def fetch(endpoint, workflow, task, plan):
    remote = _remote(endpoint)
    fetched = remote.fetch_workflow(name=workflow)
    return {
        "workflow": (fetched.id.name, fetched.id.version, sorted(fetched.interface.inputs), len(fetched.nodes)),
        "task": (remote.fetch_task(name=task).id.name, remote.fetch_task(name=task).template.type),
        "plan": remote.fetch_launch_plan(name=plan).fixed_inputs.literals["x"].scalar.primitive.integer,
        "active": getattr(remote.fetch_active_launchplan(name=plan), "name", None),
        "tasks": sorted(each.id.name for each in remote.list_tasks_by_version(fetched.id.version)),
        "projects": [each.id for each in remote.list_projects()],
        "domains": [each.id for each in remote.get_domains()],
    }


def run(endpoint, plan, inputs, name=None):
    """Start a launch plan, wait for its end with all nodes, and tell what became of it."""
    remote = _remote(endpoint)
    return _ended(remote, remote.execute(remote.fetch_launch_plan(name=plan), inputs=inputs, execution_name=name))


def run_long(endpoint, plan, length):
    """Start what makes a long text; how long it is, and what else it is made of."""
    ended = run(endpoint, plan, {"x": length})
    return ended["phase"], {name: (len(value), set(value)) for name, value in ended["outputs"].items()}


def run_task(endpoint, task, inputs):
    remote = _remote(endpoint)
    return _ended(remote, remote.execute(remote.fetch_task(name=task), inputs=inputs))


def start(endpoint, plan, inputs, name):
    remote = _remote(endpoint)
    return remote.execute(remote.fetch_launch_plan(name=plan), inputs=inputs, execution_name=name).id.name


def wait(endpoint, name):
    remote = _remote(endpoint)
    return _ended(remote, remote.fetch_execution(name=name))


def signals(endpoint, name):
    return sorted(each.id.signal_id for each in _remote(endpoint).list_signals(name))


def answer(endpoint, name, values, approvals):
    remote = _remote(endpoint)
    for signal, value in values.items():
        remote.set_signal(signal, name, value)
    for signal in approvals:
        remote.approve(signal, name)


def terminate(endpoint, name, cause):
    remote = _remote(endpoint)
    remote.terminate(remote.fetch_execution(name=name), cause)


def recent(endpoint, limit, phase):
    remote = _remote(endpoint)
    found, _ = remote.client.list_executions_paginated(
        PROJECT,
        DOMAIN,
        limit=limit,
        filters=[filters.Equal("phase", phase)],
        sort_by=Sort("created_at", Sort.Direction.ASCENDING),
    )
    return [each.id.name for each in found], len(remote.recent_executions(limit=limit))


def register_own(endpoint, version, text):
    remote = _remote(endpoint)
    settings = SerializationSettings(project=PROJECT, domain=DOMAIN, image_config=ImageConfig.auto_default_image())
    names = [remote.register_workflow(own_flows.repeated, settings, version=version).id.version for _ in range(2)]
    fetched = remote.fetch_workflow(name=own_flows.repeated.name, version=version)
    return names, _ended(remote, remote.execute(fetched, inputs={"text": text}, version=version))


def register_script(endpoint, version, text):
    """The way of `pyflyte run --remote`: the code is packed and sent to a signed address first."""
    remote = _remote(endpoint)
    root = Path(own_flows.__file__).parents[2]
    registered = remote.register_script(
        own_flows.repeated, source_path=str(root), module_name=own_flows.__name__, version=version
    )
    return _ended(remote, remote.execute(registered, inputs={"text": text}, version=version))


def upload(endpoint, path):
    return _remote(endpoint).upload_file(Path(path))[1]


def data(endpoint, url):
    resolved = _remote(endpoint).get(url)
    return {name: resolved.get(name, int) for name in resolved.literals}


def _ended(remote, execution):
    execution = remote.wait(execution, timeout=_PATIENCE, poll_interval=_POLL)
    aborted = execution.closure.abort_metadata
    return {
        "name": execution.id.name,
        "phase": execution.closure.phase,
        "took": execution.closure.duration.total_seconds(),
        "inputs": _values(execution.inputs),
        "outputs": _values(execution.outputs) if execution._outputs is not None else None,
        "error": execution.error.message if execution.error is not None else None,
        "cause": aborted.cause if aborted is not None else None,
        "nodes": {name: _node(node) for name, node in execution.node_executions.items()},
    }


def _node(node):
    return {
        "phase": node.closure.phase,
        "inputs": _values(node.inputs) if node._inputs is not None else None,
        "outputs": _values(node.outputs) if node._outputs is not None else None,
        "attempts": [each.closure.phase for each in node.task_executions if hasattr(each, "closure")],
        "within": {each.id.node_id: each.closure.phase for each in node._underlying_node_executions or []},
    }


def _values(resolver):
    return {name: resolver.get(name, _type(literal)) for name, literal in resolver.literals.items()}


def _type(literal):
    if literal.offloaded_metadata is not None:
        return str
    if literal.collection is not None:
        return list[_type(literal.collection.literals[0])]
    return str if literal.scalar.primitive.string_value is not None else int


OPERATIONS = {
    each.__name__: each
    for each in (
        *(fetch, run, run_long, run_task, start, wait, signals, answer, terminate, recent),
        *(register_own, register_script, upload, data),
    )
}

if __name__ == "__main__":
    answer_all(OPERATIONS)
