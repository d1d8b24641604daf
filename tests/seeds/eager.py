import asyncio

from connectory.authoring import task, workflow
from connectory.extend import EagerAsyncPythonFunctionTask


@task
async def async_sub_task(a: int) -> int:
    await asyncio.sleep(0.001)
    return a * 2


@task(is_eager=True)
async def eager_workflow_task(x: int) -> int:
    # In eager mode, calling async_sub_task directly dispatches a remote execution
    y = await async_sub_task(a=x)
    z = await async_sub_task(a=y)
    return z  # noqa: RET504


@workflow
def my_eager_workflow(input_val: int) -> int:
    return eager_workflow_task(x=input_val)


assert isinstance(eager_workflow_task, EagerAsyncPythonFunctionTask)
