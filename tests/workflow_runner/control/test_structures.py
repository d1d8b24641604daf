"""Structures whose parts are not those of their declared classes start and register nothing, whoever sends them."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import grpc
import pytest
from pydantic import BaseModel

import connectory
from connectory import LaunchPlan
from connectory.client.registering import register
from connectory.compiler import compile_launch_plan, compile_workflow
from connectory.errors import AlreadyExistsError, InvalidTaskError, NotFoundError
from connectory.types import default_types
from connectory.types.structures import pack
from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2, launch_plan_pb2, literals_pb2
from tests.workflow_runner.control.harness import Control, plan_of, request_of, serving
from tests.workflow_runner.workflows import closure, string, workflow


class Kind(Enum):
    TREE = "tree"


@dataclass
class Leaf:
    size: float


@dataclass
class Tree:
    name: str
    leaf: Leaf | None = None
    kind: Kind = Kind.TREE


class Rule(BaseModel):
    most: int


@connectory.workflow
def planted(
    tree: Tree = Tree("oak", Leaf(1)),
    rule: Rule = Rule(most=1),
    more: list[Tree] | None = None,
    some: Tree | None = None,
    kind: Kind = Kind.TREE,
) -> Tree:
    return tree


TYPES = default_types()
CLASSES: dict[str, Any] = {"tree": Tree, "rule": Rule, "more": list[Tree], "kind": Kind}
DECLARED = {name: TYPES.literal_type(kind) for name, kind in CLASSES.items()}


def struct(plain: dict[str, Any]) -> literals_pb2.Literal:
    """The older form."""
    literal = literals_pb2.Literal()
    literal.scalar.generic.update(plain)
    return literal


def many(*plain: object) -> literals_pb2.Literal:
    return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=map(pack, plain)))


RIGHT = {"tree": pack({"name": "oak", "leaf": {"size": 1}}), "rule": pack({"most": 1}), "more": many({"name": "ash"})}
RIGHT["kind"] = string("tree")


async def registered(control: Control) -> identifiers_pb2.Identifier:
    return await control.register(closure(workflow("forest", [], inputs=DECLARED), []))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tree": pack({"nme": "oak"})}, "inputs: tree: missing name; unknown nme (there are: kind, leaf, name)"),
        ({"tree": struct({"name": "oak", "leaf": {"size": "b"}})}, "inputs: tree.leaf.size: expected number, got 'b'"),
        ({"rule": pack({"most": "many"})}, "inputs: rule.most: expected integer, got 'many' of type str"),
        ({"more": many({"name": "ash"}, {"name": 3})}, "inputs: more[1].name: expected string, got 3 of type int"),
    ],
)
async def test_wrong_parts_are_an_invalid_argument(wrong: dict[str, literals_pb2.Literal], said: str) -> None:
    async with serving() as control:
        plan = await registered(control)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await control.call("AdminService.CreateExecution", request_of(plan, "mistaken", **{**RIGHT, **wrong}))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert said in str(refused.value.details())
        with pytest.raises(NotFoundError):
            await control.get(identifiers_pb2.WorkflowExecutionIdentifier(project="p", domain="d", name="mistaken"))


@pytest.mark.parametrize("tree", [RIGHT["tree"], struct({"name": "oak", "leaf": None}), struct({"name": "oak"})])
async def test_right_parts_are_accepted_in_either_form(tree: literals_pb2.Literal) -> None:
    async with serving() as control:
        plan = await registered(control)
        ended = await control.ended(await control.start(plan, **{**RIGHT, "tree": tree}))
        assert ended.closure.phase == execution_pb2.WorkflowExecution.SUCCEEDED


def creation(**fixed: literals_pb2.Literal) -> launch_plan_pb2.LaunchPlanCreateRequest:
    plan = plan_of(closure(workflow("forest", []), []))
    plan.id.name = "woods"
    for name, literal in fixed.items():
        plan.spec.fixed_inputs.literals[name].CopyFrom(literal)
    return launch_plan_pb2.LaunchPlanCreateRequest(id=plan.id, spec=plan.spec)


WRONG = [
    ("tree", pack({"nme": "oak"}), "missing name; unknown nme (there are: kind, leaf, name)"),
    ("tree", struct({"name": "oak", "leaf": {"size": "b"}}), "leaf.size: expected number, got 'b'"),
    ("tree", pack({"name": "oak", "kind": "bush"}), "kind: expected 'tree', got 'bush'"),
    ("kind", string("bush"), "expected one of 'tree', got 'bush'"),
    ("rule", pack({"most": "many"}), "most: expected integer, got 'many' of type str"),
    ("more", many({"name": "ash"}, {"name": 3}), "[1].name: expected string, got 3 of type int"),
]


@pytest.mark.parametrize(("var", "wrong", "said"), WRONG)
async def test_a_launch_plan_with_wrong_parts_is_refused(var: str, wrong: literals_pb2.Literal, said: str) -> None:
    fixed, default = creation(**{var: wrong}), creation()
    default.spec.default_inputs.parameters[var].default.CopyFrom(wrong)
    async with serving() as control:
        await registered(control)
        for field, request in (("fixed_inputs", fixed), ("default_inputs", default)):
            with pytest.raises(InvalidTaskError) as refused:
                await control.client.create_launch_plan(request)
            assert f"launch plan 'woods': spec.{field}['{var}']: {said}" in str(refused.value)


async def test_a_launch_plan_with_wrong_parts_that_was_accepted_once_is_known() -> None:
    mistaken = creation(tree=pack({"nme": "oak"}))
    with pytest.MonkeyPatch.context() as before:
        before.setattr("workflow_runner.control.launch_plans.check_structure", lambda literal, declared: None)
        async with serving() as control:
            await registered(control)
            await control.client.create_launch_plan(mistaken)
            before.undo()
            with pytest.raises(AlreadyExistsError) as same:
                await control.client.create_launch_plan(mistaken)
    assert same.value.reason == "SAME_CONTENT"


async def test_the_defaults_of_python_are_right_parts() -> None:
    plan = LaunchPlan.create(
        "woods", planted, default_inputs={"some": Tree("elm")}, fixed_inputs={"rule": Rule(most=2)}
    )
    async with serving() as control:
        made = [compile_launch_plan(each, project="p", domain="d", version="1") for each in (planted, plan)]
        await register(control.client, [compile_workflow(planted, project="p", domain="d", version="1")], made)
        found = await control.client.get_launch_plan(control_pb2.ObjectGetRequest(id=made[1].id))
    assert found.closure.expected_inputs.parameters["some"].HasField("default")
