"""What is written for a photo: one file or folder a format, and the table of their names."""

SEGMENTS = "application/vnd.fastsam.segments+npz"  # type of what `Segments.to_npz` gives

# What a photo's own name gets behind it; coco has nothing, since it is one file for all photos.
FORMATS = {
    "overlay": ".png",
    "coco": "",
    "npz": ".npz",
    "labelme": ".json",
    "yolo": ".txt",
    "polygons": ".geojson",
    "png": "-labels.png",
    "partition": "-partition.png",
    "edges": "-edges.png",
    "cutouts": "-cutouts",
}

# Pixels by which outlines may differ from the masks' own unless a tolerance is given; coco has them only as polygons.
TOLERANCE = {"labelme": 1.0, "yolo": 1.0, "polygons": 0.0, "coco": 0.0}
