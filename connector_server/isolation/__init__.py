"""Connectors in processes of their own: the server's end of them, and the program that such a process runs.

The server starts a child, and both have two ways to talk. A socket pair, the child's standard input, carries the
`messages`: what the child is to serve, what it found, the secrets that it asks for, its log; when the server ends,
however it does, the child reads the end of it and stops. A unix socket in a private folder carries the `calls`.

Everything that must happen once stays in the server: the ledger, limits, leases, access, signatures. The child calls
the connector and converts what it answers.
"""
