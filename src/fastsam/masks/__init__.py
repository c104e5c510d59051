"""Masks as coefficients and prototypes, decoded on demand, and their compact forms: RLE, polygons, label map."""
