"""Where results are put: whether it can be written to."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from connectory.errors import StorageError
from connectory.storage import default_storage
from connectory_cli.doctor.files import folder
from connectory_cli.doctor.findings import Finding, fail, ok, warn
from connectory_cli.doctor.patient import Patient

__all__ = ["storage"]


def storage(patient: Patient) -> Iterator[Finding]:
    """The prefix below which the runner's nodes write; in an object store a small object is put there and deleted."""
    prefix = patient.places.outputs
    scheme = urlsplit(prefix).scheme
    if scheme in ("", "file"):
        yield from folder("storage", Path(urlsplit(prefix).path if scheme else prefix))
        return
    objects = default_storage()
    if not objects.knows(prefix):
        yield fail("storage", f"{prefix} is no place that is known", "use a path, or an s3://, gs:// or az:// URL")
        return
    if scheme == "memory":
        yield warn("storage", f"{prefix} is in memory, and gone with its process", "use a path or an object store")
        return
    probe = f"{prefix.rstrip('/')}/.connectory-doctor-{uuid4().hex}"
    try:
        objects.write(probe, b"connectory doctor was here")
        objects.delete(probe)
    except StorageError as error:
        yield fail("storage", str(error), "correct the URL, the credentials or their rights: read, write and delete")
        return
    yield ok("storage", f"{prefix} can be written to")
