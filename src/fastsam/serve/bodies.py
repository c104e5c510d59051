"""What a request brings: a body of bounded size, a photo's bytes, prompts.

Enters: requests. Leaves: checked values. Called by `routes`.
"""

import base64
import binascii
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from anyio import to_thread
from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from fastsam import prompts as stage2
from fastsam.errors import UnreadableImageError, UsageError
from fastsam.image.header import read_header
from fastsam.masks import rle
from fastsam.prompts import Prompt
from fastsam.serve import schemas
from fastsam.serve.limits import Limits
from fastsam.serve.photo import File
from fastsam.serve.problems import Problem

Model = TypeVar("Model", bound=BaseModel)
FIELDS = 32  # of a form
MOST_FILES = 10_000  # of a form of annotations
MASKS = 200_000_000  # pixels of all masks of a request
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # else each malformed form adds a line to the log


@dataclass(frozen=True, eq=False)
class Upload:
    """A photo's file, its name, and how it is to be segmented."""

    name: str
    data: bytes
    options: schemas.Options

    @property
    def file(self) -> File:
        """What workers decode."""
        return File(self.data, self.options.stretch)


async def read_body(request: Request, limits: Limits) -> bytes:
    """The whole body. Raises a problem (413) as soon as it is too large; `intake` bounds its time."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > limits.bytes:
                raise Problem(413, f"the request is larger than {limits.bytes} bytes: send a smaller photo")
    except ClientDisconnect:
        raise Problem(499, "the client has gone") from None
    return bytes(body)


async def read_upload(request: Request, limits: Limits) -> Upload:
    """A photo from a form's field `image`, or from JSON in base64. Raises a problem for anything else."""
    kind = kind_of(request)
    if kind not in ("application/json", "multipart/form-data"):
        raise Problem(415, f"a body of {kind[:60] or 'no type'} is not read: send multipart/form-data or JSON")
    body = await read_body(request, limits)
    if kind == "application/json":
        sent = checked(schemas.Photo, body)
        upload = Upload(sent.name, unpacked(sent.image), sent)
    else:
        upload = await read_form(request.headers, body)
    await to_thread.run_sync(check_photo, upload.data, limits)
    return Upload(file_name(upload.name), upload.data, upload.options)


def demand_json(request: Request) -> None:
    """Raises a problem (415) for a body that is not said to be JSON: any page of another site may send such a one."""
    if kind_of(request) != "application/json":
        raise Problem(415, "send application/json")


def kind_of(request: Request) -> str:
    """The type of a body, without its parameters."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def parse_form(headers: Headers, body: bytes, files: int) -> FormData:
    """A form's fields; nothing of it goes to disk. Raises a problem (400) for what is none."""

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(headers, chunks(), max_files=files, max_fields=FIELDS)
    parser.spool_max_size = parser.max_part_size = len(body) + 1
    try:
        return await parser.parse()
    except (MultiPartException, KeyError, ValueError, AssertionError, UnicodeDecodeError) as error:
        raise Problem(400, f"the form cannot be read: {str(error) or type(error).__name__}") from None


async def read_form(headers: Headers, body: bytes) -> Upload:
    """A form's photo and options."""
    form = await parse_form(headers, body, files=1)
    image = form.get("image")
    if not isinstance(image, UploadFile):
        raise Problem(422, "the form lacks a file in its field 'image'")
    fields: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str) and value != ""}
    for name in {"refine", "polygons", "stretch"} & fields.keys():
        fields[name] = truth(fields[name])
    try:
        options = schemas.Options.model_validate(fields)
    except ValidationError as error:
        raise Problem(422, one_line(error)) from None
    return Upload(image.filename or "photo", await image.read(), options)


def truth(word: str) -> Any:
    """True or False for a form's word, which JSON would have as such; other words as they are."""
    return {"true": True, "false": False}.get(word.lower(), word)


async def read_brought(request: Request, limits: Limits) -> tuple[bytes, File | None, schemas.Selection]:
    """A form of segments, prompts, and the photo where words need it. Raises a problem for anything else."""
    if kind_of(request) != "multipart/form-data":
        raise Problem(415, "send multipart/form-data with the fields 'segments' and 'selection'")
    form = await parse_form(request.headers, await read_body(request, limits), files=2)
    segments, image, selection = form.get("segments"), form.get("image"), form.get("selection")
    stretch = form.get("stretch", "false")
    if not isinstance(segments, UploadFile):
        raise Problem(422, "the form lacks a file in its field 'segments': what POST /v1/segment gave")
    if not isinstance(selection, str):
        raise Problem(422, "the form lacks JSON in its field 'selection'")
    if (unknown := set(form) - {"segments", "selection", "image", "stretch"}) or isinstance(image, str):
        raise Problem(422, f"the form's field {min(unknown or {'image'})!r} means nothing")
    if not isinstance(stretch, str) or not isinstance(stretched := truth(stretch), bool):
        raise Problem(422, "stretch must be true or false")
    photo = None if image is None else File(await image.read(), stretched)
    if photo is not None:
        await to_thread.run_sync(check_photo, photo.data, limits)
    asked = checked(schemas.Selection, selection.encode(errors="replace"))
    if asked.format is not None:
        raise Problem(422, "a file is made of photos that are kept: POST /v1/images/{id}/select")
    return await segments.read(), photo, asked


async def read_files(request: Request, limits: Limits) -> tuple[list[tuple[str, bytes]], dict[str, tuple[int, int]]]:
    """Files of a form with their names, and its field `sizes`: [width, height] by name. Raises a problem else."""
    if kind_of(request) != "multipart/form-data":
        raise Problem(415, "send application/json, or multipart/form-data with fields 'file'")
    form = await parse_form(request.headers, await read_body(request, limits), files=MOST_FILES)
    given = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
    sizes = form.get("sizes", "{}")
    if not given:
        raise Problem(422, "the form lacks a file in its field 'file'")
    if not isinstance(sizes, str):
        raise Problem(422, "the form's field 'sizes' must be JSON: [width, height] by name")
    known = checked(schemas.Sizes, sizes.encode(errors="replace")).root
    return [(one.filename or "file", await one.read()) for one in given], known


def indices_of(asked: schemas.Selection | schemas.Vocabulary, count: int) -> list[int]:
    """The segments that may answer, each once. Raises UsageError for one that is not there."""
    if asked.among is not None and any(i >= count for i in asked.among):
        raise UsageError(f"among: the photo has {count} segments, 0 to {count - 1}")
    return list(range(count)) if asked.among is None else list(dict.fromkeys(asked.among))


def checked(model: type[Model], body: bytes) -> Model:
    """A JSON body as a model. Raises a problem (422) that says what is wrong."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Problem(422, one_line(error)) from None


def one_line(error: ValidationError) -> str:
    """The first thing that is wrong: where, and why."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def unpacked(image: str) -> bytes:
    """The bytes of base64, or of a data: URI. Raises a problem (422)."""
    if image.startswith("data:"):
        image = image.partition(",")[2]
    try:
        return base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError):
        raise Problem(422, "image is no base64: send the photo's file in it, no path and no address") from None


def check_photo(data: bytes, limits: Limits) -> None:
    """Raises a problem for what is no photo (422) or has too many pixels (413); nothing is decoded.

    It walks through the whole file's parts, so that it is called in a thread.
    """
    try:
        found = read_header(data)
    except UnreadableImageError as error:
        raise Problem(422, str(error)) from None
    if found.width * found.height > limits.pixels:
        size = f"{found.width} x {found.height}"
        raise Problem(413, f"a photo of {size} pixels has more than {limits.pixels}: send a smaller one")


def file_name(name: str) -> str:
    """A file's own name, whatever path came with it."""
    return PurePosixPath(PureWindowsPath(name).name).name[:200] or "photo"


def prompts_of(selection: schemas.Selection, size: tuple[int, int]) -> list[Prompt]:
    """The prompts in order, those of the general form first. Raises UsageError for invalid ones."""
    masks = len(selection.masks) + sum(p.mask is not None for p in selection.prompts)
    if masks * size[0] * size[1] > MASKS:
        raise Problem(413, f"{masks} masks of {size[1]} x {size[0]} pixels are too many: send fewer at a time")
    general = [
        Prompt(p.points, p.labels, p.box, None if p.mask is None else mask_of(p.mask, size), p.text, p.exclude)
        for p in selection.prompts
    ]
    drawn = [mask_of(mask, size) for mask in selection.masks]
    s = selection
    return stage2.asked(general, s.points, s.labels, s.boxes, drawn, s.texts, s.exclude)


def mask_of(mask: schemas.RLE, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """A mask's pixels. Raises a problem (422) if it does not fit a photo of that size (height, width)."""
    if tuple(mask.size) != size:
        (height, width), (photo_height, photo_width) = mask.size, size
        raise Problem(
            422,
            f"a mask is {width} x {height} pixels but the photo is {photo_width} x {photo_height}: "
            "send a mask of the same size",
        )
    packed: Any = mask.model_dump()
    try:
        return rle.decode(packed)
    except (ValueError, OverflowError) as error:
        raise Problem(422, f"a mask cannot be read: {error}") from None
