# ruff: noqa: UP006, UP035
from typing import Any, Dict

from connectory import compat as _task_model
from connectory.authoring import task
from connectory.extend import (
    Interface,
    PythonCustomizedContainerTask,
    PythonFunctionTask,
    ShimTaskExecutor,
    TaskPlugins,
)


class MyCustomExecutor(ShimTaskExecutor):
    def execute_from_model(self, tt: _task_model.TaskTemplate, **kwargs) -> Any:
        # Access custom data from the task template
        custom_data = tt.custom
        # Perform business logic using inputs and custom_data
        print(f"Executing with custom data: {custom_data}")
        print(f"Inputs: {kwargs}")
        # Return outputs
        return {"output_key": f"Processed {kwargs.get('input_key', 'nothing')}"}


class MyCustomTaskConfig:
    def __init__(self, message: str):
        self.message = message


class MyCustomTask(PythonCustomizedContainerTask[MyCustomTaskConfig]):
    def __init__(self, name: str, config: MyCustomTaskConfig, **kwargs):
        super().__init__(
            name=name,
            task_config=config,
            container_image="my-custom-image:latest",  # Replace with your actual image
            executor_type=MyCustomExecutor,
            task_type="my_custom_task_type",
            interface=Interface(inputs={"input_key": str}, outputs={"output_key": str}),
            **kwargs,
        )

    def get_custom(self, settings) -> Dict[str, Any]:
        # Serialize custom configuration for the executor
        return {"config_message": self.task_config.message}


# Example usage:
my_task = MyCustomTask(name="my_first_custom_task", config=MyCustomTaskConfig(message="Hello from config!"))


class MyCustomFunctionTask(PythonFunctionTask[MyCustomTaskConfig]):
    def __init__(self, task_config: MyCustomTaskConfig, task_function, **kwargs):
        super().__init__(task_config, task_function, task_type="my_custom_task_type", **kwargs)

    def get_custom(self, settings) -> Dict[str, Any]:
        return {"config_message": self.task_config.message}

    def execute(self, **kwargs) -> Any:
        return my_task.execute(**kwargs)


TaskPlugins.register_pythontask_plugin(MyCustomTaskConfig, MyCustomFunctionTask)


@task(task_config=MyCustomTaskConfig(message="Hello from config!"))
def my_custom_task_func(input_key: str) -> str:
    # This function body is not executed, only its signature is used for interface
    raise NotImplementedError


class UnknownConfig:
    """A config that no task class is registered for."""


@task(task_config=UnknownConfig())
def plain_task_func(input_key: str) -> str:
    return input_key
