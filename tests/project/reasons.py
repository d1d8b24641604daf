"""Which reasons the sources give to errors, read from the sources themselves."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from connectory import errors
from connectory.connector.status import to_status
from connectory.errors import ConnectorError

__all__ = ["code_of", "raised"]

ROOT = Path(__file__).parents[2]
ROOMS = ("connectory", "connector_server", "connectors", "workflow_runner")
CODES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip


def code_of(kind: type[ConnectorError]) -> str:
    """The name of the status that an error of this class becomes."""
    return CODES[to_status(kind("")).code]


def kinds() -> dict[str, type[ConnectorError]]:
    """The error classes that cross the wire, by their names."""
    found = {name: getattr(errors, name) for name in errors.__all__}
    return {name: kind for name, kind in found.items() if issubclass(kind, ConnectorError)}


def raised() -> set[tuple[str, str]]:
    """Each reason with each status that it is sent with."""
    trees = [ast.parse(path.read_text()) for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    known = kinds()
    found = {(kind.default_reason, code_of(kind)) for kind in known.values()}
    constants = {name: text for tree in trees for name, text in _constants(tree)}
    for tree in trees:
        found.update(_called(tree, known, constants))
        found.update(_declared(tree, known))
    return found


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield target.id, value.value


def _called(
    tree: ast.Module, known: Mapping[str, type[ConnectorError]], constants: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """`SomeError(..., reason="WORD")`, and with a constant instead of the word."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known):
            continue
        for given in node.keywords:
            if given.arg == "reason":
                word = _word(given.value, constants)
                if word:
                    yield word, code_of(known[node.func.id])


def _word(value: ast.expr, constants: Mapping[str, str]) -> str:
    if isinstance(value, ast.Constant):
        return str(value.value)
    return constants.get(value.id, "") if isinstance(value, ast.Name) else ""


def _declared(tree: ast.Module, known: Mapping[str, type[ConnectorError]]) -> Iterator[tuple[str, str]]:
    """`class Special(SomeError): default_reason = "WORD"`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or node.name in known:
            continue
        bases = [known[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in known]
        for line in node.body:
            if bases and isinstance(line, ast.Assign) and _names(line) == ["default_reason"]:
                yield _word(line.value, {}), code_of(bases[0])


def _names(line: ast.Assign) -> list[str]:
    return [target.id for target in line.targets if isinstance(target, ast.Name)]
