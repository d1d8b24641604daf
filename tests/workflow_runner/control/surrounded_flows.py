"""Python tasks that tell their surroundings, with and without a pod around them."""

import os

from connectory import task, workflow
from connectory.authoring import PodTemplate

pod = PodTemplate({"containers": [{"name": "primary", "env": [{"name": "OF_POD", "value": "pod"}]}]})


def told() -> str:
    return " ".join(f"{name}={os.environ.get(name)}" for name in ("OF_TASK", "OF_POD", "OF_EXECUTION"))


@task(environment={"OF_TASK": "task"})
def alone() -> str:
    return told()


@task(environment={"OF_TASK": "task"}, pod_template=pod)
def within() -> str:
    return told()


@workflow
def surrounded() -> tuple[str, str, str]:
    return alone(), within(), alone().with_overrides(pod_template=pod)
