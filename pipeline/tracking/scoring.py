"""The web application that answers for a registered model: what it takes, what it refuses and why.

It takes the requests that MLflow's own scoring server takes as `inputs`, so programs need not know which of the two
answers. What cannot be answered gets a status from 400 to 499 and `{"error": "…"}`, one line, before the model sees it.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.errors import nearest
from pipeline.tracking.foreground import HOST

LARGEST = 256 * 1024  # bytes of a request
MOST = 64  # rows of a request: others wait until they are computed
AT_ONCE = 2  # requests that are computed, each on one core; more would wait for each other's Python
Row = dict[str, str]
Answer = Callable[[list[Row]], list[dict[str, Any]]]


def application(columns: Sequence[str], answer: Answer) -> Starlette:
    """The application of one model.

    Args:
        columns: names of its input columns, all of them texts.
        answer: its predictions, one for each row; called from several threads.
    """
    threads = ThreadPoolExecutor(max_workers=AT_ONCE)

    async def invocations(request: Request) -> Response:
        rows = parse(await _body(request), columns)
        predictions = await asyncio.get_running_loop().run_in_executor(threads, answer, rows)
        return JSONResponse({"predictions": predictions})

    async def health(_request: Request) -> Response:
        return JSONResponse({})

    return Starlette(
        routes=[
            Route("/invocations", invocations, methods=["POST"]),
            *(Route(path, health, methods=["GET"]) for path in ("/health", "/ping")),
        ],
        # A page of another site, whose name leads to this machine, is answered nothing.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
        exception_handlers={HTTPException: _refusal, ClientDisconnect: _refusal},
    )


def parse(body: bytes, columns: Sequence[str]) -> list[Row]:
    """The rows of texts that a request asks about.

    Raises:
        HTTPException: 400 and the rule that the body breaks.
    """
    inputs = _inputs(_json(body, columns), columns)
    lengths = {name: len(texts) for name, texts in inputs.items()}
    if len(set(lengths.values())) > 1:
        raise _wrong(f"The columns of inputs must have equally many texts, but got {lengths}.")
    if not 1 <= (rows := max(lengths.values())) <= MOST:
        raise _wrong(f"A request must have 1 to {MOST} texts, but got {rows}.")
    for name, texts in inputs.items():
        for i, text in enumerate(texts):
            _check_text(f"inputs.{name}[{i}]", text)
    return [dict(zip(columns, row, strict=True)) for row in zip(*(inputs[name] for name in columns), strict=True)]


def _json(body: bytes, columns: Sequence[str]) -> Any:
    try:
        return json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _wrong(f"A request must be UTF-8, but byte {error.start} of it is not.") from error
    except (ValueError, RecursionError) as error:
        raise _wrong(f"A request must be JSON such as {_example(columns)}, but is not.") from error


def _inputs(given: Any, columns: Sequence[str]) -> dict[str, list[Any]]:
    """The columns of the request, each a list."""
    inputs = given.get("inputs") if isinstance(given, dict) else None
    if not isinstance(inputs, dict):
        raise _wrong(f"A request must be an object such as {_example(columns)}.")
    for name in inputs.keys() - set(columns):
        raise _wrong(f"inputs has no column {name[:40]!r}. {nearest(name[:40], columns)}")
    for name in columns:
        if name not in inputs:
            raise _wrong(f"inputs must have the column {name!r}: {_example(columns)}.")
        if not isinstance(inputs[name], list):
            raise _wrong(f"inputs.{name} must be a list of texts, but is {_type(inputs[name])}.")
    return inputs


def _check_text(where: str, text: Any) -> None:
    if not isinstance(text, str):
        raise _wrong(f"{where} must be a text, but is {_type(text)}.")
    if not text.strip():
        raise _wrong(f"{where} must have a word, but is empty.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _wrong(f"{where} must be Unicode, but its character {error.start} is half a surrogate pair.") from error


def _type(value: Any) -> str:
    """What JSON calls the type of a value."""
    names = {str: "a text", dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise HTTPException(413, f"A request must have at most {LARGEST:,} bytes. Send fewer or shorter texts.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, f"The content-type must be application/json, but got {kind[:40] or 'none'}.")
    return bytes(body)


def _refusal(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return JSONResponse({"error": "The request ended before its body did."}, 400)
    elsewhere = error.status_code in (404, 405)
    reason = "Predictions are the answers to POST /invocations." if elsewhere else error.detail
    return JSONResponse({"error": reason}, error.status_code, error.headers)


def _wrong(reason: str) -> HTTPException:
    return HTTPException(400, reason)


def _example(columns: Sequence[str]) -> str:
    return json.dumps({"inputs": {name: ["the weather was fine"] for name in columns}})
