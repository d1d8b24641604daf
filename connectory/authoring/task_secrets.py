"""The secrets of a running task, asked for in the way that Flyte's users know."""

from connectory.secrets import Secrets

__all__ = ["TaskSecrets"]


class TaskSecrets:
    """What `current_context().secrets` is: `get("GROUP", "KEY")`, `get("KEY", group="GROUP")`, or names throughout."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def get(
        self,
        *names: str,
        key: str | None = None,
        group: str | None = None,
        version: str | None = None,
        group_version: str | None = None,
    ) -> str:
        """The secret's text. One name alone is the key; of two, the first is the group.

        Raises MissingSecretError, which says where it was looked for.
        """
        if len(names) > 2 or (len(names) == 2 and (key or group)) or (names and key and group):
            raise TypeError("a secret is named by a key, or by a group and a key")
        if len(names) == 2:
            group, key = names
        elif names and key:
            group = names[0]
        elif names:
            key = names[0]
        if not key and not group:
            raise TypeError("a secret is named by a key, or by a group and a key")
        wanted = group if key is None else key
        return self._secrets.get(wanted or "", group=group if key else None, version=version or group_version)
