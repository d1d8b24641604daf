"""What a node changes about what it calls."""

__all__ = ["PROGRAMS"]

_SETTINGS = {
    "node_name": 'node_name="My_Node.X"',
    "long_node_name": 'node_name="a_long_name_of_a_node_that_has_fewer_than_sixty_three_letters"',
    "name": 'name="shown"',
    "retries": "retries=3",
    "no_retries": "retries=0",
    "timeout_seconds": "timeout=90",
    "timeout_delta": "timeout=datetime.timedelta(minutes=3)",
    "no_timeout": "timeout=None",
    "interruptible": "interruptible=True",
    "uninterruptible": "interruptible=False",
    "image": 'container_image="registry.example/x:1"',
    "requests_and_limits": 'requests=Resources(cpu="1", mem="1Gi"), limits=Resources(cpu="2", mem="2Gi", gpu="1")',
    "resources": 'resources=Resources(cpu=("1", "2"), mem="3Gi")',
    "ephemeral": 'requests=Resources(ephemeral_storage="1Gi"), limits=Resources(ephemeral_storage="5Gi")',
    "cache": 'cache=True, cache_version="v2"',
    "cache_serialized": 'cache=True, cache_version="v2", cache_serialize=True',
    "cache_object": 'cache=Cache(version="v3", serialize=True)',
    "no_cache": "cache=False",
    "accelerator": 'accelerator=GPUAccelerator("nvidia-tesla-v100")',
    "shared_memory": "shared_memory=True",
    "shared_memory_size": 'shared_memory="2Gi"',
    "accelerator_preset": "accelerator=T4",
    "accelerator_divisible": "accelerator=A100",
    "accelerator_part": "accelerator=A100.partition_2g_10gb",
    "accelerator_whole": "accelerator=A100_80GB.unpartitioned",
    "accelerator_slice": 'accelerator=V5E.partitioned("2x4")',
    "accelerator_and_memory": 'accelerator=GPUAccelerator("nvidia-l4"), shared_memory="1Gi"',
    "aliases": 'aliases={"o0": "renamed"}',
    "everything": (
        'node_name="n", name="s", retries=1, timeout=5, interruptible=True, container_image="i:2", shared_memory=True'
    ),
}

PROGRAMS: dict[str, str] = {
    f"override_{name}": f"""
@task(retries=1, timeout=10, cache=True, cache_version="1")
def step(a: int) -> int:
    return a

@workflow
def wf(a: int) -> int:
    first = step(a=a).with_overrides({text})
    return double(a=first)
"""
    for name, text in _SETTINGS.items()
} | {
    "override_of_nodes": """
@workflow
def wf(text: str):
    first = create_node(say, text=text).with_overrides(retries=2, node_name="first")
    second = create_node(say, text="b").with_overrides(node_name="second", timeout=5)
    first >> second
""",
    "override_of_void": """
@workflow
def wf(text: str):
    say(text=text).with_overrides(retries=2, interruptible=True)
""",
    "override_several_outputs": """
@task
def split(a: int) -> typing.Tuple[int, str]:
    return a, str(a)

@workflow
def wf(a: int) -> int:
    number, text = split(a=a).with_overrides(node_name="both", retries=5)
    say(text=text)
    return number
""",
    "override_of_sub_workflow": """
@workflow
def inner(a: int) -> int:
    return double(a=a)

@workflow
def wf(a: int) -> int:
    return inner(a=a).with_overrides(node_name="sub", name="shown", interruptible=True, retries=2)
""",
    "override_twice": """
@workflow
def wf(a: int) -> int:
    return double(a=a).with_overrides(retries=2).with_overrides(timeout=7)
""",
}
