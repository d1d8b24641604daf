"""What the engine has learnt to decide since executions were first kept.

An execution goes on by the rules that it began with: its log, replayed, leads to the same decisions as ever.
"""

from typing import Final

__all__ = ["DEPTH_IS_BOUNDED", "LAUNCH_PLANS_COUNT", "RULES", "SHORT_LISTS_FAIL", "SIGNALS_AGREE"]

DEPTH_IS_BOUNDED: Final = 1
"""From here on, a node that is nested deeper than `scheduling.DEEPEST` fails."""

LAUNCH_PLANS_COUNT: Final = 1
"""From here on, a launch plan that a node starts bounds how much runs inside at once, and says where that writes."""
SHORT_LISTS_FAIL: Final = 1
"""From here on, an array node whose lists have fewer members than must succeed fails before any of them begins."""
SIGNALS_AGREE: Final = 2
"""From here on, code that makes a node fails where that asks for a signal by another type than others do."""
RULES: Final = 2
"""The rules that executions begin with now."""
