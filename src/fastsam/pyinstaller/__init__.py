"""What PyInstaller asks a package for: where its hook lies (entry point `pyinstaller40` in pyproject.toml)."""

from pathlib import Path


def hook_folders() -> list[str]:
    """The folders that hold hooks: this one."""
    return [str(Path(__file__).parent)]
