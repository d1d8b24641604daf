from connectory.authoring import conditional, task, workflow


@task
def task_a(x: int) -> str:
    return f"Task A processed {x}"


@task
def task_b(x: int) -> str:
    return f"Task B processed {x}"


@workflow
def conditional_workflow(value: int) -> str:
    return (
        conditional("check_value")
        .if_(value > 10)
        .then(task_a(x=value))
        .elif_(value < 5)
        .then(task_b(x=value))
        .else_()
        .then(task_a(x=0))  # Default path if no conditions met
    )
