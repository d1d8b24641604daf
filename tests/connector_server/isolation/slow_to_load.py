"""Connectors that take a minute to load, so that a server can be stopped while it waits for them."""

import time

print("loading", flush=True)
time.sleep(60)
