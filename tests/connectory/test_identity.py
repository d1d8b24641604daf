"""Identifiers and their URNs."""

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.errors import InvalidTaskError
from connectory.identity import parse_urn, urn
from connectory.v1 import identifiers_pb2 as pb

EXECUTION = pb.WorkflowExecutionIdentifier(project="p", domain="d", name="e1")
TASK = pb.Identifier(resource_type=pb.TASK, project="p", domain="d", name="my.task", version="v1")
NODE = pb.NodeExecutionIdentifier(node_id="n0", execution_id=EXECUTION)


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        (TASK, "tsk:p:d:my.task:v1"),
        (pb.Identifier(resource_type=pb.WORKFLOW, project="p", domain="d", name="w", version="v"), "wf:p:d:w:v"),
        (pb.Identifier(resource_type=pb.LAUNCH_PLAN, project="p", domain="d", name="l", version="v"), "lp:p:d:l:v"),
        (EXECUTION, "ex:p:d:e1"),
        (NODE, "ne:p:d:e1:n0"),
        (
            pb.TaskExecutionIdentifier(task_id=TASK, node_execution_id=NODE, retry_attempt=2),
            "te:p:d:e1:n0:p:d:my.task:v1:2",
        ),
        (pb.SignalIdentifier(signal_id="go", execution_id=EXECUTION), "sg:p:d:e1:go"),
        (
            pb.WorkflowExecutionIdentifier(project="p", domain="d", name="a:b%?", org="x&y"),
            "ex:p:d:a%3Ab%25%3F?org=x%26y",
        ),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_urns_are_printed_and_parsed(identifier: Message, text: str) -> None:
    assert urn(identifier) == text
    assert parse_urn(text, type(identifier)) == identifier


words = st.text(max_size=8) | st.sampled_from([":", "%3A", "?org=x", "a:b", "%"])
executions = st.builds(pb.WorkflowExecutionIdentifier, project=words, domain=words, name=words.filter(bool), org=words)
tasks = st.builds(
    pb.Identifier, resource_type=st.just(pb.TASK), project=words, domain=words, name=words, version=words, org=words
)
nodes = st.builds(pb.NodeExecutionIdentifier, node_id=words.filter(bool), execution_id=executions)
identifiers = st.one_of(
    executions,
    tasks,
    nodes,
    st.builds(pb.SignalIdentifier, signal_id=words, execution_id=executions),
    st.builds(
        pb.TaskExecutionIdentifier,
        task_id=tasks,
        node_execution_id=nodes,
        retry_attempt=st.integers(0, 2**32 - 1),
    ),
)


@settings(max_examples=100, deadline=None)
@given(identifiers, identifiers)
def test_any_identifier_comes_back_and_no_two_share_a_urn(one: Message, other: Message) -> None:
    assert parse_urn(urn(one), type(one)) == one
    assert (urn(one) == urn(other)) == (type(one) is type(other) and one == other)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with ne"),
        ("ex:p:d:e", "begins with ne"),
        ("ne:p:d:e", "has 3 parts after its prefix, not 4"),
        ("ne:p:d:e:n:x", "has 5 parts"),
        ("ne:p:d:e:n?team=x", "says 'team' after its question mark"),
    ],
)
def test_what_is_no_urn_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InvalidTaskError, match=complaint):
        parse_urn(text, pb.NodeExecutionIdentifier)


def test_what_has_no_urn_is_refused() -> None:
    with pytest.raises(InvalidTaskError, match="without a resource type"):
        urn(pb.Identifier(name="x"))
    with pytest.raises(InvalidTaskError, match="which is no number"):
        parse_urn("te:p:d:e:n:p:d:t:v:many", pb.TaskExecutionIdentifier)
