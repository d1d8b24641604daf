"""What a list can be asked for, and what would ask too much of the server."""

import pytest

from connectory.errors import InvalidTaskError
from connectory.v1 import control_pb2
from workflow_runner.control.queries import Field, query_of

FIELDS = {"number": Field(column="number", kind="number"), "name": Field(column="name")}


def read(**request: str) -> int:
    """The number of conditions of a request."""
    return len(query_of(control_pb2.ResourceListRequest(**request), FIELDS, order="number").conditions)


def test_filters_of_a_reasonable_size_are_read() -> None:
    assert read(filters="+".join(["eq(number,1)"] * 100)) == 100
    assert read(filters=f"value_in(name,{';'.join(['name'] * 500)})") == 1


@pytest.mark.parametrize(
    ("request_fields", "reason"),
    [
        ({"filters": "+".join(["eq(number,1)"] * 101)}, "more than 100 conditions"),
        ({"filters": f"contains(name,{';'.join(['name'] * 501)})"}, "more than 500 values"),
        ({"filters": "+".join(["eq(number,1)"] * 300_000)}, "3899999 characters, and 65536 are possible"),
        ({"token": "9" * 30}, "was not given by this server"),
        ({"token": "9" * 5000}, "was not given by this server"),
        ({"token": "-1"}, "was not given by this server"),
    ],
)
def test_what_asks_too_much_is_refused(request_fields: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidTaskError, match=reason):
        read(**request_fields)
