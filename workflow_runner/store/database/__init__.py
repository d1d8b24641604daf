"""One SQL database for all that the runner keeps: the contract, and its implementations by technology."""
