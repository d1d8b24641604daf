"""What the operator decides."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.process import ProcessSettings
from connectory.errors import PermissionDeniedError, SettingsError
from tests.connectors.process.conftest import Jobs


def test_only_allowed_executables_run(jobs: Jobs) -> None:
    jobs.allow = ("/usr/bin/ech?", "/bin/ech?", "/usr/lib/*")
    jobs.connector = jobs.another_server()

    assert jobs.run("echo", "hi", outputs={"stdout": str}).outputs == {"stdout": "hi\n"}
    for number, command in enumerate((["cat"], ["/usr/lib/../bin/cat"], ["/bin/sh", "-c", "echo"])):
        with pytest.raises(PermissionDeniedError, match="CONNECTORY_PROCESS_ALLOW"):
            jobs.create(*command, key=str(number))
    with pytest.raises(PermissionDeniedError, match="CONNECTORY_PROCESS_ALLOW"):
        jobs.create("echo", shell=True, key="shell")
    with pytest.raises(PermissionDeniedError, match=r"env\.LD_PRELOAD"):
        jobs.create("echo", key="preload", env={"LD_PRELOAD": "/tmp/x.so"})


def test_settings_come_from_the_environment() -> None:
    settings = ProcessSettings.from_environ(
        {
            "CONNECTORY_PROCESS_DIR": "/jobs",
            "CONNECTORY_PROCESS_ALLOW": "/bin/*: /opt/x",
            "CONNECTORY_PROCESS_KEEP_HOURS": "1",
        }
    )
    assert settings == ProcessSettings(folder=Path("/jobs"), allow=("/bin/*", "/opt/x"), keep=timedelta(hours=1))


def test_the_folder_is_the_users_own_by_default() -> None:
    folders = [
        ProcessSettings.from_environ(environ).folder
        for environ in ({"XDG_STATE_HOME": "/state", "HOME": "/home/a"}, {"HOME": "/home/a"}, {})
    ]
    assert folders[:2] == [Path("/state/connectory/process"), Path("/home/a/.local/state/connectory/process")]
    assert f"connectory-{os.getuid()}" in str(folders[2])


def test_hours_that_are_no_number_are_refused() -> None:
    with pytest.raises(SettingsError, match="CONNECTORY_PROCESS_KEEP_HOURS is 'week'"):
        ProcessSettings.from_environ({"CONNECTORY_PROCESS_KEEP_HOURS": "week"})


def test_the_folder_is_closed_to_others_and_must_be_usable(jobs: Jobs, tmp_path: Path) -> None:
    jobs.run("true")
    assert jobs.folder.stat().st_mode & 0o777 == 0o700

    (tmp_path / "file").write_text("")
    jobs.folder = tmp_path / "file" / "below"
    with pytest.raises(SettingsError, match="CONNECTORY_PROCESS_DIR"):
        jobs.another_server().check()


def test_old_folders_of_ended_jobs_are_removed_and_running_ones_stay(jobs: Jobs) -> None:
    ended, running = jobs.create("true", key="ended"), jobs.create("sleep", "1000", key="running")
    jobs.wait(ended)
    for job in (ended, running):
        for path in (*jobs.path(job).iterdir(), jobs.path(job)):
            os.utime(path, (0, 0))
    fresh = jobs.another_server()
    created = fresh.create(jobs.context("true", key="next"))
    jobs.created.append(created)

    assert sorted(path.name for path in jobs.folder.iterdir()) == sorted([running.job_id, created.job_id])
