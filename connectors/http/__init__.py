"""HTTP: sends one request and hands its answer back; also answers Flyte's webhook tasks."""

from connectors.http.config import HttpConfig, WebhookConfig
from connectors.http.connector import HttpConnector, WebhookConnector

__all__ = ["HttpConfig", "HttpConnector", "WebhookConfig", "WebhookConnector", "connectors"]

connectors = [HttpConnector, WebhookConnector]
