"""`check_map` for one interface, prepared: most interfaces have a few inputs of simple types."""

from collections.abc import Callable
from typing import TypeAlias

from connectory.types.checking import check_map, simple_fields
from connectory.v1 import interface_pb2, literals_pb2

__all__ = ["MapCheck", "compiled_check"]

MapCheck: TypeAlias = Callable[[literals_pb2.LiteralMap], None]


def compiled_check(variables: interface_pb2.VariableMap) -> MapCheck:
    """A function that raises what `check_map` raises with these variables, and is quick when nothing is wrong."""
    declared = interface_pb2.VariableMap()
    declared.CopyFrom(variables)
    fields = {name: simple_fields(variable.type) for name, variable in declared.variables.items()}
    many = len(fields) if all(fields.values()) else -1

    def check(literals: literals_pb2.LiteralMap) -> None:
        given = literals.literals
        if len(given) == many:
            for name in given:
                if given[name].scalar.primitive.WhichOneof("value") not in fields.get(name, ()):
                    break
            else:
                return
        check_map(literals, declared)

    return check
