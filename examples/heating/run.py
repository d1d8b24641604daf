"""Run the example from start to end: `make run`.

Starts a connector server and an HTTP receiver, lets the data arrive while the sensor already waits, runs the workflow
through the runner, shows the result and where the files are, and stops what it started.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "out" / "heating"
CONNECTORY = [sys.executable, "-m", "connectory_cli"]


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on loopback that keeps what is posted to it."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the workflow's progress is what people watch."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/reports", received
        finally:
            server.shutdown()


@contextmanager
def connector_server(folder: Path) -> Iterator[str]:
    """`connectory serve` as a process of its own on a unix socket; it is stopped at the end."""
    socket = folder / "connectors.sock"
    process = subprocess.Popen([*CONNECTORY, "serve", "--uds", str(socket), "--log-level", "WARNING"])
    try:
        for _ in range(300):
            if process.poll() is not None:
                sys.exit(f"the connector server ended with exit code {process.returncode}")
            asked = [*CONNECTORY, "health", f"unix:{socket}"]
            if socket.exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        else:
            sys.exit("the connector server did not become healthy within 30 s")
        yield f"unix:{socket}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def deliver(names: list[str], inbox: Path) -> None:
    """Let the files arrive, whole, one by one."""
    for name in names:
        time.sleep(1)
        part = inbox / f".{name}"
        shutil.copyfile(str(files("vega_datasets") / "_data" / name), part)
        part.rename(inbox / name)


def main() -> int:
    shutil.rmtree(OUT, ignore_errors=True)
    inbox = OUT / "inbox"
    inbox.mkdir(parents=True)
    names = ["seattle-temps.csv", "sf-temps.csv"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connectory-example-")))
        url, received = stack.enter_context(receiver())
        endpoint = stack.enter_context(connector_server(folder))
        print(f"connector server: {endpoint}\nreceiver:         {url}\n", flush=True)
        threading.Thread(target=deliver, args=(names, inbox), daemon=True).start()
        outcome = subprocess.run(
            [
                *CONNECTORY,
                "run",
                str(HERE / "workflow.py"),
                "heating",
                f"--connectors={endpoint}",
                f"--store=sqlite:///{OUT / 'runner.db'}",
                f"--output-prefix={OUT / 'outputs'}",
                f"--input=seattle={inbox / names[0]}",
                f"--input=san_francisco={inbox / names[1]}",
                f"--input=receiver={url}",
                "--json",
            ],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if outcome.returncode != 0:
        print(outcome.stdout)
        return outcome.returncode
    outputs = json.loads(outcome.stdout)["outputs"]
    if [report["text"] for report in received] != [outputs["summary"]]:
        print(f"the receiver got {received}, not the summary")
        return 1
    chart = OUT / "heating.png"
    shutil.copyfile(outputs["chart"], chart)
    print(f"\n{outputs['summary']}\n")
    print(f"chart:    {chart}")
    print(f"table:    {outputs['table']}")
    print(
        f"history:  {Path(sys.executable).parent / 'connectory'} executions list --store sqlite:///{OUT / 'runner.db'}"
    )
    print(f"receiver: answered {outputs['receipt']} to one report")
    return 0


if __name__ == "__main__":
    sys.exit(main())
