"""A Kubernetes cluster for tests: the real API server and controllers, and a kubelet that is none."""
