"""Many jobs over two replicas of the connector server that share a ledger, one of which is killed."""
