import typing
from datetime import timedelta
from time import sleep

from connectory.authoring import TaskMetadata, task, workflow
from connectory.extend import Interface, PythonTask, context_manager


class WaitForObjectStoreFile(PythonTask):
    """
    Add documentation here for your plugin.
    This plugin creates an object store file sensor that waits and exits only when the file exists.
    """

    _VAR_NAME: str = "path"

    def __init__(
        self,
        name: str,
        poll_interval: timedelta = timedelta(seconds=10),
        **kwargs,
    ):
        super(WaitForObjectStoreFile, self).__init__(  # noqa: UP008
            task_type="object-store-sensor",
            name=name,
            task_config=None,
            interface=Interface(inputs={self._VAR_NAME: str}, outputs={self._VAR_NAME: str}),
            **kwargs,
        )
        self._poll_interval = poll_interval

    def execute(self, **kwargs) -> typing.Any:
        # No need to check for existence, as that is guaranteed.
        path = kwargs[self._VAR_NAME]
        ctx = context_manager.FlyteContext.current_context()
        user_context = ctx.user_space_params
        while True:
            user_context.logging.info(f"Sensing file in path {path}...")
            if ctx.file_access.exists(path):
                user_context.logging.info(f"file in path {path} exists!")
                return path
            user_context.logging.warning(f"file in path {path} does not exists!")
            sleep(self._poll_interval.total_seconds())


sensor = WaitForObjectStoreFile(
    name="my-objectstore-sensor",
    metadata=TaskMetadata(retries=10, timeout=timedelta(minutes=20)),
    poll_interval=timedelta(milliseconds=5),
)


@task
def print_file(path: str) -> str:
    print(path)
    return path


@task
def do_next(path: str) -> int:
    return len(path)


patient = WaitForObjectStoreFile(
    name="my-patient-sensor", metadata=TaskMetadata(timeout=timedelta(hours=1), retries=10)
)


@workflow
def wait_and_run(path: str) -> int:
    # To demonstrate how to create outputs, we will also
    # return the output from the sensor. The output will be the
    # same as the path
    path = patient(path=path)
    return do_next(path=path)


@workflow
def my_workflow(path: str) -> str:
    return print_file(path=sensor(path=path))
