"""The descriptors of Flyte's packages and ours say the same."""

from typing import Any

import pytest

from tests.wire.peer_process import OUR_SCHEMA, PAIRS, ROOT, Peer, running_peer

SERVICES = {
    "flyteidl.service.AsyncAgentService": "connectory.v1.AsyncConnectorService",
    "flyteidl.service.SyncAgentService": "connectory.v1.SyncConnectorService",
    "flyteidl.service.AgentMetadataService": "connectory.v1.ConnectorMetadataService",
    "flyteidl.service.AdminService": "connectory.v1.AdminService",
    "flyteidl.service.SignalService": "connectory.v1.SignalService",
    "flyteidl.service.DataProxyService": "connectory.v1.DataProxyService",
    "flyteidl.service.AuthMetadataService": "connectory.v1.AuthMetadataService",
    "flyteidl2.connector.AsyncConnectorService": "connectory.v1.AsyncConnectorService",
    "flyteidl2.connector.ConnectorMetadataService": "connectory.v1.ConnectorMetadataService",
}
RENAMED_METHODS = {"GetAgent": "GetConnector", "ListAgents": "ListConnectors"}
ROOTS = ("WorkflowClosure", "CompiledWorkflowClosure", "DynamicJobSpec", "ErrorDocument", "ExecutionClosure")
RENAMED_FIELDS = {
    "connectory.v1.GetConnectorResponse#1": "agent",
    "connectory.v1.ListConnectorsResponse#1": "agents",
    "connectory.v1.GetTaskLogsResponseBody#2": "lines",
}
RENAMED_ONEOFS = {"ScheduleExpression": "schedule_expression"}
PREFIXED_ENUMS = {"connectory.v1.FixedRateUnit": "FIXED_RATE_UNIT_", "connectory.v1.Granularity": "GRANULARITY_"}
ADDITIONS = {
    "connectory.v1.CreateTaskRequest#1000",
    "connectory.v1.DeleteTaskRequest#1000",
    "connectory.v1.CreateRequestHeader#1000",
    "connectory.v1.CreateRequestHeader#1001",
    "connectory.v1.DynamicJobSpec#1000",
    "connectory.v1.ExecutionMetadata#1000",
    "connectory.v1.GetTaskLogsRequest#1000",
    "connectory.v1.GetTaskLogsRequest#1001",
    "connectory.v1.ListConnectorsResponse#1000",
    "connectory.v1.ListConnectorsResponse#1001",
    "connectory.v1.NodeExecutionListRequest#1000",
    "connectory.v1.NodeExecutionMetaData#1000",
    "connectory.v1.Resource#1000",
    "connectory.v1.Signal#1000",
    "connectory.v1.Signal#1001",
    "connectory.v1.Signal#1002",
    "connectory.v1.Signal#1003",
}
OWN_MESSAGES = {
    "connectory.v1.BeginRecoveryRequest",
    "connectory.v1.BeginRecoveryResponse",
    "connectory.v1.BrokenConnector",
    "connectory.v1.CompareRecoveryRequest",
    "connectory.v1.CompareRecoveryResponse",
    "connectory.v1.GetNodeLogsRequest",
    "connectory.v1.GetNodeLogsResponse",
    "connectory.v1.NodeChange",
    "connectory.v1.NodeJob",
    "connectory.v1.WatchExecutionRequest",
    "connectory.v1.WatchExecutionResponse",
}
MESSAGES_OF_OURS = {
    "connectory.v1.BrokenConnector",
    "connectory.v1.DeleteJobRequest",
    "connectory.v1.DeleteJobResponse",
    "connectory.v1.GetJobRequest",
    "connectory.v1.GetJobResponse",
    "connectory.v1.Job",
    "connectory.v1.ListJobsRequest",
    "connectory.v1.ListJobsResponse",
    "connectory.v1.ReapJobsRequest",
    "connectory.v1.ReapJobsResponse",
    "connectory.v1.ReapedJob",
    "connectory.v1.SettleJobRequest",
    "connectory.v1.SettleJobResponse",
}


def _ours(target: str) -> str:
    return target if target.startswith("google.") else PAIRS.get(target, f"nothing for {target}")


def _same_field(theirs: dict[str, Any], ours: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """What differs between two fields of one number. A map and a repeated {1: key, 2: value} count as the same."""
    if ours["entry"]:
        entry = theirs["entry"] or schema["messages"][theirs["target"]]
        return [
            f"{part} of the entry: {difference}"
            for number, part in (("1", "key"), ("2", "value"))
            for difference in _same_field(entry[number], ours["entry"][number], schema)
        ] + ([] if theirs["repeated"] and set(entry) == {"1", "2"} else ["not a repeated {1: key, 2: value}"])
    pairs = {
        "type": (theirs["type"], ours["type"]),
        "message or enum": (_ours(theirs["target"]) if theirs["target"] else "", ours["target"]),
        "repeated": (theirs["repeated"], ours["repeated"]),
        "presence": (theirs["presence"], ours["presence"]),
    }
    return [f"{what} {t} there and {o} here" for what, (t, o) in pairs.items() if t != o]


def test_that_every_field_of_theirs_exists_here_with_the_same_number_and_type(
    peer: Peer, compared: dict[str, str]
) -> None:
    differences = []
    fields = 0
    for theirs, ours in peer.pairs.items():
        their_fields, our_fields = peer.schema["messages"][theirs], OUR_SCHEMA["messages"][ours]
        for number, field in their_fields.items():
            fields += 1
            if number not in our_fields:
                differences.append(f"{theirs}#{number} {field['name']}: missing here")
                continue
            found = _same_field(field, our_fields[number], peer.schema)
            differences += [f"{theirs}#{number} {field['name']}: {difference}" for difference in found]
    assert not differences, "\n".join(differences)
    assert fields > 0
    compared[f"descriptors of {peer.package} {peer.version}"] = (
        f"{len(peer.pairs)} message pairs with {fields} fields, {len(peer.enums)} enum pairs"
    )


def test_that_a_number_from_1000_up_is_ours_alone(peer: Peer) -> None:
    taken = [f"{m}#{n}" for m, fields in peer.schema["messages"].items() for n in fields if int(n) >= 1000]
    assert not taken


def test_that_what_is_ours_alone_is_known_and_numbered_from_1000() -> None:
    """Nothing of ours may sit where Flyte could put something of its own."""
    with running_peer("flyteidl") as one, running_peer("flyteidl2") as two:
        theirs: dict[str, set[str]] = {}
        for peer in (one, two):
            for their_name, our_name in peer.pairs.items():
                theirs.setdefault(our_name, set()).update(peer.schema["messages"][their_name])
    messages = {m: f for m, f in OUR_SCHEMA["messages"].items() if not m.endswith("Entry")}
    assert messages.keys() - theirs.keys() == OWN_MESSAGES
    ours_alone = {f"{m}#{n}" for m, fields in messages.items() if m in theirs for n in fields if n not in theirs[m]}
    assert ours_alone == ADDITIONS


def test_that_oneofs_group_the_same_fields(peer: Peer) -> None:
    differences = []
    groups = 0
    for theirs, ours in peer.pairs.items():
        for number, field in peer.schema["messages"][theirs].items():
            mate = OUR_SCHEMA["messages"][ours][number]
            groups += bool(field["oneof"])
            there = RENAMED_ONEOFS.get(field["oneof"], field["oneof"])
            if there != mate["oneof"]:
                differences.append(f"{theirs}#{number}: in oneof {there!r} there, {mate['oneof']!r} here")
    assert not differences, "\n".join(differences)
    assert groups > 0


def test_that_enum_values_have_the_same_numbers_and_names(peer: Peer) -> None:
    assert peer.enums
    for theirs, ours in peer.enums.items():
        prefix = PREFIXED_ENUMS.get(ours, "")
        expected = {number: f"{prefix}{name}" for number, name in peer.schema["enums"][theirs].items()}
        assert expected.items() <= OUR_SCHEMA["enums"][ours].items(), theirs


def test_that_json_names_are_theirs_but_for_the_documented_ones(peer: Peer) -> None:
    renamed = {
        f"{ours}#{number}": field["json"]
        for theirs, ours in peer.pairs.items()
        if not ours.endswith("Entry")
        for number, field in peer.schema["messages"][theirs].items()
        if OUR_SCHEMA["messages"][ours][number]["json"] != field["json"]
    }
    assert renamed.items() <= RENAMED_FIELDS.items()


def test_that_the_pairs_are_complete(peer: Peer) -> None:
    """Whatever the services that we serve can carry, and whatever describes a workflow, is compared."""
    methods = [
        types
        for service, ours in SERVICES.items()
        for method, types in peer.schema["services"].get(service, {}).items()
        if RENAMED_METHODS.get(method, method) in OUR_SCHEMA["services"][ours]
    ]
    todo = [name for types in methods for name in types[:2]]
    todo += [name for name in peer.schema["messages"] if name.split(".")[-1] in ROOTS and name in PAIRS]
    assert todo
    reached: set[str] = set()
    while todo:
        name = todo.pop()
        if name in reached or name.startswith("google."):
            continue
        reached.add(name)
        for field in peer.schema["messages"].get(name, {}).values():
            targets = [f["target"] for f in (field["entry"] or {"": field}).values()]
            todo += [target for target in targets if target]
    assert not reached - PAIRS.keys()


@pytest.mark.parametrize("service", SERVICES)
def test_that_methods_take_and_give_the_same(peer: Peer, service: str) -> None:
    if service.split(".")[0] != peer.package:
        assert service not in peer.schema["services"]
        return
    theirs = peer.schema["services"][service]
    for method, types in OUR_SCHEMA["services"][SERVICES[service]].items():
        there = next(t for name, t in theirs.items() if RENAMED_METHODS.get(name, name) == method)
        assert [PAIRS[there[0]], PAIRS[there[1]], *there[2:]] == types, f"{service}/{method}"


def test_that_the_documentation_names_what_is_ours_and_what_is_renamed() -> None:
    page = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
    for place in ADDITIONS | RENAMED_FIELDS.keys():
        message, number = place.removeprefix("connectory.v1.").split("#")
        field = OUR_SCHEMA["messages"][f"connectory.v1.{message}"][number]["name"]
        assert message in page, place
        assert field in page, place
    for enum in PREFIXED_ENUMS:
        assert enum.removeprefix("connectory.v1.") in page
