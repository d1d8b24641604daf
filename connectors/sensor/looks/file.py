"""Is the object there?"""

from connectors.sensor.config import FileCheck
from connectors.sensor.filling import Filling
from connectors.sensor.finding import Finding
from connectory.errors import InvalidTaskError
from connectory.storage import Storage

__all__ = ["look"]


def look(check: FileCheck, filling: Filling, storage: Storage) -> Finding:
    """One request for the object's metadata."""
    url = filling.text(check.url)
    if url.lower().startswith(("http://", "https://")):
        problem = "a sensor asks web servers with custom.http, not with custom.file"
        raise InvalidTaskError(problem, fields={"custom.file.url": problem})
    info = storage.head(url)
    shown = filling.shown(check.url)
    if info is None:
        return Finding(met=False, message=f"{shown} is not there yet")
    return Finding(met=True, message=f"{shown} is there", facts={"path": shown, "size": info.size})
