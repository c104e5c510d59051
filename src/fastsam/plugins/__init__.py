"""The library inside tools for labelling: napari, and labelme by way of osam.

Each tool's package is imported only by the module that the tool itself loads. Nothing else here imports these modules.
"""
