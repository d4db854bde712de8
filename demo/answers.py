"""How routes answer: values as JSON, and pictures inside of it as data URLs."""

from __future__ import annotations

import base64
import io

import orjson
from PIL import Image
from starlette.responses import Response


def json_answer(value: object) -> Response:
    """The value, which may hold numbers of numpy, as a JSON answer."""
    return Response(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


def png_url(picture: Image.Image) -> str:
    """The picture as a PNG data URL, packed quickly rather than well."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
