"""axe-core in a page of the tests: what a reader with a screen reader, or with poor sight, would stumble over.

The script comes out of the package axe-playwright-python, which carries a recent axe-core; nothing of its Python is
imported. A test is skipped where the package is not installed.
"""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest

from tests.browser import Browser

SERIOUS = ("serious", "critical")
_RUN = """
const done = arguments[0];
axe.run(document, {resultTypes: ['violations']}).then((found) => done(found.violations.map((rule) =>
  [rule.impact, rule.id, ...rule.nodes.slice(0, 3).map((node) => node.target.join(' ') + ': ' + node.failureSummary)]
)), (error) => done([['critical', 'axe failed', String(error)]]));
"""


def axe_script() -> str:
    """axe.min.js; skips the test when there is none."""
    found = util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe-playwright-python is not installed (pip install -r requirements-dev.txt)")
    return (Path(found.origin).parent / "axe.min.js").read_text("utf-8")


def violations(page: Browser) -> list[list[str]]:
    """The serious and critical violations of the page as it stands: [impact, rule, place and reason, …]."""
    if not page.run("return typeof axe !== 'undefined'"):
        page.run(axe_script())
    found = page.driver.execute_async_script(_RUN)
    return [violation for violation in found if violation[0] in SERIOUS]
