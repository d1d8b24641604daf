"""What authors of connectors test with: suites to subclass, task builders, and fakes that are named as fakes.

The suites need pytest and pytest-asyncio; `connectory.testing.wire`, which tries any server at an address, does not.
Names are loaded on first use; `connectory.surface` lists them.
"""

from connectory.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__)
