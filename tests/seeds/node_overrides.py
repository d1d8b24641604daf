import datetime

from connectory.authoring import Resources, task, workflow


@task
def my_resource_intensive_task(a: int) -> int:
    return a + 1


@workflow
def my_workflow_with_overrides(x: int) -> int:
    # Call the task, then apply overrides to the resulting node
    node = my_resource_intensive_task(a=x).with_overrides(
        node_name="custom_node_name",
        requests=Resources(cpu="1", mem="2Gi"),
        limits=Resources(cpu="2", mem="4Gi"),
        timeout=datetime.timedelta(minutes=5),
        retries=1,
        cache=True,
        cache_version="v2",
    )
    return node.outputs["o0"]
