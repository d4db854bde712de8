"""`space.json` beside app.py: which models a Space serves. It is written by `handwriter_models.hub.space`.

A Space starts `python app.py` without options, so what one would say with --model stands in a file of its repository.
"""

from __future__ import annotations

from pathlib import Path

from handwriter_models.bundle_config import parse_json
from handwriter_models.errors import UserError

SPACE_FILE = Path(__file__).resolve().parent.parent / "space.json"


def space_models(file: Path = SPACE_FILE) -> list[str]:
    """The models named there, as for --model; none when there is no such file. Raises `UserError` on a broken one."""
    if not file.is_file():
        return []
    document = parse_json(file.read_bytes(), file.name)
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, list) or not models or not all(isinstance(name, str) for name in models):
        raise UserError(f"{file.name} names no models", 'it holds {"models": ["user/repo@commit"]}', 422)
    return models
