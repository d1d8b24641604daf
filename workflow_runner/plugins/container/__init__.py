"""Containers: as jobs of the process connector, by a container runtime or without one, or as Kubernetes Jobs.

The connector services do what is hard (a job that is created once, outlives the runner and is gone when it is deleted);
this plugin says what they are to run, brings the inputs and fetches the outputs.
"""

from workflow_runner.plugins.container.entry import container_plugin

__all__ = ["container_plugin"]
