"""The user's file, and what is wrong with it in one sentence that points to the user's line."""

import traceback
from pathlib import Path
from types import ModuleType

from connectory.authoring.loading import load_module
from connectory.authoring.modules import find_root
from connectory.errors import AuthoringError, ConnectoryError

__all__ = ["load"]


def load(file: Path) -> ModuleType:
    """The module in a file. Whatever the file raises while it is loaded becomes an AuthoringError."""
    try:
        return load_module(file)
    except ConnectoryError:
        raise
    except SyntaxError as error:
        raise AuthoringError(f"SyntaxError: {error.msg}", location=f"{error.filename}:{error.lineno}") from error
    except Exception as error:
        raise AuthoringError(f"{type(error).__name__}: {error}", location=_location(error, file)) from error


def _location(error: Exception, file: Path) -> str:
    """The innermost line of the user's own code that was running."""
    root = str(find_root(file.absolute()))
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(root) and "site-packages" not in frame.filename]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else str(file)
