"""PyInstaller's hook for fastsam: modules imported only by name, and the data files of the package.

The weights, the page and the words are files in the package. Public names and subcommands are imported on first use,
without an import statement that PyInstaller could see.
"""  # noqa: N999  # PyInstaller requires this file name

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

LEFT_OUT = (
    "fastsam.training",
    "fastsam.network",
    "fastsam.export",
    "fastsam.cluster",
    "fastsam.plugins",
    "fastsam.pyinstaller",
)


def wanted(module: str) -> bool:
    """Whether a module is included although no statement imports it."""
    return not module.startswith(LEFT_OUT) and module not in ("fastsam.runtimes.torch", "fastsam.__main__")


excludedimports = ["torch", "ray", "IPython"]  # large; still included if the program itself imports them
datas = collect_data_files("fastsam")
hiddenimports = collect_submodules("fastsam", filter=wanted)
