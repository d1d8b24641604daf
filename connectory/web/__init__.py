"""Calling web servers on behalf of tasks.

Everything that reaches a host which a task names goes through a `HostPolicy`. `connectory.web.client` opens the httpx
client that keeps to one; it is not imported here because httpx takes a while to load: hold it in a `PerLoop`.
"""

from connectory.web.per_loop import PerLoop
from connectory.web.policy import SETTING, HostPolicy
from connectory.web.statuses import StatusSet
from connectory.web.urls import render_url

__all__ = ["SETTING", "HostPolicy", "PerLoop", "StatusSet", "render_url"]
