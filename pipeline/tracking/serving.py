"""A registered model behind HTTP for the programs of this machine: on loopback alone, in the foreground."""

import socket
from collections.abc import Callable

import pandas as pd
import uvicorn

from pipeline.tracking.foreground import HOST, check_free, until_stopped
from pipeline.tracking.registry import EXAMPLE, Registry
from pipeline.tracking.scoring import application
from pipeline.tracking.store import Store


def serve(store: Store, name: str, port: int, command: str, say: Callable[[str], None] = print) -> None:
    """Answer with the champion of `name` until Ctrl-C or SIGTERM.

    Args:
        store: where the model is registered.
        name: the model's.
        port: of 127.0.0.1.
        command: that was given, for the message about a port that is taken.
        say: takes each line that is printed.

    Raises:
        UserError: no version of the model is in use.
        ServiceError: the port is taken, or the registry did not answer.
    """
    check_free(port, "serve.port", command)
    with until_stopped():
        registry = Registry(store)
        version = registry.champion(name)
        model = registry.load(version)
        columns = model.metadata.get_input_schema().input_names()

        def answer(rows: list[dict[str, str]]) -> list[dict[str, object]]:
            return list(model.predict(pd.DataFrame(rows)).to_dict("records"))

        answer([dict.fromkeys(columns, EXAMPLE)])  # the first one takes much longer
        with socket.create_server((HOST, port)) as listening:
            address = f"http://{HOST}:{port}/invocations"
            say(f"{name}, version {version.number}, answers at {address}:")
            say(_curl(address, columns))
            say("Ctrl-C stops the server.")
            config = uvicorn.Config(application(columns, answer), log_level="warning")
            uvicorn.Server(config).run(sockets=[listening])


def _curl(address: str, columns: list[str]) -> str:
    texts = ", ".join(f'"{name}": ["{EXAMPLE}"]' for name in columns)
    return f"  curl {address} -H 'content-type: application/json' -d '{{\"inputs\": {{{texts}}}}}'"
