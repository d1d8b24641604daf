"""The ledger: what lets a create happen once per key, over lost answers, restarts and crashes."""

from connectory.connector.ledger.contract import Ledger
from connectory.connector.ledger.memory import MemoryLedger

__all__ = ["Ledger", "MemoryLedger"]
