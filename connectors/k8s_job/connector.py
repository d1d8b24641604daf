"""The connector of Kubernetes Jobs."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from connectors.k8s_job.clusters import Clusters
from connectors.k8s_job.config import KubernetesJob, KubernetesJobConfig
from connectors.k8s_job.data import is_carried, place_of, put_inputs
from connectors.k8s_job.endings import ended
from connectors.k8s_job.hardware import accelerator_selector
from connectors.k8s_job.identity import GIVEN_UP, check_key, name_of
from connectors.k8s_job.logs import LogToken, pages
from connectors.k8s_job.looking import own_job, own_pod
from connectors.k8s_job.manifest import job_manifest
from connectors.k8s_job.pod import Carrier, pod_spec
from connectors.k8s_job.program import Program, program_of
from connectors.k8s_job.results import broken, left, succeeded
from connectors.k8s_job.settings import KubernetesSettings
from connectors.k8s_job.standing import standing_of
from connectory.connector.contract import (
    AsyncConnector,
    CreateContext,
    JobContext,
    LogLink,
    LogPage,
    LogRequest,
    Resource,
)
from connectory.errors import (
    AlreadyExistsError,
    InvalidTaskError,
    NotFoundError,
    UnavailableError,
)

if TYPE_CHECKING:
    from connectors.k8s_job.cluster import Cluster

__all__ = ["KubernetesJobConnector"]

_CONFIRM_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.1


class KubernetesJobConnector(AsyncConnector[KubernetesJobConfig, KubernetesJob]):
    """Runs a container as a Job, once per key."""

    name: ClassVar[str] = "Kubernetes Job"
    task_type = "k8s_job"

    def __init__(self, settings: KubernetesSettings | None = None) -> None:
        self._settings = settings or KubernetesSettings.from_environ(os.environ)
        self._clusters = Clusters(self._settings)

    async def create(self, ctx: CreateContext[KubernetesJobConfig]) -> KubernetesJob:
        """Create the Job unless it was created under this key before; then this is that Job."""
        program = program_of(ctx)
        cluster, namespace = self._clusters.of_task(ctx.config)
        job = self._job(ctx, program, namespace)
        carrier = None
        if job.carried:
            carrier = Carrier(self._settings.data_image(), job.data, self._settings.storage_secrets)
            await asyncio.to_thread(put_inputs, ctx, program, job.data)
        base, account = await self._base(ctx, cluster, namespace), ctx.metadata.k8s_service_account
        selector = accelerator_selector(program.hardware, self._settings)
        spec = pod_spec(program, ctx.config, base, account=account, selector=selector, carrier=carrier)
        made = await self._create(cluster, ctx, namespace, job_manifest(ctx, program, spec, carried=job.carried))
        return _with_uid(job, made)

    async def find(self, key: str, ctx: CreateContext[KubernetesJobConfig]) -> KubernetesJob | None:
        """The Job of this key; its name says which that is."""
        program = program_of(ctx)
        cluster, namespace = self._clusters.of_task(ctx.config)
        made = await cluster.job(namespace, name_of(key))
        if made is None:
            return None
        check_key(made, key)
        return _with_uid(self._job(ctx, program, namespace), made)

    async def get(self, job: KubernetesJob, ctx: JobContext) -> Resource:
        """Where the Job is, by itself and its pod. A Job that is gone is known by the outputs that it left."""
        cluster = self._clusters.of_job(job)
        made = await own_job(cluster, job)
        if made is None:
            return await self._gone(job, ctx)
        pod = await own_pod(cluster, job)
        info = _info(job, pod)
        links = self._links(job, pod)
        kind = ended(made)
        if kind == "Complete":
            reported = await asyncio.to_thread(succeeded, job, ctx, info)
        elif kind == "Failed":
            reported = await asyncio.to_thread(broken, job, made, pod, ctx, info)
        else:
            return await self._going_on(cluster, job, made, pod, info, links)
        return _linked(reported, links)

    async def delete(self, job: KubernetesJob, ctx: JobContext) -> None:
        """Delete the Job with its pods, and confirm that they are gone."""
        cluster = self._clusters.of_job(job)
        await cluster.delete_job(job.namespace, job.name, job.uid)
        until = asyncio.get_running_loop().time() + _within(ctx, _CONFIRM_SECONDS)
        while await own_job(cluster, job) is not None or await own_pod(cluster, job) is not None:
            if asyncio.get_running_loop().time() > until:
                raise UnavailableError(f"the Job {job.name} is still ending; ask again")
            await asyncio.sleep(_LOOK_SECONDS)

    async def logs(self, job: KubernetesJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        """What the task's own container wrote so far."""
        cluster = self._clusters.of_job(job)
        token = LogToken.read(request.token)
        pod = await own_pod(cluster, job)
        if pod is None and await own_job(cluster, job) is None:
            raise _unknown(job)
        if pod is None:
            return
        since = token.since_seconds(datetime.now(UTC))
        lines = cluster.log(job.namespace, pod["metadata"]["name"], job.container, since)
        async for page in pages(lines, token, request.lines):
            yield page

    async def check(self) -> None:
        """Raise when a cluster that was used before does not answer."""
        await self._clusters.check()

    async def close(self) -> None:
        """Leave the Jobs alone; they are found again."""
        await self._clusters.close()

    def _job(self, ctx: CreateContext[KubernetesJobConfig], program: Program, namespace: str) -> KubernetesJob:
        """The handle, but for what only the cluster knows."""
        name, carried = name_of(ctx.idempotency_key), is_carried(program)
        return KubernetesJob(
            name=name,
            namespace=namespace,
            uid="",
            context=ctx.config.context,
            container=program.name,
            data=place_of(ctx, name, carried=carried),
            carried=carried,
            retryable_exit_codes=ctx.config.retryable_exit_codes,
            schedule_seconds=ctx.config.schedule_seconds,
            start_seconds=ctx.config.start_seconds,
        )

    async def _base(
        self, ctx: CreateContext[KubernetesJobConfig], cluster: "Cluster", namespace: str
    ) -> Mapping[str, Any]:
        """The PodSpec of the PodTemplate that the task names, or else the operator."""
        name = ctx.template.metadata.pod_template_name or self._settings.pod_template
        if not name:
            return {}
        found = await cluster.pod_template(namespace, name)
        if found is None:
            raise InvalidTaskError(f"there is no PodTemplate {name!r} in the namespace {namespace!r}; create it there")
        spec: dict[str, Any] = found.get("spec", {})
        return spec

    async def _create(
        self, cluster: "Cluster", ctx: CreateContext[KubernetesJobConfig], namespace: str, manifest: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The Job as it was created now or before. Where an answer was lost, the cluster is asked what it did."""
        try:
            return await cluster.create_job(namespace, manifest)
        except (AlreadyExistsError, UnavailableError):
            made = await cluster.job(namespace, manifest["metadata"]["name"])
            if made is None:
                raise
        except NotFoundError as error:
            raise InvalidTaskError(error.message, fields={"custom.namespace": error.message}) from error
        check_key(made, ctx.idempotency_key)
        return made

    async def _gone(self, job: KubernetesJob, ctx: JobContext) -> Resource:
        reported = await asyncio.to_thread(left, job, ctx, _info(job, None)) if job.data else None
        if reported is None:
            raise _unknown(job)
        return reported

    async def _going_on(
        self,
        cluster: "Cluster",
        job: KubernetesJob,
        made: Mapping[str, Any],
        pod: Mapping[str, Any] | None,
        info: Mapping[str, Any],
        links: list[LogLink],
    ) -> Resource:
        standing = standing_of(job, made, pod, datetime.now(UTC))
        if standing.given_up and GIVEN_UP not in made["metadata"].get("annotations", {}):
            changes = {"metadata": {"annotations": {GIVEN_UP: standing.message}}, "spec": {"activeDeadlineSeconds": 1}}
            await cluster.patch_job(job.namespace, job.name, changes)
        message = f"given up: {standing.message}" if standing.given_up else standing.message
        return Resource(phase=standing.phase, message=message, custom_info=info, log_links=links)

    def _links(self, job: KubernetesJob, pod: Mapping[str, Any] | None) -> list[LogLink]:
        if pod is None or not self._settings.log_url:
            return []
        names = {
            "namespace": job.namespace,
            "job": job.name,
            "pod": pod["metadata"]["name"],
            "container": job.container,
        }
        uri = self._settings.log_url
        for name, value in names.items():
            uri = uri.replace(f"{{{name}}}", value)
        return [LogLink(name=f"log of {names['pod']}", uri=uri)]


def _with_uid(job: KubernetesJob, made: Mapping[str, Any]) -> KubernetesJob:
    return replace(job, uid=made["metadata"]["uid"])


def _info(job: KubernetesJob, pod: Mapping[str, Any] | None) -> dict[str, Any]:
    info: dict[str, Any] = {"namespace": job.namespace, "job": job.name}
    if pod is not None:
        info |= {"pod": pod["metadata"]["name"], "node": pod["spec"].get("nodeName", "")}
    return info


def _linked(reported: Resource, links: list[LogLink]) -> Resource:
    return replace(reported, log_links=links)


def _unknown(job: KubernetesJob) -> NotFoundError:
    return NotFoundError(
        f"there is no Job {job.name} in the namespace {job.namespace}: somebody deleted it, or its ttl_seconds are over"
    )


def _within(ctx: JobContext, seconds: float) -> float:
    """So many seconds, but not beyond the caller's deadline."""
    if ctx.deadline is None:
        return seconds
    return min(seconds, (ctx.deadline - datetime.now(UTC)).total_seconds())
