"""A connector of Kubernetes Jobs that has no cluster: its jobs say what they were asked to run."""

from dataclasses import dataclass

from connectory import AsyncConnector, CreateContext, JobContext, Phase, Resource


@dataclass
class Job:
    total: int
    said: str


class JobConnector(AsyncConnector[dict, Job]):
    name = "KubernetesStandIn"
    task_type = "k8s_job"

    async def create(self, ctx: CreateContext[dict]) -> Job:
        container = ctx.template.container
        assert container.image == "busybox"
        assert container.data_config.output_path == "/var/out"
        return Job(ctx.inputs["a"] + ctx.inputs["b"], container.command[-1])

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        return Resource(phase=Phase.SUCCEEDED, outputs={"total": job.total, "said": job.said})

    async def delete(self, job: Job, ctx: JobContext) -> None:
        return
