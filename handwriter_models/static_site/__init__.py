"""A page with its models in it, for any host of plain files: nothing is sent anywhere, no server is needed.

The demo serves the modules of `page/` beside its own: pen, bars, languages and the answer are the same on both pages.
"""

from pathlib import Path

PAGE = Path(__file__).parent / "page"
