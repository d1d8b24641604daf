"""Templates in double braces: `render` for plain text, `bind` for queries."""

from connectory.templating.sql import ParamStyle, bind
from connectory.templating.text import render

__all__ = ["ParamStyle", "bind", "render"]
