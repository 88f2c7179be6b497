"""The routes. Every one needs the token (noiseaudit_review.security); bodies are JSON."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from importlib.resources import files
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from noiseaudit.errors import NoiseAuditError
from noiseaudit.review.log import EventIdTaken
from noiseaudit_reports.text import visible
from noiseaudit_review import shown
from noiseaudit_review.asked import (
    AskedDecisions,
    AskedList,
    AskedUndo,
    OfRun,
    Refused,
    RunId,
    Who,
    answers_of,
    check_run,
    filter_of,
    known_row,
)
from noiseaudit_review.images import media_type
from noiseaudit_review.review import Review
from noiseaudit_review.security import Guard

MOST_PAGE = 200  # rows of a list at a time
MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

AskedWho = Annotated[Who, Query()]
AskedRun = Annotated[RunId, Query()]


def make_app(review: Review, token: str, port: int, once: str = "") -> ASGIApp:
    """The server's application; `port` is where it listens, `once` a token that is good for one opening."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _add_page(app)
    _add_reading(app, review)
    _add_writing(app, review)
    _add_errors(app)
    return Guard(app, token, port, once)


def _add_page(app: FastAPI) -> None:
    """The page's own files, by their names: no path of a request is ever looked up on the disk."""
    folder = files("noiseaudit_review") / "static"
    page = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    def file_of(name: str) -> Response:
        if name not in page:
            raise Refused(404, "no such file")
        return Response(page[name], media_type=MEDIA[name[name.rindex(".") :]])

    app.get("/")(lambda: file_of("index.html"))
    app.get("/static/{name}")(file_of)


def _add_reading(app: FastAPI, review: Review) -> None:
    def of_run(run: AskedRun) -> None:
        check_run(review, run)

    same_run = [Depends(of_run)]

    @app.get("/api/audit")
    def about() -> dict[str, Any]:
        return shown.about(review)

    @app.get("/api/progress", dependencies=same_run)
    def progress(reviewer: AskedWho = "") -> dict[str, Any]:
        review.board.refresh()
        return shown.progress(review, reviewer)

    @app.get("/api/agreement", dependencies=same_run)
    def agreement() -> dict[str, Any]:
        labelled, unlabelled = review.agreements()
        return asdict(labelled) | {"unlabelled": asdict(unlabelled)}

    @app.post("/api/lists", dependencies=[Depends(_json)])
    def make_list(asked: AskedList) -> dict[str, int]:
        check_run(review, asked.run)
        return review.make_list(filter_of(review, asked), asked.reviewer)

    @app.get("/api/lists/{number}", dependencies=same_run)
    def page(
        number: int,
        start: Annotated[int, Query(ge=0)] = 0,
        count: Annotated[int, Query(ge=1, le=MOST_PAGE)] = 60,
        reviewer: AskedWho = "",
    ) -> dict[str, Any]:
        found = review.page(number, start, count)
        if found is None:
            raise Refused(404, "no such list")
        return {"rows": shown.rows(review, found.rows.tolist(), reviewer, settles=found.settles)}

    @app.get("/api/lists/{number}/unanswered", dependencies=same_run)
    def unanswered(
        number: int, start: Annotated[int, Query(ge=0)] = 0, reviewer: AskedWho = ""
    ) -> dict[str, int | None]:
        found = review.unanswered(number, start, reviewer)
        if found is None:
            raise Refused(404, "no such list")
        return found

    @app.get("/api/similar/{row}", dependencies=same_run)
    def similar(row: int, count: Annotated[int, Query(ge=1, le=24)] = 6) -> dict[str, list[int]]:
        return shown.similar(review, known_row(review, row), count)

    @app.get("/image/{row}", dependencies=same_run)
    def image(row: int, size: Literal["small", "large"] = "small") -> Response:
        found = review.images.get(known_row(review, row), size)
        if found is None:
            raise Refused(404, "no picture")
        kept = {"Cache-Control": "private, max-age=3600"}  # its address names the run
        return Response(found, media_type=media_type(found), headers=kept)


def _add_writing(app: FastAPI, review: Review) -> None:
    def after(event_id: str, reviewer: str) -> dict[str, Any]:
        review.board.refresh()
        rows = [review.board.row(name) for name in review.log.of(event_id)]
        return {
            "rows": [shown.said(review, row, reviewer) for row in rows],
            "progress": shown.progress(review, reviewer),
        }

    @app.post("/api/decisions", dependencies=[Depends(_json)])
    def decide(asked: AskedDecisions) -> dict[str, Any]:
        check_run(review, asked.run)
        answers = answers_of(review, asked)
        review.log.decide(asked.event_id, asked.reviewer, answers, review.asked(answers))
        return after(asked.event_id, asked.reviewer)

    @app.post("/api/undo", dependencies=[Depends(_json)])
    def undo(asked: AskedUndo) -> dict[str, Any]:
        check_run(review, asked.run)
        review.log.undo(asked.event_id, asked.reviewer)
        return after(asked.event_id, asked.reviewer)

    @app.post("/api/export", dependencies=[Depends(_json)])
    def export(asked: OfRun) -> dict[str, Any]:
        check_run(review, asked.run)
        written = review.export()
        return {"n": written.n, "n_skipped": written.n_skipped, "notes": list(map(visible, written.notes))}


def _json(request: Request) -> None:
    """A form of another site can send no such type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "bodies are application/json")


def _add_errors(app: FastAPI) -> None:
    """Every error is one line of JSON."""

    @app.exception_handler(Refused)
    def refused(request: Request, error: Refused) -> Response:
        return JSONResponse({"error": error.why}, error.status)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        return JSONResponse({"error": error.detail}, error.status_code)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return JSONResponse({"error": f"{place}: {first['msg']}"}, 422)

    @app.exception_handler(EventIdTaken)
    def taken(request: Request, error: EventIdTaken) -> Response:
        return JSONResponse({"error": "another action has this event_id"}, 422)

    @app.exception_handler(sqlite3.Error)
    def database(request: Request, error: sqlite3.Error) -> Response:
        return JSONResponse({"error": f"the database cannot be written ({error})"}, 500)

    @app.exception_handler(NoiseAuditError)
    def failed(request: Request, error: NoiseAuditError) -> Response:
        return JSONResponse({"error": str(error)}, 500)
