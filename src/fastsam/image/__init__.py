"""Turns a user's photo into an RGB array, and that array into the network's input."""

# Several packages contain the same module cv2, and overwrite or remove each other's files.
REMEDY = (
    "OpenCV (the module cv2) cannot be used: pip uninstall -y opencv-python opencv-python-headless "
    "opencv-contrib-python opencv-contrib-python-headless, then pip install only 'opencv-python-headless>=4.12' (or "
    "only 'opencv-python>=4.12', to open windows on a screen)"
)

try:
    import cv2

    cv2.imdecodeWithMetadata  # noqa: B018  # since 4.12
except (ImportError, AttributeError) as error:
    raise ImportError(f"{REMEDY} ({error})") from error
