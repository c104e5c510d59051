"""The library inside tools for labelling: napari, osam (and by way of it labelme), and CVAT.

Each tool's package is imported only by the module that the tool itself loads. Nothing else here imports these modules.
"""
