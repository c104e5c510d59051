"""Cut out products

Each large object of a photo as a PNG with a transparent ground, ready for a shop's page.

    python cookbook/cut_out_products.py PHOTO [-o products/] [--most 5] [--box X1,Y1,X2,Y2]...

Without boxes it takes the largest objects that are not parts of others and do not touch the photo's border. A box
around a product gives exactly that one.
"""

import argparse
from pathlib import Path

import cv2

from fastsam import FastSAM

COFFEE = Path(__file__).parent.parent / "examples" / "coffee.png"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("photo", nargs="?", default=COFFEE)
parser.add_argument("-o", "--output", type=Path, default=Path("products"))
parser.add_argument("--most", type=int, default=5, help="number of products")
parser.add_argument("--box", type=lambda text: [float(v) for v in text.split(",")], action="append", default=[])
given = parser.parse_args()

segments = FastSAM()(given.photo)
if given.box:
    products = segments.picked(segments.select(boxes=given.box))  # drawn anew, with exact edges
else:
    height, width = segments.size
    least = height * width / 100  # pixels of a product, and of a part of it that lies apart
    large = segments.refine(min_region_area=least).filter(area=(least, None))
    x1, y1, x2, y2 = large.boxes.T
    whole = large[(x1 > 1) & (y1 > 1) & (x2 < width - 1) & (y2 < height - 1)].filter(inside=0.8)
    products = whole[(-whole.masks.areas).argsort()[: given.most]]

given.output.mkdir(parents=True, exist_ok=True)
for k, product in enumerate(products, 1):
    file = given.output / f"{Path(given.photo).stem}-{k}.png"
    cv2.imwrite(str(file), cv2.cvtColor(product.cutout, cv2.COLOR_RGBA2BGRA))
    print(f"{file}: {product.area} pixels")
