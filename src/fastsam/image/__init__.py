"""A user's photo becomes an RGB array, and that array the network's input."""

# Several packages bring the same module cv2; whichever was installed or removed last decides what is there.
REMEDY = (
    "OpenCV (the module cv2) cannot be used: pip uninstall -y opencv-python opencv-python-headless "
    "opencv-contrib-python opencv-contrib-python-headless, then pip install 'opencv-python-headless>=4.12' (or "
    "'opencv-python>=4.12' for windows on a screen): one of them alone"
)

try:
    import cv2

    cv2.imdecodeWithMetadata  # noqa: B018  # since 4.12
except (ImportError, AttributeError) as error:
    raise ImportError(f"{REMEDY} ({error})") from error
