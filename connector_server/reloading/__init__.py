"""A server that changes while it runs: its settings read again, its connectors loaded anew.

Three things ask for it: SIGHUP, the Reload RPC, and the configuration file when it is watched. `Reloads` does it in one
process. With several workers the supervisor reads the settings, so that they are the same for all, and tells each
worker.
"""
