"""Statuses as tasks write them."""

import pytest

from connectory.errors import InvalidTaskError
from connectory.web import StatusSet


def test_numbers_and_classes() -> None:
    statuses = StatusSet([404, "201", "5XX"], field="custom.expect")

    assert [status for status in (200, 201, 404, 405, 499, 500, 599) if status in statuses] == [201, 404, 500, 599]


@pytest.mark.parametrize("entry", ["ok", "6xx", 99, 1000, "2x", "xxx", ""])
def test_anything_else_is_refused_by_field(entry: int | str) -> None:
    with pytest.raises(InvalidTaskError, match=r"custom.expect\[1\]") as caught:
        StatusSet([200, entry], field="custom.expect")
    assert "custom.expect[1]" in caught.value.fields
