"""docs/serving.md says what is so: its sample runs, and its tables name everything there is."""

import re
import subprocess
import sys
from pathlib import Path

from connector_server.names import SERVICES
from connector_server.settings import explanations
from connector_server.settings.changes import LIVE

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")


def test_the_sample_runs() -> None:
    (sample,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    run = subprocess.run([sys.executable, "-c", sample], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("unix:/")
    assert "Echo" in run.stdout


def test_every_setting_is_in_the_table() -> None:
    rows = "".join(re.findall(r"^\|.*?\|", PAGE, re.MULTILINE))
    for name in explanations():
        assert f"`{name}`" in rows, name


def test_the_settings_that_a_running_server_takes_up_are_listed_and_no_others() -> None:
    (listed,) = re.findall(r"These take effect at\s+once:(.*?)\.", PAGE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", listed)) == LIVE


def test_every_served_name_is_in_the_table() -> None:
    for served in SERVICES:
        assert f"`{served.name}`" in PAGE


def test_every_reason_is_in_the_table() -> None:
    folder = Path(__file__).parents[2] / "connector_server"
    for source in folder.glob("*.py"):
        for reason in re.findall(r'reason="(\w+)"', source.read_text(encoding="utf-8")):
            assert f"`{reason}`" in PAGE, reason
