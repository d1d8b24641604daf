"""What people import to write connectors, tasks and workflows.

Names are loaded on first use: importing `connectory` starts nothing, touches no file, and loads no heavy library.
`connectory.surface` lists them.
"""

from connectory.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__)
