"""Names under which the things of one call are compiled, and which objects they stand for."""

from __future__ import annotations

from threading import RLock
from typing import Any

from connectory.authoring.entity import Entity
from connectory.authoring.gate import Gate

__all__ = ["Names"]


class Names:
    """Gives every object a name that nothing else of its kind has.

    Elsewhere two tasks of one name are an error, because a name is all that is known of them. In the process that
    defines them they are told apart: the second one is called "name (2)". Take the `lock` to compile with them.
    """

    def __init__(self) -> None:
        self.tasks: dict[str, Any] = {}
        """What is run for a task of this name."""
        self.gates: dict[str, Gate] = {}
        """What asks for a signal of this id."""
        self.lock = RLock()
        self._entities: dict[tuple[str, str], Entity] = {}

    def fork(self) -> Names:
        """Names that begin with these, and go on by themselves."""
        names = Names()
        names.tasks.update(self.tasks)
        names.gates.update(self.gates)
        names._entities.update(self._entities)
        return names

    def of(self, entity: Entity) -> str:
        """The name of an object; the same for two that are one and the same."""
        name, number = entity.name, 1
        while True:
            known = self._entities.setdefault((entity.kind, name), entity)
            if known.same_as(entity):
                return name
            number += 1
            name = f"{entity.name} ({number})"
