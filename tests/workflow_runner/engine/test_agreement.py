"""One answer serves every gate that asks for a signal: what code makes while it runs asks for it by the same type."""

import pytest

from connectory.v1 import literals_pb2, workflow_pb2
from tests.workflow_runner.engine.world import World
from tests.workflow_runner.workflows import (
    INTEGER,
    STRING,
    approval,
    closure,
    constant,
    integer,
    node,
    signal,
    task,
    workflow,
)
from workflow_runner.engine.rules import SIGNALS_AGREE
from workflow_runner.engine.state import ExecutionPhase, NodePhase

MAKER = task("maker", retries=1)
EAGER = task("eager")
EAGER.metadata.is_eager = True
T = task("t", inputs={"a": INTEGER})
NUMBER = signal("g", "it", INTEGER)
TEXT = signal("t", "it", STRING)
WITHIN = workflow("within", [TEXT])


def world(*nodes: workflow_pb2.Node, **facts: int) -> World:
    inner = workflow("inner", [NUMBER])
    return World(closure(workflow("w", nodes, fail_at_once=False), [MAKER, EAGER, T], [inner, WITHIN]), **facts)  # type: ignore[arg-type]


def made(*nodes: workflow_pb2.Node) -> workflow_pb2.DynamicJobSpec:
    return workflow_pb2.DynamicJobSpec(nodes=nodes)


def said(found: World, path: str) -> str:
    failure = found.state.nodes[path].failure
    assert failure is not None
    assert failure.code == "INVALID_NODES"
    return failure.message


INNER = node("s", workflow("inner", [NUMBER]))


@pytest.mark.parametrize(("known", "where"), [(NUMBER, "g"), (INNER, "s.g")])
@pytest.mark.parametrize(("new", "there"), [(TEXT, "d.t"), (node("v", WITHIN), "d.v.t")])
def test_a_gate_that_asks_otherwise_fails_the_task_that_made_it(
    known: workflow_pb2.Node, where: str, new: workflow_pb2.Node, there: str
) -> None:
    found = world(known, node("d", MAKER))
    found.expand("d", made(new))
    assert found.phase("d") is NodePhase.FAILED
    assert said(found, "d") == (
        f"the nodes that task 'maker' made cannot be run: node '{there}' and node '{where}' ask for signal 'it' by"
        " different types, str and int, and one answer serves both; give one of them another name"
    )
    assert found.phase(where) is NodePhase.RUNNING, "what asked first still waits"
    found.signal("it", integer(1))
    assert found.state.phase is ExecutionPhase.FAILED
    found.check()


def test_a_gate_that_is_to_come_counts() -> None:
    later = signal("g", "it", INTEGER)
    later.upstream_node_ids.append("d")
    found = world(node("d", MAKER), later)
    found.expand("d", made(TEXT))
    assert "and node 'g' ask for signal 'it' by different types, str and int" in said(found, "d")
    found.check()


def test_two_tasks_and_the_nodes_of_one_are_compared_too() -> None:
    found = world(node("d", MAKER), node("e", MAKER))
    found.expand("d", made(approval("ok", "it", {})))
    found.expand("e", made(TEXT))
    assert "node 'e.t' and node 'd.ok' ask for signal 'it' by different types, str and bool" in said(found, "e")
    found = world(node("d", MAKER))
    found.expand("d", made(TEXT, NUMBER))
    assert "node 'd.g' and node 'd.t' ask for signal 'it' by different types, int and str" in said(found, "d")
    found.check()


def test_the_same_type_and_another_signal_are_fine() -> None:
    found = world(NUMBER, node("d", MAKER))
    found.expand("d", made(signal("again", "it", INTEGER), signal("other", "name", STRING)))
    assert found.phase("d.again") is found.phase("d.other") is NodePhase.RUNNING
    found.check()


def test_what_a_running_task_calls_is_compared_too() -> None:
    found = world(NUMBER, node("e", EAGER))
    found.call("e", "x", made(node("x", WITHIN)), literals_pb2.LiteralMap())
    assert "'x' cannot be run: node 'e.x.t' and node 'g' ask for signal 'it'" in said(found, "e.x")
    assert found.phase("e") is NodePhase.RUNNING
    found.check()


def test_another_attempt_may_ask_otherwise_until_it_was_answered() -> None:
    broken = node("x", T, {"a": constant(integer(1))})
    for answered in (False, True):
        found = world(node("d", MAKER))
        found.expand("d", made(NUMBER, broken))
        if answered:
            found.signal("it", integer(1))
        found.fail("d.x", recoverable=True)
        found.ring("retry", "d", 1)
        found.expand("d", made(TEXT))
        assert found.phase("d") is (NodePhase.FAILED if answered else NodePhase.RUNNING)
        found.check()


def test_what_began_before_this_was_looked_at_goes_on() -> None:
    found = world(NUMBER, node("d", MAKER), rules=SIGNALS_AGREE - 1)
    found.expand("d", made(TEXT))
    assert found.phase("d.t") is NodePhase.RUNNING
    found.check()
