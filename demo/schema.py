"""What `/docs` says about the API. The form is described by hand because the route reads it by hand (see uploads)."""

from __future__ import annotations

from typing import Any

SUMMARY = """Recognises handwriting, and whatever else its models were trained for.

Send a picture, get the probability of every label. A picture that is none of them is answered with `rejected: true`.
Nothing that is sent is kept, but for what you send to `/feedback/` where the owner of the server asked for it.

Errors are always `{"error": what is wrong, "hint": what to do}`. `429` and `503` carry `Retry-After`, in seconds.
Where the server is locked, send `Authorization: Bearer TOKEN`, or a name and a password (HTTP Basic).
"""


def _examples(what: str, curl: str, python: str, javascript: str) -> str:
    """The description of a route: one sentence, and how to call it in three languages."""
    blocks = (("sh", curl), ("python", python), ("javascript", javascript))
    return "\n\n".join([what, *(f"```{name}\n{code}\n```" for name, code in blocks)])


_ERROR: dict[str, Any] = {
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
    408: _error("the request took too long to arrive"),
    413: _error("too many bytes or pixels"),
    415: _error("not a picture of an allowed format (JPEG, PNG, WebP, GIF, BMP, TIFF), or not a form"),
    422: _error("a wrong field or an unknown model"),
    429: _error("too many requests from one address; see Retry-After"),
    503: _error("too many pictures are waiting; see Retry-After"),
}
FEEDBACK_ERRORS: dict[int | str, dict[str, Any]] = {
    **ERRORS,
    403: _error("this server keeps no corrections"),
    507: _error("there is no room for more corrections"),
}

_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "a picture of one character, at most 20 MB"},
        "model": {"type": "string", "description": "a name out of GET /models; the first one when absent"},
        "seen": {"type": "string", "enum": ["1"], "description": "1 adds the 28x28 picture the network was given"},
        "top": {
            "type": "integer",
            "minimum": 1,
            "maximum": 999_999,
            "description": "only so many probabilities, the largest first; all, in the labels' order, when absent",
        },
    },
}

_ANSWER: dict[str, Any] = {
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
    "description": _examples(
        "Says which label a picture shows.",
        "curl -F file=@seven.png -F model=digits http://127.0.0.1:7860/predict/",
        """import httpx

with open("seven.png", "rb") as picture:
    answer = httpx.post("http://127.0.0.1:7860/predict/", files={"file": picture}, data={"model": "digits"})
print(answer.json()["label"])""",
        """const form = new FormData();
form.append('file', file);  // of <input type=file>, or a Blob
const answer = await (await fetch('predict/', {method: 'POST', body: form})).json();
console.log(answer.label, answer.confidence);""",
    ),
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}},
    "responses": {"200": {"description": "The answer", "content": {"application/json": {"schema": _ANSWER}}}},
}

_EXPLAIN_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": _FORM["properties"]["file"],
        "model": {"type": "string", "description": "a name out of GET /models; the first one when absent"},
        "label": {"type": "string", "description": "the label to explain; the model's own answer when absent"},
    },
}

_EXPLANATION = {
    "type": "object",
    "properties": {
        "model": {"type": "string", "example": "digits"},
        "label": {"type": "string", "description": "what is explained; empty for a blank picture", "example": "7"},
        "confidence": {"type": "number", "description": "in that label", "example": 0.994},
        "method": {"type": "string", "enum": ["grad-cam", "integrated-gradients"]},
        "heat": {"type": "string", "description": "PNG data URL: the picture under the heat of the evidence"},
        "strokes": {"type": "string", "nullable": True, "description": "PNG data URL: strokes by what they do for it"},
        "support": {
            "type": "array",
            "items": {"type": "number"},
            "description": "for each stroke the confidence that is lost without it",
        },
    },
}

EXPLAIN_DOCUMENTATION: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _EXPLAIN_FORM}}},
    "responses": {"200": {"description": "Why", "content": {"application/json": {"schema": _EXPLANATION}}}},
}

_BATCH_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "minItems": 1,
            "maxItems": 32,
            "description": "1 to 32 pictures, at most 40 MB in all; the field comes once for each",
        },
        "model": _FORM["properties"]["model"],
        "top": _FORM["properties"]["top"],
    },
}

_BATCH_ANSWER = {
    "type": "object",
    "properties": {
        "results": {
            "type": "array",
            "description": "in the order of the pictures",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "the file's name", "example": "seven.png"},
                    **_ANSWER["properties"],
                    **_ERROR["properties"],
                },
            },
        }
    },
}

BATCH_DOCUMENTATION: dict[str, Any] = {
    "description": _examples(
        "Says it of several pictures. One that cannot be read has `error` and `hint` in its place.",
        "curl -F file=@one.png -F file=@two.png http://127.0.0.1:7860/predict/batch",
        """import httpx
from pathlib import Path

files = [("file", (path.name, path.read_bytes())) for path in Path("scans").glob("*.png")]
for result in httpx.post("http://127.0.0.1:7860/predict/batch", files=files).json()["results"]:
    print(result["name"], result.get("label", result.get("error")))""",
        """const form = new FormData();
for (const file of input.files) form.append('file', file);
const {results} = await (await fetch('predict/batch', {method: 'POST', body: form})).json();""",
    ),
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _BATCH_FORM}}},
    "responses": {"200": {"description": "An answer each", "content": {"application/json": {"schema": _BATCH_ANSWER}}}},
}

_FEEDBACK_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": _FORM["properties"]["file"],
        "model": _FORM["properties"]["model"],
        "said": {"type": "string", "description": "the label that the model gave; empty when it rejected the picture"},
        "right": {"type": "string", "description": "the label that is right; empty for none of the model's labels"},
    },
}

FEEDBACK_DOCUMENTATION: dict[str, Any] = {
    "description": _examples(
        "Stores a picture under the label that is right, where the owner of the server asked for that. The same bytes "
        "are stored once.",
        "curl -F file=@seven.png -F said=1 -F right=7 http://127.0.0.1:7860/feedback/",
        """import httpx

with open("seven.png", "rb") as picture:
    sent = httpx.post("http://127.0.0.1:7860/feedback/", files={"file": picture}, data={"said": "1", "right": "7"})
print(sent.json()["stored"])""",
        """const form = new FormData();
form.append('file', blob, 'drawn.png');
form.append('said', '1');
form.append('right', '7');
await fetch('feedback/', {method: 'POST', body: form});""",
    ),
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FEEDBACK_FORM}}},
    "responses": {
        "201": {
            "description": "Stored",
            "content": {
                "application/json": {
                    "schema": {"type": "object", "properties": {"stored": {"type": "string"}}},
                    "example": {"stored": "images/7/feedback_0001.png"},
                }
            },
        }
    },
}


def _example(description: str, value: object) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": {"application/json": {"example": value}}}}


HEALTH_EXAMPLE = _example("It is up", {"status": "ok", "models": ["digits", "letters"]})
MODELS_EXAMPLE = _example(
    "The models, the first one of which answers when none is named",
    [{"name": "digits", "kind": "handwriting", "labels": ["0", "1", "2"], "accuracy": 0.996, "default": True}],
)
