"""The floor below everything durable: one commit for each task of the chain, one for a hundred tasks of the fan-out.

SQLite in a file (WAL, synchronous=FULL), a row for each task, and nothing else.
"""

import sqlite3

from benchmarks.runner.passes import STEPS, WIDTH, answer, folder

TOGETHER = 100


def main() -> None:
    connection = sqlite3.connect(folder() / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE done (number INTEGER, result BLOB)")

    def keep(first: int, count: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        rows = [(number, b"x" * 100) for number in range(first, first + count)]
        connection.executemany("INSERT INTO done VALUES (?, ?)", rows)
        connection.execute("COMMIT")

    def chain() -> int:
        x = 0
        for number in range(STEPS):
            x += 1
            keep(number, 1)
        return x

    def fan_out() -> int:
        for first in range(0, WIDTH, TOGETHER):
            keep(first, TOGETHER)
        return sum(range(1, WIDTH + 1))

    answer(chain=chain, fan_out=fan_out)


if __name__ == "__main__":
    main()
