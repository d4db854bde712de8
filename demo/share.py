"""A public link through Gradio's tunnel. The whole port goes through it: the page, the API and its documentation.

`launch(share=True)` is not for an application that Gradio is mounted in, so its tunnel is asked directly.
"""

from __future__ import annotations

import secrets
import sys


def public_link(host: str, port: int) -> str | None:
    """The link, or None after saying on standard error why there is none."""
    from gradio.networking import setup_tunnel

    try:
        link: str = setup_tunnel(host, port, secrets.token_urlsafe(24), None, None)
    except Exception as error:  # network, file system, checksum, platform: all mean "no link"
        reason = f"{error} ({error.__cause__})" if error.__cause__ else str(error) or type(error).__name__
        print(f"no public link: {reason}", file=sys.stderr)
        print("  --share needs a way out to gradio.live; the page above works on this network", file=sys.stderr)
        return None
    return link


def what_it_allows(locked: bool, feedback: bool) -> str:
    """What the link means, in words for the person who opened it."""
    who = "anyone who has it and a name and password" if locked else "anyone who has it"
    lines = [f"  {who} can use the page and its API until you stop it; no file of this machine can be read through it"]
    if feedback:
        lines.append("  they can also send corrections, which are kept up to --feedback-limit")
    if not locked:
        lines.append("  --auth user:password asks for a password first")
    return "\n".join(lines)
