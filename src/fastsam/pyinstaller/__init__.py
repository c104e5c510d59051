"""Tells PyInstaller where this package's hook is (entry point `pyinstaller40` in pyproject.toml)."""

from pathlib import Path


def hook_folders() -> list[str]:
    """The folders with hooks: this one."""
    return [str(Path(__file__).parent)]
