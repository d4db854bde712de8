"""`python curation suspects`: the list of doubtful pictures, printed for people or as JSON."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from curation import tables
from curation.progress import Bar
from curation.suspicion import suspect
from curation.tasks import scanned_dataset, tell
from handwriter_models.errors import DONE


def run(root: Path, network: str, weights: str, most: int, as_json: bool) -> int:
    """Judges every kept picture and lists the most suspicious."""
    with scanned_dataset(root) as dataset:
        backbone = None
        if network:
            from curation import backbones

            backbone = backbones.backbone(network, weights)
        with Bar("looking") as bar:
            found = suspect(dataset.pictures, backbone, lambda text: print(f"note: {text}", file=sys.stderr), bar.tell)
    told = [asdict(one) for one in found]
    tell(told, as_json, lambda console: tables.suspects(console, told, most))
    return DONE
