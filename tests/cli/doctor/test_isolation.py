"""Connectors in processes of their own are examined in such processes."""

from pathlib import Path

from connectory_cli.doctor.connectors import connectors
from connectory_cli.doctor.limits import limits
from tests.cli.doctor.patients import messages, patient, told

CRAFTY = "tests.connector_server.isolation.crafty"
DEADLY = "tests.connector_server.isolation.deadly"


def test_they_are_started_and_those_that_cannot_be_are_told(tmp_path: Path) -> None:
    isolation = {CRAFTY: "process", DEADLY: "process"}
    settings = {"modules": [CRAFTY, DEADLY], "isolation": isolation, "limits": {"crafty": {"jobs": 3}}}
    examined = patient(tmp_path, settings=settings, timeout=60.0)
    found = told(connectors, examined)
    good = messages(found, "ok")
    assert "connector Crafty: loads in a process of its own; its health tells whether it can work" in good
    (bad,) = [said for said in messages(found, "fail") if "in a process of its own" in said]
    assert bad.startswith(f"connector {DEADLY}: it was killed by SIGSEGV before it was ready")
    assert not [said for said in messages(told(limits, examined), "warn") if "crafty" in said]
