"""What the engine has learnt to decide since executions were first kept.

An execution goes on by the rules that it began with: its log, replayed, leads to the same decisions as ever.
"""

from typing import Final

__all__ = ["LAUNCH_PLANS_COUNT", "RULES"]

LAUNCH_PLANS_COUNT: Final = 1
"""From here on, a launch plan that a node starts bounds how much runs inside at once, and says where that writes."""
RULES: Final = LAUNCH_PLANS_COUNT
"""The rules that executions begin with now."""
