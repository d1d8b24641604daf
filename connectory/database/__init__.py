"""One SQL database for all that the runner and the ledger keep: the contract, and its implementations by technology."""
