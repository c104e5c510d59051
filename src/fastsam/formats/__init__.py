"""What is written for a photo: one file a format, and the table of their names."""

FORMATS = ("overlay", "coco", "npz")
