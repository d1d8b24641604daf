"""The `connectory` command: the one place that knows the connector server and the workflow runner alike."""
