"""The page of errors has every reason that the sources give, with its status, and none that nobody gives."""

import re
from pathlib import Path

from connectory import errors
from connectory.errors import ConnectorError
from tests.project.reasons import code_of, kinds, raised

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()
COMPOSED = {
    ("HTTP_STATUS", "FAILED_PRECONDITION"),
    ("HTTP_STATUS", "UNAVAILABLE"),
    ("HTTP_STATUS", "RESOURCE_EXHAUSTED"),
}
"""A reason with a number in it, which is put together when it is raised."""
PEOPLE = ("the task's author", "the caller", "the operator", "nobody", "the connector's author")


def rows() -> list[list[str]]:
    """The rows of all tables of reasons: reason, status, [error,] who acts, again, meaning."""
    found = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \| ([A-Z_]+) \|(.*)\|$", PAGE, re.MULTILINE)
    return [[reason, code, *(cell.strip() for cell in rest.split(" | "))] for reason, code, rest in found]


def test_every_reason_is_on_the_page_with_its_status() -> None:
    said = {(row[0], row[1]) for row in rows()}
    assert raised() - said == set(), "explain these in docs/errors.md"


def test_no_reason_is_on_the_page_that_nobody_gives() -> None:
    said = {(row[0], row[1]) for row in rows()}
    assert said - raised() == COMPOSED


def test_every_row_says_who_acts_and_whether_to_ask_again() -> None:
    retryable = {code_of(kind) for kind in kinds().values() if kind.retryable}
    listed = rows()
    assert len({(row[0], row[1]) for row in listed}) == len(listed)
    for reason, code, *rest in listed:
        who, again, meaning = rest[-3:]
        assert who in PEOPLE, reason
        assert again == ("yes" if code in retryable else "no"), f"{reason} is {code}"
        assert meaning, reason


def test_every_class_of_error_is_on_the_page() -> None:
    for name in errors.__all__:
        assert f"`{name}`" in PAGE
    for name, kind in kinds().items():
        (row,) = [row for row in rows() if row[2] == f"`{name}`"]
        assert row[:2] == [kind.default_reason, code_of(kind)]
    assert issubclass(errors.RateLimitedError, ConnectorError)
