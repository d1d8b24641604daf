"""From queries to SQL: what follows the FROM of a statement, and its values."""

from typing import Any

from connectory.database.contract import Dialect
from workflow_runner.control.queries import Condition, Query

__all__ = ["selecting"]

_OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_FINDERS: dict[Dialect, str] = {"sqlite": "instr", "postgres": "strpos"}


def selecting(dialect: Dialect, query: Query, *ties: str, **equal: Any) -> tuple[str, dict[str, Any]]:
    """Rows whose columns have the values `equal` and that the query wants, one more than its limit.

    `ties` are the columns that decide about the order of rows which are otherwise alike.
    """
    values: dict[str, Any] = dict(equal)
    clauses = [f"{column} = :{column}" for column in equal]
    for number, condition in enumerate(query.conditions):
        names = [f"v{number}_{index}" for index in range(len(condition.values))]
        values.update(zip(names, condition.values, strict=True))
        clauses.append(_clause(dialect, condition, names))
    way = "DESC" if query.descending else "ASC"
    order = ", ".join([f"{query.order.column} {way} NULLS LAST", *(f"{column} {way}" for column in ties)])
    where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    values.update(most=query.limit + 1, first=query.offset)
    return f"{where}ORDER BY {order} LIMIT :most OFFSET :first", values


def _clause(dialect: Dialect, condition: Condition, names: list[str]) -> str:
    column = condition.field.column
    if condition.operator in _OPERATORS:
        return f"{column} {_OPERATORS[condition.operator]} :{names[0]}"
    if condition.operator == "contains":
        return "(" + " OR ".join(f"{_FINDERS[dialect]}({column}, :{name}) > 0" for name in names) + ")"
    listed = ", ".join(f":{name}" for name in names)
    return f"{column} {'NOT ' if condition.operator == 'value_not_in' else ''}IN ({listed})"
