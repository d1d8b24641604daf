"""The long form: `make chaos`. Ends with 1 when a single job was lost, doubled or left behind."""

import argparse
import secrets
import time

from tests.chaos.monkey import killed_often


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many processes to kill in all")
    parser.add_argument("--each", type=int, default=25, help="how many of them in one execution")
    parser.add_argument("--seed", type=int, help="where chance begins; without it somewhere else each time")
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    done, failed = 0, 0
    while done < options.kills:
        begun = time.monotonic()
        killed, outcome = killed_often(min(options.each, options.kills - done), seed)
        done += max(killed.total(), 1)
        complaints = outcome.complaints()
        failed += bool(complaints)
        seconds = time.monotonic() - begun
        print(
            f"seed {seed}: killed {killed['runner']} runners and {killed['server']} servers in {seconds:.0f} s,"
            f" {len(outcome.submitted)} jobs: {'; '.join(complaints) or 'none lost, doubled or left'} ({done} kills)",
            flush=True,
        )
        seed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
