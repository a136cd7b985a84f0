"""UTF-8 for all that is read, printed and named, whatever the locale says."""

import codecs
import locale
import os
import sys


def restart_in_utf8() -> None:
    """Start this program anew in Python's UTF-8 mode if the locale has another encoding, as `LC_ALL=C` has.

    Data, results and messages are UTF-8, and so are the names of files that commands are given.
    """
    if sys.flags.utf8_mode or codecs.lookup(locale.getencoding()).name == "utf-8":
        return
    os.environ["PYTHONUTF8"] = "1"  # for processes that are started from here
    sys.stdout.flush()
    sys.stderr.flush()
    words = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
    os.execv(sys.executable, [word.encode("utf-8", "surrogateescape") for word in words])
