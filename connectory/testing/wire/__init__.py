"""The conformance kit for any server of the connector protocol, in any language: it is a gRPC client and nothing else.

`run_checks` tries the sentences of the contract one after the other at an address; the suite `WireSuite` of
`connectory.testing` and `connectory connectors check` both use it. Needs no pytest.
"""

from connectory.testing.wire.checks import JOB_CHECKS, SYNC_CHECKS, is_sync, opened, run_check, run_checks
from connectory.testing.wire.outcomes import BrokenError, Check, NotApplicableError, Outcome, Result
from connectory.testing.wire.outside import outage_while_polling, restart_between_create_and_get, unknown_state
from connectory.testing.wire.session import Session
from connectory.testing.wire.subject import Help, Subject

__all__ = [
    "JOB_CHECKS",
    "SYNC_CHECKS",
    "BrokenError",
    "Check",
    "Help",
    "NotApplicableError",
    "Outcome",
    "Result",
    "Session",
    "Subject",
    "is_sync",
    "opened",
    "outage_while_polling",
    "restart_between_create_and_get",
    "run_check",
    "run_checks",
    "unknown_state",
]
