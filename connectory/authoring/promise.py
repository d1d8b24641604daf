"""What a task returns while a workflow is being built: stand-ins for values that do not exist yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from connectory.authoring.casting import type_name
from connectory.authoring.conditions import Comparison, comparable, constant
from connectory.authoring.conversion import describe, type_registry
from connectory.authoring.deferred import Deferred
from connectory.authoring.location import authoring_error
from connectory.authoring.parts import fields_of, part_of
from connectory.errors import ConnectoryError
from connectory.v1 import types_pb2, workflow_pb2

if TYPE_CHECKING:
    from connectory.authoring.node import Node

__all__ = ["OutputTuple", "Promise", "Reference", "VoidPromise", "output_names", "reference_of", "source_node"]


class Reference(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a promise stands for. Promises keep it apart from their attributes, which are the fields of the value."""

    graph: object
    """The workflow body in which it was made; it has no meaning in another one."""
    node: Node | None
    """The node that will give it; None: an input of the workflow."""
    var: str
    annotation: Any
    literal_type: types_pb2.LiteralType
    label: str
    """How errors call it."""
    path: tuple[str | int, ...] = ()

    def to_proto(self) -> workflow_pb2.BindingData:
        """Where the value will come from; an empty node id means the workflow's own inputs."""
        data = workflow_pb2.BindingData()
        promise = data.promise
        promise.node_id = "" if self.node is None else self.node.id
        promise.var = self.var
        if self.path:
            promise.attr_path.extend(map(_attribute, self.path))
        return data


def reference_of(promise: Promise) -> Reference:
    """What this promise stands for."""
    return promise._reference


def source_node(value: Any) -> Node | None:
    """The node behind something that a call within a workflow returned; None when there is none."""
    return value._source() if isinstance(value, Deferred | OutputTuple) else None


_Operator = workflow_pb2.ComparisonExpression.Operator


class Promise(Deferred):
    """One value that a node will give, or one input of the workflow, or a part of either.

    `promise.field`, `promise["key"]` and `promise[0]` refer to parts, as far as the type says that there are such.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    @property
    def _label(self) -> str:
        return self._reference.label

    def _source(self) -> Node | None:
        return self._reference.node

    @property
    def is_ready(self) -> bool:
        """Whether the value is known; never while a workflow is being built."""
        return False

    @property
    def val(self) -> NoReturn:
        """The value; never known while a workflow is being built."""
        self._refuse("be read")

    @property
    def ref(self) -> Reference:
        """Where the value will come from."""
        return self._reference

    @property
    def attr_path(self) -> list[str | int]:
        """Which part of the output or input it is: the names and numbers that were accessed, in their order."""
        return list(self._reference.path)

    def __repr__(self) -> str:
        return f"<{self._label}>"

    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        """A field of the value; `outputs` means those of the node, unless the value has a field of that name."""
        if name.startswith("_"):
            raise AttributeError(name)
        annotation = self._reference.annotation
        fields = fields_of(annotation)
        if name == "outputs" and "outputs" not in (fields or ()):
            return self._ordered().outputs
        if fields is None:
            raise authoring_error(f"{self._label} is a {describe(annotation)}, which has no field '{name}'")
        if name not in fields:
            raise authoring_error(f"{self._label} has no field '{name}'; it has {', '.join(fields) or 'none'}")
        return self._part(name, fields[name], f"{self._label}.{name}")

    def __getitem__(self, key: str | int) -> Promise:
        if not isinstance(key, str | int) or isinstance(key, bool):
            self._refuse(f"be indexed with {key!r}; give a constant name or number")
        return self._part(key, part_of(self._reference.annotation, key, self._label), f"{self._label}[{key!r}]")

    def _part(self, key: str | int, annotation: Any, label: str) -> Promise:
        try:
            literal_type = type_registry().literal_type(annotation)
        except ConnectoryError as error:
            raise authoring_error(f"{label} cannot be given to a task: {error}") from error
        path = (*self._reference.path, key)
        part = msgspec.structs.replace(
            self._reference, annotation=annotation, literal_type=literal_type, label=label, path=path
        )
        return Promise(part)

    def _compared(self, operator: _Operator.ValueType, other: object) -> Comparison:
        other = other[0] if isinstance(other, OutputTuple) and len(other) == 1 else other
        if isinstance(other, Promise):
            right: Any = other
            kind, shown = other._reference.literal_type, f"{other._label}, which is "
        else:
            right, kind = constant(other, self._label)
            shown = f"{other!r}, which is "
        mine = self._reference.literal_type
        if not comparable(mine, kind):
            raise authoring_error(
                f"{self._label} is {type_name(mine)} and cannot be compared with {shown}{type_name(kind)}"
            )
        return Comparison(left=self, operator=operator, right=right)

    def __eq__(self, other: object) -> Comparison:  # type: ignore[override]
        return self._compared(_Operator.EQ, other)

    def __ne__(self, other: object) -> Comparison:  # type: ignore[override]
        return self._compared(_Operator.NEQ, other)

    def __lt__(self, other: object) -> Comparison:
        return self._compared(_Operator.LT, other)

    def __le__(self, other: object) -> Comparison:
        return self._compared(_Operator.LTE, other)

    def __gt__(self, other: object) -> Comparison:
        return self._compared(_Operator.GT, other)

    def __ge__(self, other: object) -> Comparison:
        return self._compared(_Operator.GTE, other)

    def is_(self, value: bool) -> Comparison:
        """The condition that this truth value is as given."""
        return self._compared(_Operator.EQ, value)

    def is_true(self) -> Comparison:
        """The condition that this truth value is true."""
        return self.is_(True)

    def is_false(self) -> Comparison:
        """The condition that this truth value is false."""
        return self.is_(False)

    def is_none(self) -> Comparison:
        """The condition that this optional value is not there."""
        return self._compared(_Operator.EQ, None)


class VoidPromise(Deferred):
    """What a task without outputs returns: good for ordering, and for nothing else."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def _label(self) -> str:
        return f"the call of '{self._node.entity_name}'"

    def _source(self) -> Node | None:
        return self._node

    def __repr__(self) -> str:
        return f"<{self._label}, which gives nothing>"

    def _compare(self, other: object) -> NoReturn:
        self._refuse(f"be compared with {other!r}")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _compare
    __hash__ = object.__hash__

    def _refuse(self, what: str) -> NoReturn:
        raise authoring_error(f"{self._label} gives nothing, because it declares no outputs, so it cannot {what}")


class OutputTuple(tuple[Promise, ...]):
    """The outputs of a call that gives several, by position and by name."""

    _names: tuple[str, ...]
    _node: Node

    @classmethod
    def of(cls, node: Node, outputs: Mapping[str, Promise]) -> OutputTuple:
        """All outputs of one node, in the order in which they are declared."""
        made = cls(outputs.values())
        made._names = tuple(outputs)
        made._node = node
        return made

    def __getattribute__(self, name: str) -> Any:
        """Outputs come before whatever else a tuple has: one may be called `count`."""
        names: tuple[str, ...] = object.__getattribute__(self, "__dict__").get("_names", ())
        return self[names.index(name)] if name in names else object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> Promise:
        if name.startswith("_"):
            raise AttributeError(name)
        raise authoring_error(f"'{self._node.entity_name}' has no output '{name}'; it has {', '.join(self._names)}")

    def _source(self) -> Node | None:
        return self._node

    def runs_before(self, other: Any) -> None:
        """Make the other node wait for this one."""
        self._node.runs_before(other)

    def __rshift__(self, other: Any) -> Any:
        self.runs_before(other)
        return other

    def with_overrides(self, **overrides: Any) -> OutputTuple:
        """Change how the node is executed; see `Node.with_overrides`."""
        self._node.with_overrides(**overrides)
        return self


def output_names(outputs: OutputTuple) -> Sequence[str]:
    """The names of a call's outputs, in their order."""
    return outputs._names


def _attribute(part: str | int) -> workflow_pb2.PromiseAttribute:
    if isinstance(part, int):
        return workflow_pb2.PromiseAttribute(int_value=part)
    return workflow_pb2.PromiseAttribute(string_value=part)
