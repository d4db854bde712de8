"""The names of the folders and files that a dataset is made of."""

from __future__ import annotations

PICTURES, DROPPED, INCOMING, REPORTS, FEATURES = "images", "dropped", "incoming", "reports", "features"
DATABASE, THUMBNAILS = "dataset.db", "thumbnails.db"
OURS = frozenset({DROPPED, INCOMING, REPORTS, FEATURES})  # no labels, where labels stand beside them
