"""The server of `noiseaudit review`: started, stopped, and what it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from socket import socket

    from noiseaudit_review.review import Review


def serve_until_stopped(opened: Review, listener: socket, *, opens_browser: bool) -> None:
    """Serve the page until Ctrl-C or SIGTERM; then the decisions are written, however it ends."""
    from noiseaudit_cli.console import say, visible
    from noiseaudit_cli.earlier import decisions
    from noiseaudit_review.server import serve
    from noiseaudit_review.shown import next_command

    def on_start(address: str, once: str) -> None:
        typer.echo(address)
        say("Ctrl-C stops the server and writes the decisions.")
        if opens_browser:
            import threading
            import webbrowser

            # One of the terminal, or of $BROWSER, comes back when it is closed, and waits for the server until then.
            threading.Thread(target=webbrowser.open, args=[once], daemon=True).start()

    _hang_up_is_terminate()
    if not opened.images.are_known:
        say(
            "warning: no picture is where the scan found it, or its data set has other rows or another order now."
            " Name their folder: --images"
        )
    try:
        serve(opened, listener, on_start)
    except KeyboardInterrupt as stop:
        if type(stop) is not KeyboardInterrupt:  # SIGTERM; Ctrl-C is how a review ends
            raise
    finally:
        try:
            written = opened.export()
            disputed = 0 if opened.is_blind else _disputed(opened)
        except Exception as error:  # a full disk, too
            error.add_note(f"all decisions are in {opened.places.db}: review --export writes them")
            raise
        finally:
            opened.log.close()
        for note in dict.fromkeys(opened.notes):
            say(visible(note))
        if not written.is_left:
            say(f"{decisions(written.n, written.n_skipped)} in {visible(str(opened.places.export))}")
        if written.n:
            say(f"{_settle_first(disputed)}: {visible(next_command(opened))}")


def _disputed(opened: Review) -> int:
    """Rows that reviewers contradict each other about, as the log has it now."""
    opened.board.refresh()
    return opened.board.progress(opened.reviewer).n_disputed


def _settle_first(n: int) -> str:
    """What to do when a review has stopped, before the command that takes its decisions."""
    if not n:
        return "Go on with"
    rows, them = ("1 row is", "it") if n == 1 else (f"{n:,} rows are", "them")
    return f"{rows} contradicted: settle {them} on the page (Filters, Decisions: Reviewers disagree), then go on with"


def _hang_up_is_terminate() -> None:
    """Who closes the terminal stops the review, too; unless it is to outlive that (nohup)."""
    import signal

    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda number, frame: signal.raise_signal(signal.SIGTERM))
