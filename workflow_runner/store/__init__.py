"""Where executions are kept: the contract, and its implementations by technology."""
