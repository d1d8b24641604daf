"""Where programs keep their state."""

import os
from pathlib import Path

import pytest

from connectory.errors import SettingsError
from connectory.places import state_folder


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a user without a home has, in a folder for temporary files that everybody may write to."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / f"connectory-{os.getuid()}"


def test_without_a_home_it_is_a_folder_that_nobody_else_can_read(shared: Path) -> None:
    assert [state_folder({}), state_folder({})] == [shared, shared]
    assert shared.stat().st_mode & 0o777 == 0o700


def test_one_that_others_may_write_to_is_refused(shared: Path) -> None:
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(SettingsError, match=f"{shared} .* set CONNECTORY_HOME"):
        state_folder({})


def test_one_that_leads_elsewhere_is_refused(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    shared.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="set CONNECTORY_HOME"):
        state_folder({})


def test_one_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    me = os.getuid()
    monkeypatch.setattr("os.getuid", lambda: me + 1)
    (tmp_path / f"connectory-{me + 1}").mkdir(mode=0o700)
    with pytest.raises(SettingsError, match="set CONNECTORY_HOME"):
        state_folder({})


def test_what_is_said_comes_before_a_home_and_is_not_made(tmp_path: Path) -> None:
    said = {"CONNECTORY_HOME": str(tmp_path / "said"), "HOME": str(tmp_path / "home")}
    assert state_folder(said) == tmp_path / "said"
    assert state_folder({"HOME": said["HOME"]}) == tmp_path / "home" / ".local" / "state" / "connectory"
    assert list(tmp_path.iterdir()) == []
