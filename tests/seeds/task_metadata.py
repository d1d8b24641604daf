import datetime

from connectory.authoring import TaskMetadata, task

# Define metadata for a task
my_task_metadata = TaskMetadata(
    cache=True,
    cache_version="v1.0",
    retries=3,
    timeout=datetime.timedelta(minutes=10),
    interruptible=True,
    generates_deck=True,
)


# This metadata would then be associated with a task definition
@task(metadata=my_task_metadata)
def my_task(name: str) -> str:
    return f"Hello, {name}!"
