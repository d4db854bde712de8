"""The one error type for people, and how a command ends when it meets one.

A `UserError` says what is wrong (naming the value) and what to do next. It is caught once, by `run_command`, which
every `__main__` calls; anything else is a bug and shows its trace. Where one of many items meets a bug, `item_error`
writes the trace to the log and makes it that item's own fault: its neighbours go on.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

DONE, FAILED, WRONG_USE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130


class UserError(Exception):
    """Something a person can put right.

    Args:
        what: the fault, with the value that caused it.
        hint: what to do next.
        status: the HTTP status that says the same (400, 413, 415, 422, …).
    """

    def __init__(self, what: str, hint: str = "", status: int = 400) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.status = status

    def __str__(self) -> str:
        return f"{self.what}\n  {self.hint}" if self.hint else self.what


def item_error(error: Exception, item: object) -> UserError:
    """The fault of one item of a batch; one that nobody expected goes to the log with its trace."""
    if isinstance(error, UserError):
        return error
    logging.getLogger("handwriter").error("%s could not be processed", item, exc_info=error)
    return UserError(f"it could not be processed ({type(error).__name__})", "the log has more; please report it", 500)


def run_command(command: Callable[[], object]) -> None:
    """Runs a typer application and exits: 2 with a message on `UserError` or a full disk, 130 when interrupted."""
    try:
        command()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(WRONG_USE)
    except KeyboardInterrupt:
        print("interrupted; what was finished is saved", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Exception as error:
        from handwriter_models.disk import disk_fault  # which is made of this module's error

        fault = disk_fault(error)
        if fault is None:
            raise
        print(f"error: {fault}", file=sys.stderr)
        sys.exit(WRONG_USE)
