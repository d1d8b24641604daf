"""A real S3 server (moto's) as a process of its own, with one bucket."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

__all__ = ["BUCKET", "running_s3"]

BUCKET = "bucket"


@contextmanager
def running_s3(bucket: str = BUCKET) -> Iterator[dict[str, str]]:
    """The environment with which clients find the server.

    A process keeps its connection to a bucket: tests that use the storage of the whole process name one of their own.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    endpoint = f"http://127.0.0.1:{port}"
    try:
        transport = httpx.HTTPTransport(retries=9)  # waits for the server with back-off
        with httpx.Client(transport=transport, timeout=30) as client:
            client.put(f"{endpoint}/{bucket}").raise_for_status()
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "anybody",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.terminate()
        server.wait(10)
