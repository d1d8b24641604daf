"""Which service names the control API answers under."""

from connectory.rpc.names import ServedService, same
from connectory.v1 import control_pb2

__all__ = ["SERVICES"]

_SHARED = ("AdminService", "SignalService", "DataProxyService", "AuthMetadataService")
_OURS = ("WatchService", "RecoveryService", "LogService")


def _served(name: str, service: str) -> ServedService:
    methods = control_pb2.DESCRIPTOR.services_by_name[service].methods_by_name
    return ServedService(name=name, source=service, methods=same(*methods))


SERVICES: tuple[ServedService, ...] = (
    *(_served(f"connectory.v1.{service}", service) for service in (*_SHARED, *_OURS)),
    *(_served(f"flyteidl.service.{service}", service) for service in _SHARED),
)
"""Every service of the control API that one port answers."""
