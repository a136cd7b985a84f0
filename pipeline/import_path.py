"""What may be imported here and in processes that are started from here: no file of the working folder.

`python -m` searches that folder first, and so does the process that workers are forked from (Python 3.11 starts it with
`-c`). A `queue.py` beside the data would be imported, and run, in the place of Python's own.
"""

import os  # like sys, imported already: any other module could be one of the working folder's
import sys


def leave_out_the_working_folder() -> None:
    """Take the working folder off the import path of this process and of its children.

    A checkout that is run from its own folder is left out likewise: this package knows where its own modules are.
    """
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    by_folder_alone = sys.path[:1] == [root] and root not in sys.path[1:]  # so that children would not find it
    sys.path[:] = [entry for entry in sys.path if not _is_here(entry)]
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [entry for entry in given if entry and (not _is_here(entry) or _is_here(root))]
    os.environ["PYTHONPATH"] = os.pathsep.join([*kept, root] if by_folder_alone and root not in kept else kept)
    os.environ["PYTHONSAFEPATH"] = "1"


def _is_here(entry: str) -> bool:
    """Whether an entry of an import path is the working folder."""
    return os.path.realpath(entry or os.curdir) == os.path.realpath(os.curdir)
