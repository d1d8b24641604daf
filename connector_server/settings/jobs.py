"""What is remembered about jobs, how they are looked after, and how many there may be."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from connectory.connector.limits import LimitChanges

__all__ = ["Jobs"]


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """The settings about the ledger, leases and limits."""

    ledger: Annotated[
        str,
        Meta(
            min_length=1,
            description="What remembers which creates happened: sqlite (a file in the folder for state), the path of"
            " an SQLite file, the postgresql:// URL of a database that replicas share, memory (until the process"
            " ends), or none.",
            examples=["/var/lib/connectory/ledger.sqlite", "postgresql://ledger@db.example/connectory"],
        ),
    ] = "sqlite"
    ledger_lease: Annotated[
        float,
        Meta(
            ge=1,
            le=3600,
            description="Seconds without a sign of life after which replicas that share a PostgreSQL ledger take one of"
            " them for dead, and its creates over.",
            examples=["15"],
        ),
    ] = 15.0
    ambiguous: Annotated[
        dict[str, Literal["fail", "retry", "ask"]],
        Meta(
            description="What a caller hears when nobody can know whether its job was created: fail (ABORTED), retry"
            " (it is created, perhaps a second time) or ask (to come again, until a person has settled it). For all"
            " connectors, or by task type or connector.",
            examples=["sql=retry,*=fail"],
        ),
    ] = field(default_factory=dict)
    on_orphan: Annotated[
        dict[str, Literal["keep", "delete"]],
        Meta(
            description="What happens to jobs that nobody polls any more: keep (they are reported) or delete. For all"
            " connectors, or by task type or connector; else what the connector declares.",
            examples=["sql=delete,*=keep"],
        ),
    ] = field(default_factory=dict)
    lease: Annotated[
        dict[str, Annotated[float, Meta(ge=0)]],
        Meta(
            description="Seconds after its latest poll when nobody looks after a job any more; 0: never. For all"
            " connectors, or by task type or connector; else what the connector declares.",
            examples=["sql=600,*=3600"],
        ),
    ] = field(default_factory=dict)
    limits: Annotated[
        dict[str, LimitChanges],
        Meta(
            description="How much of its external system a connector may use with each credential: jobs,"
            " creates_per_second, create_burst, polls_per_second, poll_burst, wait (seconds for a turn) and queue. For"
            " all connectors, or by task type or connector; what is not said is as the connector declares.",
            examples=["sql.jobs=20,sql.creates_per_second=5,*.polls_per_second=50"],
        ),
    ] = field(default_factory=dict)
    reap_every: Annotated[
        float,
        Meta(ge=0, le=86400, description="Seconds between looks after abandoned jobs; 0: never.", examples=["15"]),
    ] = 15.0
