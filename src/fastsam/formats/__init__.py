"""What is written for a photo: one file a format, and the table of their names."""

# Suffix of the file that a photo gets; coco has none, since it is one file for all photos.
FORMATS = {"overlay": ".png", "coco": "", "npz": ".npz"}
