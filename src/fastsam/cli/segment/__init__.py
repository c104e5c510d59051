"""`fastsam segment`: photos in; pictures, annotations, arrays or JSON out. `command` has the path of one photo."""
