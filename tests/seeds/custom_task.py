# ruff: noqa: UP006, UP035
from typing import Any, Dict

from connectory import compat as _task_model
from connectory.extend import Interface, PythonCustomizedContainerTask, ShimTaskExecutor


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
