"""napari's plugin: `napari.yaml` tells napari about it, `panel.py` is what it shows.

`pictures.py` reads images and stacks, `marks.py` reads points and boxes, `labels.py` makes the labels. These three
import nothing of napari's.
"""
