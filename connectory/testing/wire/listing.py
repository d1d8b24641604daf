"""Checks of what the server says about itself: its connectors, and its health."""

import grpc
from grpc_health.v1 import health_pb2

from connectory.testing.wire.outcomes import Check, require
from connectory.testing.wire.session import Session
from connectory.v1 import connector_pb2 as pb

__all__ = ["CHECKS", "listed", "offered"]

Code = grpc.StatusCode


async def listed(session: Session) -> pb.Connector | None:
    """The connector of the task's category as the server lists it."""
    answer = await session.ask("ListConnectors", pb.ListConnectorsRequest())
    require(answer.ok, f"ListConnectors answered {answer}")
    category = session.task.category
    for connector in answer.message.connectors:
        names = {(one.name, one.version) for one in connector.supported_task_categories}
        if (category.name, category.version) in names:
            found: pb.Connector = connector
            return found
    return None


async def offered(session: Session) -> set[str] | None:
    """The categories that the server lists, as NAME@VERSION; None: it lists nothing at all."""
    answer = await session.ask("ListConnectors", pb.ListConnectorsRequest())
    if not answer.ok:
        return None
    return {
        f"{category.name}@{category.version}"
        for connector in answer.message.connectors
        for category in connector.supported_task_categories
    }


async def lists(session: Session) -> None:
    """The category is listed, and its connector can be asked for by name."""
    connector = await listed(session)
    require(connector is not None, f"ListConnectors names no connector for {session.task.category}")
    assert connector is not None
    answer = await session.ask("GetConnector", pb.GetConnectorRequest(name=connector.name))
    require(answer.ok, f"GetConnector answered {answer} for {connector.name!r}, which ListConnectors names")
    require(answer.message.connector == connector, "GetConnector and ListConnectors describe it differently")


async def unknown_name(session: Session) -> None:
    """A connector that does not exist."""
    answer = await session.ask("GetConnector", pb.GetConnectorRequest(name="no such connector"))
    require(answer.code is Code.NOT_FOUND, f"GetConnector answered {answer}")


async def health(session: Session) -> None:
    """The standard health service, as Kubernetes asks it."""
    answer = await session.ask("Health", health_pb2.HealthCheckRequest())
    require(answer.ok, f"grpc.health.v1.Health/Check answered {answer}")
    serving = answer.message.status == health_pb2.HealthCheckResponse.SERVING
    require(serving, f"it is {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.message.status)}")
    answer = await session.ask("Health", health_pb2.HealthCheckRequest(service="no.such.Service"))
    require(answer.code is Code.NOT_FOUND, f"for a service that does not exist it answered {answer}")


CHECKS = (
    Check(
        name="listed",
        promise="ListConnectors names the connector with its categories, and GetConnector describes it alike.",
        run=lists,
    ),
    Check(name="unknown-connector", promise="GetConnector of an unknown name is NOT_FOUND.", run=unknown_name),
    Check(
        name="health", promise="grpc.health.v1 answers SERVING for the server, NOT_FOUND for what is none.", run=health
    ),
)
