"""Pre-label a folder for Label Studio

One task per photo, with a polygon around each object, so that people correct outlines instead of drawing them.

    python cookbook/prelabel_folder.py FOLDER [-o tasks.json] [--label object] [--root FOLDER]

In Label Studio: start it with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and
LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=ROOT, add FOLDER as local storage, use the labelling configuration that is
printed, import tasks.json. A backend that answers clicks while people label is `fastsam serve --label-studio`.
"""

import argparse
import json
from pathlib import Path
from urllib.parse import quote

import cv2

from fastsam import FastSAM

EXAMPLES = Path(__file__).parent.parent / "examples"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder", nargs="?", type=Path, default=EXAMPLES)
parser.add_argument("-o", "--output", type=Path, default=Path("tasks.json"))
parser.add_argument("--label", default="object")
parser.add_argument("--root", type=Path, help="Label Studio's document root; the folder above FOLDER by default")
given = parser.parse_args()
root = (given.root or given.folder.resolve().parent).resolve()

tasks = []
for file, segments in FastSAM().stream(given.folder):
    height, width = segments.size
    results = []
    for segment in segments.filter(conf=0.1, area=(height * width / 1000, None)):
        # Label Studio has no holes: a polygon is the outline of a mask's largest part, in percent of the photo's sides.
        outline = max((p.outline for p in segment.polygons), key=cv2.contourArea)
        result = {"from_name": "label", "to_name": "image", "type": "polygonlabels", "score": segment.score}
        result |= {"original_width": width, "original_height": height, "image_rotation": 0}
        points = (outline[:: max(1, len(outline) // 200)] / (width, height) * 100).round(3).tolist()
        results.append(result | {"value": {"points": points, "closed": True, "polygonlabels": [given.label]}})
    address = "/data/local-files/?d=" + quote(Path(file).resolve().relative_to(root).as_posix())
    tasks.append({"data": {"image": address}, "predictions": [{"model_version": "fastsam", "result": results}]})
    print(f"{file}: {len(results)} objects")

given.output.write_text(json.dumps(tasks))
print(
    f'<View><Image name="image" value="$image"/><PolygonLabels name="label" toName="image">\n'
    f'<Label value="{given.label}"/></PolygonLabels></View>'
)
