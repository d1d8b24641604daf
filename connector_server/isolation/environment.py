"""What a connector's process gets of the server's environment variables."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from fnmatch import fnmatchcase

from connector_server.settings import ENVIRONMENT_PREFIX, ServerSettings
from connector_server.settings.isolation import Apart
from connector_server.sources import variables
from connectory.secrets import variable_prefixes

__all__ = ["child_environment"]

_OF_THE_INTERPRETER = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
_OF_CLIENTS = ("CONNECTORY_TOKEN",)
_SAFE_FORKS = {"GRPC_ENABLE_FORK_SUPPORT": "0"}


def child_environment(apart: Apart, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables: those that it may inherit, without the server's settings and secrets, and those set for it.

    gRPC is told to leave forks alone: processes that a connector starts become other programs. What leads the server's
    interpreter to its packages is left out for another interpreter.
    """
    hidden = {*_settings(), *_OF_CLIENTS}
    if apart.python is not None:
        hidden.update(_OF_THE_INTERPRETER)
    secret = tuple(prefix for prefix in variable_prefixes(environ) if prefix)
    inherited = {
        name: value
        for name, value in environ.items()
        if name not in hidden
        and not name.startswith(secret)
        and any(fnmatchcase(name, pattern) for pattern in apart.inherit)
    }
    return {**_SAFE_FORKS, **inherited, **apart.env}


def _settings() -> Iterator[str]:
    for field in fields(ServerSettings):
        yield from variables(ENVIRONMENT_PREFIX, field.name)
