"""Finding the connectors costs little: what is heavy is loaded by the first task that needs it."""

import subprocess
import sys

import pytest

HEAVY = [
    "httpx",
    "httpx2",
    "lightkube",
    "pyarrow",
    "adbc_driver_manager",
    "duckdb",
    "obstore",
    "numpy",
    "pandas",
    "grpc",
]


@pytest.mark.parametrize("package", ["echo", "sleep", "http", "sensor", "k8s_job"])
def test_importing_and_making_a_connector_loads_nothing_heavy(package: str) -> None:
    program = f"""
import sys
from connectors.{package} import connectors
for connector in connectors:
    connector()
print([name for name in {HEAVY} if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert found.stdout.strip() == "[]"
