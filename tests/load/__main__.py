"""The long form: `make load`. Ends with 1 when a client saw an error, or a job was lost, doubled or left."""

import argparse
import time

from tests.load.killing import loaded
from tests.postgres import postgres_when_installed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    options = parser.parse_args()
    begun = time.monotonic()
    with postgres_when_installed() as postgres:
        outcome = loaded(postgres.uri, options.jobs)
    complaints = outcome.complaints()
    seconds = time.monotonic() - begun
    said = "; ".join(complaints) or "no error reached a client, none lost, doubled or left"
    print(f"{options.jobs} jobs over two replicas, one killed, in {seconds:.0f} s: {said}")
    return 1 if complaints else 0


if __name__ == "__main__":
    raise SystemExit(main())
