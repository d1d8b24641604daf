"""The engine in memory: what plain Python calls of workflows are run by, without a store, a loop or a server."""
