from connectory.authoring import current_context, task


@task
def my_context_aware_task():
    ctx = current_context()
    ctx.logging.info(f"Task {ctx.task_id.name} running in execution {ctx.execution_id.name}")
    ctx.stats.inc("my_task.runs")
    with open(f"{ctx.working_directory}/output.txt", "w") as f:
        f.write("Hello from task!")
