"""How a Job is called, so that one key is one Job."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from connectory.errors import AlreadyExistsError

__all__ = ["GIVEN_UP", "JOB_LABEL", "KEY", "NAME", "check_key", "key_hash", "name_of"]

JOB_LABEL: Final = "connectory/job"
"""The label of a Job and of its pod; its value is the Job's name."""
KEY: Final = "connectory/key"
"""The annotation with the hash of the idempotency key."""
GIVEN_UP: Final = "connectory/given-up"
"""The annotation of a Job that was ended because its pod did not start: why."""
NAME: Final = r"connectory-[0-9a-f]{40}"
"""What names look like: pods get six more characters, and all must fit into a label of 63."""


def key_hash(key: str) -> str:
    """The key as an annotation."""
    return hashlib.sha256(key.encode()).hexdigest()


def name_of(key: str) -> str:
    """The name of the key's Job."""
    return f"connectory-{key_hash(key)[:40]}"


def check_key(job: Mapping[str, Any], key: str) -> None:
    """Raise when the Job of this name is not the key's own."""
    metadata = job["metadata"]
    if metadata.get("annotations", {}).get(KEY) == key_hash(key):
        return
    text = f"there is a Job {metadata['name']} in namespace {metadata['namespace']}, and it was not made for this task"
    raise AlreadyExistsError(f"{text}; delete it, or start the task under another key")
