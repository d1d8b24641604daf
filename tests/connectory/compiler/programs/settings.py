"""Every setting of a task by itself."""

__all__ = ["PROGRAMS"]

_SETTINGS = {
    "retries": "retries=3",
    "timeout": "timeout=datetime.timedelta(hours=1)",
    "timeout_seconds": "timeout=45",
    "cache": 'cache=True, cache_version="1"',
    "cache_serialize": 'cache=True, cache_version="1", cache_serialize=True',
    "cache_ignore": 'cache=True, cache_version="1", cache_ignore_input_vars=("b",)',
    "cache_object": 'cache=Cache(version="2", serialize=True, ignored_inputs=("a",))',
    "interruptible": "interruptible=True",
    "uninterruptible": "interruptible=False",
    "deprecated": 'deprecated="gone soon"',
    "image": 'container_image="registry.example/image:3"',
    "environment": 'environment={"X": "1", "A": "2"}',
    "requests": 'requests=Resources(cpu="500m", mem="1Gi")',
    "limits": 'limits=Resources(cpu="2", gpu="1", ephemeral_storage="5Gi")',
    "resources": 'resources=Resources(cpu=("1", "2"), mem=("1Gi", "2Gi"), gpu="1")',
    "resources_list": 'resources=Resources(cpu=["1", "2"], mem=["1Gi", "2Gi"])',
    "deck_of_inputs": "enable_deck=True, deck_fields=(DeckField.INPUT, DeckField.TIMELINE)",
    "everything": (
        'retries=1, timeout=5, interruptible=True, environment={"A": "1"}, limits=Resources(cpu="1"), '
        'labels={"a": "b"}, cache=Cache(version="1"), enable_deck=True, shared_memory="1Gi", deprecated="soon"'
    ),
    "secret": 'secret_requests=[Secret(group="g", key="k")]',
    "secret_file": (
        'secret_requests=[Secret(group="g", key="k", group_version="2", mount_requirement=Secret.MountType.FILE)]'
    ),
    "secret_env": (
        'secret_requests=[Secret(group="g", key="k", mount_requirement=Secret.MountType.ENV_VAR, env_var="K")]'
    ),
    "deck": "enable_deck=True",
    "no_deck": "disable_deck=True",
    "deck_of_old": "disable_deck=False",
    "labels": 'labels={"team": "a"}, annotations={"note": "b"}',
    "accelerator": "accelerator=L4, shared_memory=True",
    "accelerator_part": 'limits=Resources(gpu="1"), accelerator=A100.partition_1g_5gb',
    "pod_template_name": 'pod_template_name="gpu-pod"',
}

PROGRAMS: dict[str, str] = {
    f"task_{name}": f"""
@task({text})
def step(a: int, b: str = "b") -> int:
    return a

@workflow
def wf(a: int) -> int:
    return step(a=a)
"""
    for name, text in _SETTINGS.items()
}
