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
