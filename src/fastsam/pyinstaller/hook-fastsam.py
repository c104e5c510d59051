"""PyInstaller's hook for fastsam: modules that are imported by name alone, and the files beside them.

The weights, the page and the words are files in the package. Public names and subcommands are imported when they are
asked for, so that PyInstaller sees no import statement.
"""  # noqa: N999  # PyInstaller's own rule for names

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

LEFT_OUT = ("fastsam.training", "fastsam.network", "fastsam.export", "fastsam.cluster", "fastsam.pyinstaller")


def wanted(module: str) -> bool:
    """Whether a module is taken though nothing imports it."""
    return not module.startswith(LEFT_OUT) and module not in ("fastsam.runtimes.torch", "fastsam.__main__")


excludedimports = ["torch", "ray", "IPython"]  # large, and taken all the same if the program imports them itself
datas = collect_data_files("fastsam")
hiddenimports = collect_submodules("fastsam", filter=wanted)
