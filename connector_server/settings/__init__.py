"""The connector server's settings, and where they come from.

Order of precedence: what the program is called with (command line), `CONNECTORY_*` in the environment, the YAML file
named by `config`, the defaults. Importing this room loads neither grpc nor a connector.

A setting is declared in the file of its topic (`listening`, `access`, `running`, `isolation`, `jobs`); `changes` says
which of them take effect while the server runs.
"""

from connector_server.settings.listening import DEFAULT_ADDRESS
from connector_server.settings.model import ServerSettings, explanations
from connector_server.settings.refusals import ENVIRONMENT_PREFIX

__all__ = ["DEFAULT_ADDRESS", "ENVIRONMENT_PREFIX", "ServerSettings", "explanations"]
