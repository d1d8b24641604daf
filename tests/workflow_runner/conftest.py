"""What tests of the runner share."""

from tests.postgres import postgres_server
from tests.workflow_runner.site import site
from tests.workflow_runner.store.postgres import postgres_url

__all__ = ["postgres_server", "postgres_url", "site"]
