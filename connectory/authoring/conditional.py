"""`conditional("name").if_(...).then(...).else_().then(...)`: a choice within a workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectory.authoring.arguments import teaching
from connectory.authoring.branch import Branch, BranchCase
from connectory.authoring.calling import output_promises
from connectory.authoring.casting import castable, type_name
from connectory.authoring.conditions import Comparison, Condition, Conjunction
from connectory.authoring.expressions import Variables, expression
from connectory.authoring.graph import Graph, current_graph
from connectory.authoring.location import authoring_error, user_location
from connectory.authoring.nesting import within_depth
from connectory.authoring.node import Node
from connectory.authoring.promise import OutputTuple, Promise, VoidPromise, reference_of, source_node

__all__ = ["ConditionalCase", "ConditionalSection", "conditional"]


@teaching
def conditional(name: str) -> ConditionalSection:
    """Begin a choice; the first case whose condition holds is taken, and only its task or workflow is run.

    Each case takes the result of one call: `.if_(a > 1).then(task(...))`, then any number of `.elif_(...)`, and at the
    end `.else_().then(...)` or `.else_().fail("message")`, whose result is that of the whole. What a case needs must be
    called before the conditional; several steps belong into a sub-workflow.
    """
    graph = current_graph()
    if graph is None:
        raise authoring_error(f"conditional({name!r}) works only in the body of a workflow; use Python's if elsewhere")
    return ConditionalSection(graph, name)


class ConditionalSection:
    """A choice that is being written."""

    def __init__(self, graph: Graph, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise authoring_error(f"a conditional is called by a name, not {name!r}")
        self.name = name
        self._graph = graph
        self._location = user_location()
        self._within = graph.depth
        self._part = graph.open(f"conditional '{name}'")
        self._cases: list[ConditionalCase] = []

    def __repr__(self) -> str:
        return f"<conditional '{self.name}', which has no else_() yet>"

    def if_(self, condition: Condition) -> ConditionalCase:
        """The first case."""
        if self._cases:
            raise authoring_error(f"conditional '{self.name}' has an if_ already; continue with elif_ or else_")
        return self._case(condition, "if_")

    def elif_(self, condition: Condition) -> ConditionalCase:
        """A further case, looked at when none before it was taken."""
        return self._case(condition, "elif_")

    def else_(self) -> ConditionalCase:
        """What happens when no condition holds; the end of the choice."""
        return self._case(None, "else_")

    def _case(self, condition: Condition | None, word: str) -> ConditionalCase:
        if word != "else_" and not isinstance(condition, Comparison | Conjunction):
            raise authoring_error(f"{word} of conditional '{self.name}' is given {condition!r}; {_remedy(condition)}")
        if word != "if_" and not self._cases:
            raise authoring_error(f"conditional '{self.name}' begins with {word}; begin with if_(...)")
        self._require_taken()
        if len(self._part) != len(self._cases):
            raise authoring_error(
                f"the condition of {word} in conditional '{self.name}' calls '{self._part[-1].entity_name}'; call it "
                "before the conditional, and use its result"
            )
        if condition is not None:
            label = f"the condition of {word} in conditional '{self.name}'"
            condition = within_depth(condition, label, within=self._within)
        case = ConditionalCase(self, condition, word)
        self._cases.append(case)
        return case

    def _require_taken(self) -> None:
        for case in self._cases:
            if case.node is None:
                raise authoring_error(f"{case.word} of conditional '{self.name}' has no then(...)")

    def take(self, case: ConditionalCase, value: Any) -> Any:
        """A case was given its result."""
        added = self._part[len(self._cases) - 1 :]
        node = _node_behind(value)
        if node is None or len(added) != 1 or added[0] is not node or _is_part(value):
            raise authoring_error(
                f"then(...) of {case.word} in conditional '{self.name}' {_wrong(node, added)}; it takes the result of "
                "exactly one call, written in the parentheses; several steps belong into a sub-workflow"
            )
        case.node = node
        return self if case.condition is not None else self._end(None)

    def refuse(self, case: ConditionalCase, message: str) -> Any:
        """A case was given an error."""
        if case.condition is not None:
            raise authoring_error(
                f"{case.word} of conditional '{self.name}' fails; only else_() can. Turn the condition around"
            )
        if not isinstance(message, str):
            raise authoring_error(f"fail of conditional '{self.name}' is given {message!r}; give a text")
        self._cases.remove(case)
        if len(self._part) != len(self._cases):
            raise authoring_error(f"else_() of conditional '{self.name}' fails, but calls something")
        return self._end(message)

    def _end(self, failure: str | None) -> Promise | OutputTuple | VoidPromise:
        self._graph.close(self._part)
        variables = Variables()
        nodes = [case.node for case in self._cases if case.node is not None]
        cases = [
            BranchCase(condition=None if case.condition is None else expression(case.condition, variables), node=node)
            for case, node in zip(self._cases, nodes, strict=True)
        ]
        branch = Branch(name=self.name, cases=cases, failure=failure, outputs=self._outputs(nodes))
        graph = self._graph
        node = Node(
            id=graph.next_id(),
            first_id=graph.next_id(),
            entity=branch,
            bindings=variables.bindings(),
            upstream=variables.sources(),
            location=self._location,
        )
        node.outputs = output_promises(graph, node)
        graph.add(node)
        return node.result

    def _outputs(self, nodes: Sequence[Node]) -> Mapping[str, Any]:
        """The outputs that all cases have, with the widest of their types."""
        first, *others = nodes
        found: dict[str, Any] = {}
        for name, promise in first.outputs.items():
            candidates = [promise, *(node.outputs[name] for node in others if name in node.outputs)]
            if len(candidates) == len(nodes):
                found[name] = self._widest(name, candidates)
        return found

    def _widest(self, name: str, promises: Sequence[Promise]) -> Any:
        references = [reference_of(promise) for promise in promises]
        for wide in references:
            if all(castable(other.literal_type, wide.literal_type) for other in references):
                return wide.annotation
        listed = ", ".join(f"{reference.label} is {type_name(reference.literal_type)}" for reference in references)
        raise authoring_error(f"the cases of conditional '{self.name}' give '{name}' in different types: {listed}")


class ConditionalCase:
    """One case of a choice, which waits for what it leads to."""

    def __init__(self, section: ConditionalSection, condition: Condition | None, word: str) -> None:
        self.condition = condition
        self.word = word
        self.node: Node | None = None
        self._section = section

    def then(self, value: Any) -> Any:
        """Lead to the result of one call. Gives the choice, to go on with; at the end, its result."""
        return self._section.take(self, value)

    def fail(self, message: str) -> Any:
        """Let the workflow fail with this message."""
        return self._section.refuse(self, message)


def _node_behind(value: Any) -> Node | None:
    return value if isinstance(value, Node) else source_node(value)


def _is_part(value: Any) -> bool:
    return isinstance(value, Promise) and bool(reference_of(value).path)


def _wrong(node: Node | None, added: Sequence[Node]) -> str:
    if node is None:
        return "is given no result of a call"
    if not added:
        return f"is given the result of '{node.entity_name}', which was called before"
    if len(added) > 1:
        return f"calls {len(added)} things ({', '.join(each.entity_name for each in added)})"
    return "is given only a part of a result"


def _remedy(condition: object) -> str:
    if isinstance(condition, bool):
        return "that is decided already: `and`, `or`, `not` and `is` do not work on results; use &, | and =="
    if isinstance(condition, Promise):
        return "compare it: .is_true(), == 5, > 1"
    return "give a comparison of results or inputs with something: a > 1"
