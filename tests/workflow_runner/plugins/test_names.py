"""Names of what plugins create."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_runner.naming import generated_name

KEYS = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=80)
LIMITS = st.one_of(st.none(), st.integers(min_value=8, max_value=70))


@given(KEYS, LIMITS)
def test_a_name_is_allowed_everywhere_short_enough_and_always_the_same(key: str, limit: int | None) -> None:
    name = generated_name(key, limit)
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", name)
    assert limit is None or len(name) <= limit
    assert generated_name(key, limit) == name


@given(st.lists(KEYS, unique=True, min_size=2), LIMITS)
def test_different_keys_have_different_names(keys: list[str], limit: int | None) -> None:
    assert len({generated_name(key, limit) for key in keys}) == len(keys)


@pytest.mark.parametrize("limit", [8, 20, 63, None])
def test_thousands_of_attempts_have_names_of_their_own(limit: int | None) -> None:
    keys = [f"e0123456789abcdef/n{node}/{attempt}" for node in range(5000) for attempt in range(4)]
    assert len({generated_name(key, limit) for key in keys}) == len(keys)


def test_as_much_of_the_key_as_there_is_room_for_can_be_read() -> None:
    assert generated_name("plain-name", 63) == "plain-name"
    assert re.fullmatch(r"e1-train-model-0-[a-z0-9]{8}", generated_name("e1/train.model/0", 63))
    assert re.fullmatch(r"e1-train-[a-z0-9]{8}", generated_name("e1/train.model/0", 18))
    assert re.fullmatch(r"[a-z0-9]{8}", generated_name("e1/train.model/0", 8))
    assert generated_name("a.b", None) != generated_name("a-b", None)
