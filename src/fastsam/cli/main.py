"""The table of subcommands, and how errors are shown: as one line, never as a traceback."""

import os
import sys
import warnings
from typing import NoReturn

from cyclopts import App, CycloptsError

from fastsam import __version__
from fastsam.cli.say import complain, say_warnings

app = App(name="fastsam", version=__version__, help="Segment everything in a photo, then pick what you mean.")
app.command(
    "fastsam.cli.segment.command:segment",
    name="segment",
    help="Segment everything in photos, or the objects that points, boxes, masks and words describe.",
)
app.command(
    "fastsam.cli.follow:follow", name="follow", help="Follow what was picked in one frame through a whole video."
)
app.command("fastsam.cli.serve:serve", name="serve", help="Open the page, and serve it and its API.")
app.command("fastsam.cli.label:label", name="label", help="Label the photos of a folder in the browser.")
app.command("fastsam.cli.page:page", name="page", help="Copy the page that segments in the browser, for a static host.")
app.command("fastsam.cli.train:app", name="train", help="Train a network on COCO-style folders.")
app.command("fastsam.cli.export:export", name="export", help="Write a network as ONNX, in float or 8 bits.")
app.command("fastsam.cli.doctor:doctor", name="doctor", help="Show what this machine has, and test a device.")
weights = App(name="weights", help="List, download and convert models.")
weights.command("fastsam.cli.weights:show", name="list", help="List the models that can be used by name.")
weights.command("fastsam.cli.weights:get", name="get", help="Download a published model.")
weights.command("fastsam.cli.weights:convert", name="convert", help="Convert a file to another format.")
weights.command("fastsam.cli.weights:credits", name="credits", help="Print what open weights were trained on.")
app.command(weights)
cluster = App(name="cluster", help="Segment millions of photos, on this machine or a Ray cluster.")
cluster.command("fastsam.cli.cluster:segment", name="segment", help="Segment every photo of an input; resumes.")
cluster.command("fastsam.cli.cluster:read", name="read", help="Turn a row of the output back into a file.")
app.command(cluster)
evaluate = App(name="eval", help="Figures on annotated sets.")
evaluate.command("fastsam.cli.evaluate.recall:recall", name="recall", help="Average recall of masks and boxes.")
evaluate.command("fastsam.cli.evaluate.edges:edges", name="edges", help="The BSDS500 boundary benchmark.")
evaluate.command("fastsam.cli.evaluate.coverage:coverage", name="coverage", help="What everything mode misses.")
evaluate.command(
    "fastsam.cli.evaluate.prompts:prompts", name="prompts", help="How well clicks and boxes select their object."
)
evaluate.command("fastsam.cli.evaluate.clicks:clicks", name="clicks", help="Number of clicks per object.")
evaluate.command("fastsam.cli.evaluate.instances:instances", name="instances", help="Mask AP with a detector's boxes.")
evaluate.command("fastsam.cli.evaluate.text:text", name="text", help="How well names of categories find objects.")
evaluate.command("fastsam.cli.evaluate.words:words", name="words", help="How often true masks get the right word.")
evaluate.command(
    "fastsam.cli.evaluate.follow:follow", name="follow", help="How well an object is followed through a video: J and F."
)
evaluate.command("fastsam.cli.evaluate.track:track", name="track", help="How well ids stay with objects in videos.")
app.command(evaluate)
bench = App(name="bench", help="Speeds, as ratios within one run.")
bench.command("fastsam.cli.bench.stages:stages", name="stages", help="Each stage of one photo, warm and cold.")
bench.command("fastsam.cli.bench.stream:stream", name="stream", help="A folder or a video against the bare network.")
bench.command("fastsam.cli.bench.training:training", name="training", help="Training against the bare network.")
bench.command("fastsam.cli.bench.prompts:prompts", name="prompts", help="Prompts, after a photo is segmented.")
bench.command("fastsam.cli.bench.refine:refine", name="refine", help="The second network against the first.")
bench.command("fastsam.cli.bench.video:video", name="video", help="Segmenting, tracking and writing a video.")
app.command(bench)


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 some photos failed, 2 invalid arguments."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # our own line names a broken photo
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # and a broken video
    try:
        with warnings.catch_warnings():
            say_warnings()
            code = app(sys.argv[1:], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _fail(" ".join(str(error).split()))
    except ValueError as error:
        _fail(str(error))
    except ImportError as error:  # a broken installation, such as two builds of OpenCV in one place
        _fail(str(error.__cause__ or error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> NoReturn:
    complain(message)
    sys.exit(2)
