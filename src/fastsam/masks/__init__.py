"""Masks, decoded on demand, and their compact forms: RLE, polygons, label map."""
