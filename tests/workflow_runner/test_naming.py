"""What an execution may be called."""

import pytest

from connectory.errors import SettingsError
from workflow_runner.naming import require_execution_id


@pytest.mark.parametrize("name", ["a", "0", "nightly-2026_11", "x" * 63])
def test_a_name_that_fits_into_paths_and_keys_is_taken(name: str) -> None:
    require_execution_id(name)


@pytest.mark.parametrize("name", ["", "../up", "a/b", "-a", "_a", "a b", "a\n", "é", "x" * 64])
def test_any_other_is_refused_by_what_its_author_calls_it(name: str) -> None:
    with pytest.raises(SettingsError, match=r"--name .* cannot be used: .* write 1 to 63 letters"):
        require_execution_id(name, called="--name")
