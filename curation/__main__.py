"""`python curation …`: puts the repository in place of this folder on the module path, then runs the command.

Replacing (not inserting) keeps a file of this folder from shadowing a module of the standard library.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from curation.commands import app
    from handwriter_models.errors import run_command

    run_command(app)
