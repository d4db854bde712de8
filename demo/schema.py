"""What `/docs` says about the API. The form is described by hand because the route reads it by hand (see uploads)."""

from __future__ import annotations

from typing import Any

SUMMARY = """Recognises handwritten characters.

Send a picture, get the probability of every label. A picture that is none of them is answered with `rejected: true`.
Nothing that is sent is kept.

```
curl -F file=@seven.png http://127.0.0.1:7860/predict/
```
"""

_ERROR = {
    "type": "object",
    "required": ["error", "hint"],
    "properties": {
        "error": {"type": "string", "description": "what is wrong, with the value that caused it"},
        "hint": {"type": "string", "description": "what to do"},
    },
    "example": {"error": "unknown model 'x'", "hint": "models here: digits"},
}


def _error(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ERROR}}}


ERRORS: dict[int | str, dict[str, Any]] = {
    400: _error("the picture or the form is damaged, empty or cut short"),
    413: _error("too many bytes or pixels"),
    415: _error("not a picture of an allowed format (JPEG, PNG, WebP, GIF, BMP, TIFF), or not a form"),
    422: _error("a wrong field or an unknown model"),
    503: _error("too many pictures are waiting"),
}

_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "a picture of one character, at most 20 MB"},
        "model": {"type": "string", "description": "a name out of GET /models; the first one when absent"},
        "seen": {"type": "string", "enum": ["1"], "description": "1 adds the 28x28 picture the network was given"},
    },
}

_ANSWER = {
    "type": "object",
    "properties": {
        "model": {"type": "string", "example": "digits"},
        "label": {"type": "string", "example": "7"},
        "confidence": {"type": "number", "example": 0.994},
        "probabilities": {"type": "object", "additionalProperties": {"type": "number"}, "example": {"7": 0.994}},
        "rejected": {"type": "boolean", "description": "the picture is none of the labels"},
        "reason": {"type": "string", "enum": ["", "blank", "not in its world"]},
        "milliseconds": {"type": "number", "description": "time inside the server for decoding, preparing, network"},
        "seen": {"type": "string", "description": "PNG data URL, only when asked for"},
    },
}

PREDICT_DOCUMENTATION: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}},
    "responses": {"200": {"description": "The answer", "content": {"application/json": {"schema": _ANSWER}}}},
}
