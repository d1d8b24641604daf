"""Names of Python files as modules: what a file must be imported as so that a fresh process finds it again."""

from pathlib import Path

__all__ = ["find_root", "module_name"]


def find_root(path: Path) -> Path:
    """The folder that must be on `sys.path` so that the file can be imported: the one above its topmost package."""
    folder = path.resolve().parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def module_name(path: Path, root: Path | None = None) -> str:
    """The dotted name of a file relative to its root."""
    relative = path.resolve().relative_to((root or find_root(path)).resolve()).with_suffix("")
    parts = relative.parts[:-1] if relative.name == "__init__" else relative.parts
    return ".".join(parts)
