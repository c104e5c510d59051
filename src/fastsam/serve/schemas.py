"""What requests and answers hold, checked and described for OpenAPI."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, StrictBool, model_validator

Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Point = tuple[Number, Number]
Box = tuple[Number, Number, Number, Number]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Format = Literal[
    "overlay", "coco", "npz", "labelme", "yolo", "polygons", "png", "partition", "edges", "cutouts"
]  # fmt: skip
Tolerance = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False)] | None,
    Field(
        description="Of a file: pixels by which its outlines may be simplified; by default 1 for labelme and yolo, "
        "and 0, which is exact, for polygons and coco."
    ),
]
NO_SETTINGS = {"format", "tolerance", "polygons", "image", "name", "stretch"}  # of how a photo is segmented
Index = Annotated[int, Field(ge=0)]
MOST_PROMPTS = 256  # prompts of a request
RUNS = 1 << 22  # letters or numbers of a mask
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


Side = Annotated[int, Field(ge=1, le=65_535)]


class Sizes(RootModel[dict[str, tuple[Side, Side]]]):
    """Width and height of photos by name."""


class Strict(BaseModel):
    """No unknown fields."""

    model_config = ConfigDict(extra="forbid")


class Options(Strict):
    """How a photo is segmented. The default of a setting is the value stored with the weights."""

    imgsz: Annotated[int, Field(ge=32, le=2048)] | None = None
    conf: Share | None = None
    iou: Share | None = None
    max_det: Annotated[int, Field(ge=1, le=3000)] | None = None
    tile: Annotated[int, Field(ge=256)] | None = None
    stretch: StrictBool = Field(False, description="Percentiles 1 and 99 of all values become black and white.")
    refine: StrictBool = Field(False, description="Whether the second network redraws every mask.")
    format: Format | None = Field(
        None, description="Answer with a file in this format instead of JSON, as on the command line."
    )
    tolerance: Tolerance = None
    polygons: StrictBool = Field(False, description="Of a file of coco: polygons instead of RLE.")


class Photo(Options):
    """A photo in JSON."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"image": PIXEL, "conf": 0.1}]})

    image: str = Field(description="The photo's file in base64, or as a data: URI.", min_length=1)
    name: Annotated[str, Field(max_length=200)] = Field(
        "photo", description="Its file's name, for formats that say it."
    )


class RLE(Strict):
    """A mask in COCO's run-length encoding."""

    size: tuple[Index, Index] = Field(description="Height and width.")
    counts: Annotated[str, Field(max_length=RUNS)] | Annotated[list[Index], Field(max_length=RUNS)]


class Prompt(Strict):
    """Describes one object; a mask must satisfy every part that is given.

    To correct an answer, send all points so far with the mask of that answer.
    """

    points: Annotated[list[Point], Field(max_length=MOST_PROMPTS)] = Field([], description="x, y in photo pixels.")
    labels: Annotated[list[Literal[0, 1]], Field(max_length=MOST_PROMPTS)] | None = Field(
        None, description="1 for foreground, 0 for background, one per point. Default: all 1."
    )
    box: Box | None = Field(None, description="x1, y1, x2, y2 in photo pixels.")
    mask: RLE | None = None
    text: Words | None = None
    exclude: Annotated[list[Words], Field(max_length=MOST_PROMPTS)] = []


class Selection(Strict):
    """Prompts, in the general form or by kind: all `points` together are one, each box, mask and text is one."""

    prompts: Annotated[list[Prompt], Field(max_length=MOST_PROMPTS)] = []
    points: Annotated[list[Point], Field(max_length=MOST_PROMPTS)] = []
    labels: Annotated[list[Literal[0, 1]], Field(max_length=MOST_PROMPTS)] | None = None
    boxes: Annotated[list[Box], Field(max_length=MOST_PROMPTS)] = []
    masks: Annotated[list[RLE], Field(max_length=MOST_PROMPTS)] = []
    texts: Annotated[list[Words], Field(max_length=MOST_PROMPTS)] = []
    exclude: Annotated[list[Words], Field(max_length=MOST_PROMPTS)] = []
    among: list[Index] | None = Field(None, description="Indices of the segments that may answer. Default: all.")
    refine: StrictBool | None = Field(
        None,
        description="Whether a second network draws the answers of points, boxes and masks: by default it does if the "
        "photo is known. False chooses among the segments as they are. Words are always answered by choice.",
    )
    all: StrictBool = Field(
        False, description="True lets a text mean every mask that fits; by default it means one mask per object."
    )
    format: Format | None = Field(
        None, description="Answer with a file in this format instead of JSON, as on the command line."
    )
    tolerance: Tolerance = None
    polygons: StrictBool = Field(False, description="Of a file of coco: polygons instead of RLE.")
    rank: Index = Field(0, description="Of a file: which of each prompt's candidates it holds, 0 for what is meant.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"points": [[300, 200], [30, 380]], "labels": [1, 0]}, {"texts": ["the red cup"]}]
        },
    )

    @model_validator(mode="after")
    def asks(self) -> "Selection":
        if self.format is None and not (self.prompts or self.points or self.boxes or self.masks or self.texts):
            raise ValueError("a selection needs prompts: points, boxes, masks, texts, or prompts")
        return self


class Following(Strict):
    """What to follow through a video: one object per prompt, picked in one frame."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"frame": 12, "prompts": [{"points": [[320, 180]]}]}]}
    )

    frame: Index = Field(0, description="Number of the frame in which the objects are picked, from 0.")
    prompts: Annotated[list[Prompt], Field(min_length=1, max_length=16)]
    backwards: StrictBool = Field(True, description="False keeps what was followed in earlier frames before.")


class Vocabulary(Strict):
    """The words to choose each object's name from."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"words": ["cup", "spoon", "table"]}]})

    words: Annotated[list[Words], Field(min_length=1, max_length=MOST_PROMPTS)]
    all: StrictBool = Field(False, description="True names every mask; by default each object is named once.")
    among: list[Index] | None = Field(None, description="Indices of the segments that are named. Default: all.")


class MaskRow(BaseModel):
    """A mask with COCO's fields. bbox: the mask's own x, y, width, height; box: the network's x1, y1, x2, y2; quality:
    the IoU that a drawn mask is predicted to reach, 0..1."""

    index: int | None
    category_id: int
    segmentation: RLE
    area: int
    bbox: tuple[float, float, float, float]
    iscrowd: Literal[0]
    score: float
    name: str | None = None
    box: tuple[float, float, float, float] | None = None
    quality: float | None = None


class Candidate(BaseModel):
    """What might answer a prompt; `plus` and `minus` if it is a union or a difference of masks, the rest if it was
    drawn: `index` is then that of the segment it was drawn from."""

    index: int | None
    score: float
    how: Literal["union", "difference", "drawn"] | None = None
    plus: list[int] | None = None
    minus: list[int] | None = None
    quality: float | None = None
    segmentation: RLE | None = None
    area: int | None = None
    bbox: tuple[float, float, float, float] | None = None


class Picked(MaskRow):
    """The best answer to a prompt, and all candidates, best first; for a text, all that match."""

    how: Literal["mask", "union", "difference", "drawn"]
    candidates: list[Candidate]
    text: str | None = None
    matches: list[MaskRow] | None = None


class Segmented(BaseModel):
    """Everything in a photo. id: under which prompts may come back to it for a while."""

    id: str
    name: str
    width: int
    height: int
    names: list[str]
    seconds: dict[str, float]
    segments: list[MaskRow]


class Selected(BaseModel):
    """One entry per prompt, in order; null if nothing matched."""

    picks: list[Picked | None]


class Names(BaseModel):
    """One name per mask, in order; null if no word fits."""

    names: list[str | None]


class About(BaseModel):
    """The service: version, model, and the settings that came with the weights."""

    version: str
    model: str
    imgsz: int
    conf: float
    iou: float
    max_det: int
    words: bool = Field(description="Whether words are understood: the text extra and an encoder are there.")
    bytes: int = Field(description="Maximum bytes of a request.")
    pixels: int = Field(description="Maximum pixels of a photo.")


class Problem(BaseModel):
    """What went wrong and the remedy, in one line."""

    detail: str


class Video(BaseModel):
    """A kept video. rate: frames per second"""

    id: str
    name: str
    width: int
    height: int
    frames: int
    rate: float


class FollowedObject(BaseModel):
    """An object in a frame. bbox: x, y, width, height; quality: predicted IoU, 0..1"""

    segmentation: RLE
    area: int
    bbox: tuple[float, float, float, float]
    quality: float


class FollowedFrame(BaseModel):
    """A line of what was followed. objects: one per prompt, null where it is lost"""

    frame: int
    objects: list[FollowedObject | None]
