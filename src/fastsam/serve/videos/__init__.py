"""Videos of the page: kept on disk for a while, shown frame by frame, and followed."""
