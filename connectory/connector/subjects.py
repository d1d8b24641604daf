"""What a request is about, in plain values: every call looks that up first, before anything is made of it."""

from typing import Any, TypeAlias

__all__ = ["Subject", "no_subject", "subject_of_job", "subject_of_task"]

Subject: TypeAlias = tuple[str, int]
"""A task type and its version, as the request has them: nobody may ever have registered that."""


def subject_of_job(request: Any) -> Subject:
    """What a request about an existing job is about. Those of older callers name a task type without a version."""
    category = request.task_category
    name = category.name
    return (name, category.version) if name else (request.task_type, 0)


def subject_of_task(request: Any) -> Subject:
    """What a request with a task's template is about."""
    template = request.template
    return template.type, template.task_type_version


def no_subject(_request: Any) -> None:
    """For requests that are about no task."""
