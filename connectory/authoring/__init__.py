"""What people write tasks and workflows with.

Names are loaded on first use; `connectory.surface` lists them. Those that are also the name of a module here are bound
at once: otherwise a name would mean the module for everybody once somebody has imported that.
"""

from connectory.authoring.conditional import conditional as conditional
from connectory.authoring.dynamic import dynamic as dynamic
from connectory.authoring.eager import eager as eager
from connectory.authoring.map_task import map_task as map_task
from connectory.authoring.task import task as task
from connectory.authoring.workflow import workflow as workflow
from connectory.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__)
