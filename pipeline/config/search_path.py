"""Where configuration files lie, the working directory's before the package's own, and how this program is started."""

import shlex
import shutil
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def own_root() -> Path:
    """The folder that holds this distribution's conf/ and experiments/: inside the wheel, or the checkout."""
    packed = _PACKAGE / "_data"
    return packed if packed.is_dir() else _PACKAGE.parent


def search_roots() -> list[Path]:
    """Folders looked through for conf/ and experiments/, the first match wins."""
    here, own = Path.cwd().resolve(), own_root()
    return [own] if here == own else [here, own]


def preset_folders() -> list[Path]:
    """The same as folders of groups: conf/ holds them, and experiments/ is a group of its folder."""
    places = [place for root in search_roots() for place in (root / "conf", root)]
    return [p for p in places if (p.name == "conf" and p.is_dir()) or (p / "experiments").is_dir()]


def program() -> str:
    """What a shell in this folder calls this installation by: "headstart" where that finds it, else its interpreter."""
    python = Path(sys.executable)
    script = shutil.which("headstart")
    if script and Path(script).absolute().parent == python.parent:
        return "headstart"
    here = Path.cwd()
    near = python.relative_to(here) if python.is_relative_to(here) else python
    return f"{shlex.quote(str(near))} -m pipeline"
