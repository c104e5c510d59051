"""What the OpenAPI description says of requests and answers that are read and written by hand.

Enters: models of `schemas`. Leaves: parts of the description, for `routes`.
"""

from typing import Any

from fastsam.formats import SEGMENTS
from fastsam.serve import schemas

KINDS = {
    "json": "application/json", "geojson": "application/geo+json", "png": "image/png", "txt": "text/plain",
    "zip": "application/zip", "npz": "application/octet-stream",
}  # fmt: skip

ABOUT = {401: "A token is needed.", 404: "The photo is not kept.", 413: "Too large.", 422: "Invalid values."}

BUSY = {503: "Too many requests are waiting: try again.", 504: "Took too long."}


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI describes what may go wrong."""
    known = {
        **ABOUT,
        **BUSY,
        400: "Cannot be read.",
        408: "The request did not arrive in time.",
        409: "Somebody else has changed it meanwhile, or is at work on it.",
        415: "Unsupported type.",
        507: "The disk is full.",
    }
    return {code: {"model": schemas.Problem, "description": known[code]} for code in (401, *codes)}


def attachment(name: str) -> str:
    """The header by which a file has this name when it is saved."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return f'attachment; filename="{safe}"'


def body_of(*models: tuple[str, type[Any]]) -> dict[str, Any]:
    """How OpenAPI describes a body that is read by hand."""
    content: dict[str, Any] = {}
    for kind, model in models:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        if kind == "multipart/form-data":
            schema["properties"]["image"] = {"type": "string", "format": "binary", "description": "The photo's file."}
            schema["required"] = ["image"]
        content[kind] = {"schema": schema}
    return {"requestBody": {"required": True, "content": content}}


BINARY = {"type": "string", "format": "binary"}


def file_content() -> dict[str, Any]:
    """How OpenAPI describes an answer that may be a file."""
    others = (kind for kind in KINDS.values() if kind != KINDS["json"])
    return {kind: {"schema": {"type": "object"} if kind.endswith("json") else BINARY} for kind in others}


FIELDS = {
    "segments": {**BINARY, "description": f"What POST /v1/segment gave as {SEGMENTS}."},
    "selection": {"type": "string", "contentMediaType": "application/json", "description": "A Selection, as JSON."},
    "image": {**BINARY, "description": "The photo's file, which words and drawn answers need."},
    "stretch": {"type": "string", "enum": ["true", "false"], "description": "As POST /v1/segment had it."},
}

BROUGHT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "properties": FIELDS, "required": ["segments", "selection"]}
            }
        },
    }
}

FILE_OR = {
    "content": file_content() | {SEGMENTS: {"schema": BINARY}},
    "description": "JSON, or the file that `format` asks for.",
}
