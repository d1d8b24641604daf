"""A workflow that flytekit's SDK defines, made of tasks that connectors carry out."""

from flytekit import workflow
from flytekit.core.base_task import PythonTask
from flytekit.core.interface import Interface
from flytekit.extend.backend.base_connector import AsyncConnectorExecutorMixin


class Echo(AsyncConnectorExecutorMixin, PythonTask):
    def __init__(self, name):
        super().__init__("echo", name, task_config=None, interface=Interface({"text": str}, {"text": str}))

    def get_custom(self, settings):
        return {}


say = Echo("own_flows.say")


@workflow
def repeated(text: str) -> str:
    return say(text=say(text=text))
