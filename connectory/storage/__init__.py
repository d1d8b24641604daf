"""Objects by URL, wherever they are. Nothing is opened and no object store library is loaded before it is needed."""

from connectory.storage.errors import ObjectExistsError, ObjectNotFoundError
from connectory.storage.info import ObjectInfo
from connectory.storage.storage import Storage, default_storage
from connectory.storage.urls import is_local, local_path

__all__ = [
    "ObjectExistsError",
    "ObjectInfo",
    "ObjectNotFoundError",
    "Storage",
    "default_storage",
    "is_local",
    "local_path",
]
