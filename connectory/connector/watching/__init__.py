"""Jobs that callers watch: each is polled once for all who watch it, and whoever watches is told what changed."""
