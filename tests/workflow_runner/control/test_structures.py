"""Structures whose parts are not those of their declared classes start nothing, whoever sends them."""

from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from pydantic import BaseModel

from connectory.errors import NotFoundError
from connectory.types import default_types
from connectory.types.structures import pack
from connectory.v1 import execution_pb2, identifiers_pb2, literals_pb2
from tests.workflow_runner.control.harness import Control, request_of, serving
from tests.workflow_runner.workflows import closure, workflow


@dataclass
class Leaf:
    size: float


@dataclass
class Tree:
    name: str
    leaf: Leaf | None = None


class Rule(BaseModel):
    most: int


TYPES = default_types()
DECLARED = {name: TYPES.literal_type(kind) for name, kind in {"tree": Tree, "rule": Rule, "more": list[Tree]}.items()}


def struct(plain: dict[str, Any]) -> literals_pb2.Literal:
    """The older form."""
    literal = literals_pb2.Literal()
    literal.scalar.generic.update(plain)
    return literal


def many(*plain: object) -> literals_pb2.Literal:
    return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=map(pack, plain)))


RIGHT = {"tree": pack({"name": "oak", "leaf": {"size": 1}}), "rule": pack({"most": 1}), "more": many({"name": "ash"})}


async def registered(control: Control) -> identifiers_pb2.Identifier:
    return await control.register(closure(workflow("forest", [], inputs=DECLARED), []))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tree": pack({"nme": "oak"})}, "inputs: tree: missing name; unknown nme (there are: leaf, name)"),
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
