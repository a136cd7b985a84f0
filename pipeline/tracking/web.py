"""MLflow's web application on a store of this machine, for loopback: `python -m pipeline.tracking.web PORT ROOT [DB]`.

`mlflow server` would do, but for one thing: MLflow 3.17 brings an assistant whose interface lets everybody who reaches
the port, on a shared machine every user of it, run shell commands as the user of the dashboard, and it has no switch.
The variables that hand the store over are internal to MLflow; they stand in this module alone.
"""

import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from pipeline.tracking.foreground import HOST
from pipeline.tracking.store import Store

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
# Parts of MLflow's server that run programs or call other services.
_REFUSED = ("/mlflow/assistant", "/gateway/", "/jobs/", "/mcp/")


def main() -> None:
    """Serve until SIGTERM."""
    import uvicorn

    port = int(sys.argv[1])
    os.environ.update(_manners(port))  # read when MLflow's server is first imported
    os.environ.update(_contents(Store(root=Path(sys.argv[2]), backend=next(iter(sys.argv[3:]), None))))
    from mlflow.server.fastapi_app import app

    uvicorn.run(guarded(app), host=HOST, port=port, log_level="warning")


def _manners(port: int) -> dict[str, str]:
    """Only requests addressed to this very port of this machine, and from its own pages, are answered."""
    return {
        "_MLFLOW_SGI_NAME": "uvicorn",
        "MLFLOW_SERVER_ALLOWED_HOSTS": f"localhost:{port},{HOST}:{port}",
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": f"http://localhost:{port},http://{HOST}:{port}",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


def _contents(store: Store) -> dict[str, str]:
    from mlflow.server import constants

    return {
        constants.BACKEND_STORE_URI_ENV_VAR: store.uri,
        constants.ARTIFACTS_DESTINATION_ENV_VAR: store.artifacts.as_uri(),
        constants.ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
    }


def guarded(application: Application) -> Application:
    """The application without the parts that run programs: their addresses answer 404."""

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        path = str(scope.get("path", ""))
        if scope["type"] == "http" and any(part in f"{path}/" for part in _REFUSED):
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"Switched off here."})
        elif scope["type"] != "websocket":
            await application(scope, receive, send)

    return answer


if __name__ == "__main__":
    main()
