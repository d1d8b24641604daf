import datetime

from connectory.authoring import TaskMetadata

# Define metadata for a task
my_task_metadata = TaskMetadata(
    cache=True,
    cache_version="v1.0",
    retries=3,
    timeout=datetime.timedelta(minutes=10),
    interruptible=True,
    generates_deck=True,
)
