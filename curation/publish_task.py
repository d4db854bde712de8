"""`python curation publish`: the dataset opened, the token read, the push told to people or as JSON."""

from __future__ import annotations

from pathlib import Path

from curation.publish import PublishOrder, publish_dataset, told
from curation.tasks import scanned_dataset, tell
from handwriter_models.errors import DONE, INCOMPLETE


def run(root: Path, order: PublishOrder, token_file: Path | None, as_json: bool) -> int:
    """Publishes, and says where; 3 when some pictures were left out, as they are not what the scan saw any more."""
    from handwriter_models.hub.publish import publisher_token

    token = publisher_token(token_file)
    with scanned_dataset(root) as dataset:
        written, published = publish_dataset(dataset.pictures, order, token)
    tell(told(written, published), as_json, lambda console: console.print(f"dataset: {published.url}", markup=False))
    return INCOMPLETE if written.missed else DONE
