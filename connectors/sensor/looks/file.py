"""Is the object there?"""

from connectors.sensor.config import FileCheck
from connectors.sensor.filling import Filling
from connectors.sensor.finding import Finding
from connectory.errors import InvalidTaskError
from connectory.storage import Storage

__all__ = ["look", "rehearse"]


def look(check: FileCheck, filling: Filling, storage: Storage) -> Finding:
    """One request for the object's metadata."""
    url = filling.text(check.url)
    _refuse(url, storage)
    info = storage.head(url)
    shown = filling.text(check.url, masked=True)
    if info is None:
        return Finding(met=False, message=f"{shown} is not there yet")
    return Finding(met=True, message=f"{shown} is there", facts={"path": shown, "size": info.size})


def rehearse(check: FileCheck, filling: Filling, storage: Storage) -> None:
    """Raise an `InvalidTaskError` for a URL that can never be looked at."""
    _refuse(filling.text(check.url, masked=True), storage)


def _refuse(url: str, storage: Storage) -> None:
    problem = ""
    if url.lower().startswith(("http://", "https://")):
        problem = "names a web server, which custom.http asks"
    elif not storage.knows(url):
        problem = "has a scheme that no object store has"
    if problem:
        raise InvalidTaskError(f"custom.file.url {problem}", fields={"custom.file.url": problem})
