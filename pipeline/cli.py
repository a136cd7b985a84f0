"""The command line: `headstart COMMAND [overrides]`, with Hydra's grammar for what follows the command."""

import contextlib
import importlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from pipeline import __version__
from pipeline.errors import ConfigError, HeadstartError, nearest
from pipeline.files import NO_FOLDER, storage_error
from pipeline.hardware.machine import limit_threads
from pipeline.import_path import leave_out_the_working_folder
from pipeline.terminal import show_what_is_printed, visible
from pipeline.text_encoding import restart_in_utf8

COMMANDS = {
    "compare": "compare the arms on your own table: reviews.csv [--text=COLUMN] [--label=COLUMN] [study.budget=10min]",
    "claims": "judge the fourteen claims about pretrained models: [task=... base=... study.budget=1h | reviews.csv]",
    "train": "train one cell: base=... task=... arm=... train.size=... train.lr=...",
    "study": "run one study: experiments=quickstart; plan=true only shows its cells",
    "evaluate": "score finished cells on a further set, without training: +task.out_of_domain.NAME.path=FILE",
    "prune": "delete results that no study refers to, and print the space freed; plan=true only prints it",
    "sweep": "search one arm's settings: arm=scratch train.size=400 sweep.trials=40",
    "report": "rebuild figures and report of a study from finished cells: experiments=quickstart",
    "predict": "classify text with a trained cell: cell=ID predict.text='...' or predict.path=FILE",
    "export": "write a trained cell as a directory that other libraries load: cell=ID export=FOLDER",
    "register": "put a trained cell into the model registry, as the champion of that name: cell=ID name=reviews",
    "challenge": "try another base for a registered model, which takes it if it is better: name=reviews base=BASE",
    "serve": "answer over HTTP on this machine with the champion of a registered model: name=reviews",
    "dashboard": "start the MLflow dashboard on this machine and print its links",
    "sweep-dashboard": "start Optuna's dashboard of sweeps on this machine and print its links",
    "services": "MLflow on PostgreSQL on this machine, and a database for sweeps, to try what a team would share",
    "doctor": "versions, hardware, precision and threads chosen, samples, and what is wrong",
}
QUESTIONS = ("--cfg", "-c", "--info", "-i", "--hydra-help", "--shell-completion", "-sc")  # that Hydra answers
DETAILS = ("--resolve", "--package", "-p")  # of --cfg
TAKES_VALUE = ("--cfg", "-c", "--info", "-i", "--package", "-p")
WITH_OPTIONS = ("compare", "claims")  # commands that take options of their own
INTERRUPTED, TERMINATED = 130, 143


class Terminated(BaseException):
    """SIGTERM, raised where the main thread is, so that workers are stopped and records written on the way out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 where all went well, 1 for failures, 2 for the user's mistakes, 130 after Ctrl-C, 143 after SIGTERM.
    """
    if arguments is None:
        restart_in_utf8()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = any(a in ("debug=true", "debug=True", "debug=1") for a in given)
    signal.signal(signal.SIGTERM, _terminate)
    if arguments is None:
        leave_out_the_working_folder()
        limit_threads()
        show_what_is_printed()
        sys.excepthook = sys.excepthook if debug else _unexpected
    try:
        return _among_others(given) if "TORCHELASTIC_RUN_ID" in os.environ else _dispatch(given)
    except HeadstartError as error:
        if debug:
            traceback.print_exc()
        _say(f"Error: {error}")
        return error.exit_code
    except (KeyboardInterrupt, Terminated) as stop:
        _say("Stopped. Finished cells are kept; the same command goes on from there.")
        return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if debug:
            traceback.print_exc()
        if error.filename and error.errno in NO_FOLDER:
            known = storage_error(Path(error.filename), error)
            _say(f"Error: {known}")
            return known.exit_code
        _say(f"Error: {error}. With debug=true the same command shows where.")
        return 1


def _among_others(given: list[str]) -> int:
    """As one of the processes that torchrun has started: the first runs the command, the others train with it."""
    from pipeline.execution.torchrun import end, follow
    from pipeline.hardware.launched import launched

    place = launched()
    assert place
    if place.rank:
        return follow(place)
    code = _dispatch(given)
    if code == 0:
        end(place)
    return code


def _dispatch(given: list[str]) -> int:
    if given and given[0] in ("-sc", "--shell-completion"):
        return _complete(given)
    if not given or given[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if given else 2
    if given[0] in ("--version", "version"):
        print(f"headstart {__version__}")
        return 0
    command, rest = given[0], given[1:]
    if command not in COMMANDS:
        raise ConfigError([f"There is no command {command!r}. {nearest(command, COMMANDS)}"])
    if any(a in ("-h", "--help") for a in rest):
        print(usage(command))
        return 0
    if command not in WITH_OPTIONS:
        _refuse_flags(rest)
    if command not in WITH_OPTIONS and any(a.startswith("-") for a in rest):
        return _configuration(rest)
    return int(importlib.import_module(f"pipeline.commands.{command.replace('-', '_')}").run(rest))


def usage(command: str | None = None) -> str:
    """The help text; for one command, its line alone and what follows it."""
    shown = COMMANDS if command is None else {command: COMMANDS[command]}
    lines = [f"  {name:<16} {text}" for name, text in shown.items()]
    return "\n".join(
        [
            "usage: headstart COMMAND [name=value ...]      (or: python -m pipeline COMMAND ...)",
            "",
            *lines,
            "",
            "  COMMAND --cfg job             the whole configuration, with these overrides",
            "  COMMAND --info defaults-tree  which files it is made of",
            "  debug=true                    show tracebacks",
            "",
            'Tab completion in bash: eval "$(headstart -sc install=bash)"',
        ]
    )


def _refuse_flags(rest: Sequence[str]) -> None:
    for argument in rest:
        if argument in ("-m", "--multirun"):
            raise ConfigError(["--multirun is not offered: several trainings are a study. See experiments/README.md."])
        if argument.startswith("-") and argument.partition("=")[0] not in (*QUESTIONS, *DETAILS):
            hint = nearest(argument, (*QUESTIONS, *DETAILS))
            raise ConfigError([f"There is no option {argument!r}; settings are given as name=value. {hint}"])


def _configuration(rest: Sequence[str]) -> int:
    """`--cfg`, `--info` and their like: what the configuration is and what it is made of."""
    flags, settings = _split(rest)
    if "job" in (flags.get("--cfg"), flags.get("-c")):
        from pipeline.config.compose import shown

        print(shown(settings, flags.get("--package") or flags.get("-p") or ""), end="")
        return 0
    if not any(flag in QUESTIONS for flag in flags):
        raise ConfigError([f"{next(iter(flags))} only goes with --cfg: train --cfg job --package train."])
    return _hydra(rest, settings)


def _split(rest: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Options with their values, and settings."""
    flags: dict[str, str] = {}
    settings: list[str] = []
    words = list(rest)
    while words:
        word = words.pop(0)
        name, _, value = word.partition("=")
        if not word.startswith("-"):
            settings.append(word)
        elif not value and name in TAKES_VALUE and words and "=" not in words[0]:
            flags[name] = words.pop(0)
        else:
            flags[name] = value
    return flags, settings


def _hydra(arguments: Sequence[str], settings: Sequence[str]) -> int:
    """Let Hydra itself answer about the configuration."""
    import hydra

    from pipeline.config.compose import compose, for_hydra
    from pipeline.config.redaction import without_secrets
    from pipeline.config.search_path import own_root
    from pipeline.config.typed_text import restored

    compose(settings)  # for our errors, not Hydra's
    options = [a for a in arguments if a not in settings]
    sys.argv = ["headstart", *options, *for_hydra(without_secrets(settings))]

    @hydra.main(version_base="1.3", config_path=str(own_root() / "conf"), config_name="config")
    def show(_: object) -> None:
        """Never reached: the flags make Hydra print and leave."""

    answer = io.StringIO()
    try:
        with contextlib.redirect_stdout(answer):
            show()
    finally:
        print(restored(answer.getvalue()), end="")
    return 0


def _complete(given: list[str]) -> int:
    """Hydra's tab completion, which knows nothing of commands: the command word is taken out of the line."""
    line = os.environ.get("COMP_LINE", "")
    words = line.split(" ")
    if len(words) > 2 and words[1] in COMMANDS:
        shorter = " ".join([words[0], *words[2:]])
        os.environ["COMP_LINE"] = shorter
        os.environ["COMP_POINT"] = str(
            max(0, int(os.environ.get("COMP_POINT", len(line))) - (len(line) - len(shorter)))
        )
    elif len(words) == 2 and any(name.startswith(words[1]) for name in COMMANDS):
        print("\n".join(name for name in COMMANDS if name.startswith(words[1])))
        return 0
    return _hydra(given, ())


def _unexpected(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """What is shown of an error that nobody foresaw; the interpreter then ends with 1."""
    _say(f"Error: {kind.__name__}: {error}\nThis is a bug. With debug=true the same command shows where.")


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise Terminated


def _say(text: str) -> None:
    print(visible(text), file=sys.stderr)
