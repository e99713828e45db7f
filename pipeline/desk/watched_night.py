"""A night as cron and people start it: with its log, its heartbeat, and a word to the operators when it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pipeline import clock
from pipeline.contracts.disk_trouble import disk_trouble
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.settings import load_settings
from pipeline.desk.watch import heard_of, tell
from pipeline.heartbeat import Heartbeat, write_heartbeat
from pipeline.private_process import harden
from pipeline.run import Night, Request, run, versions
from pipeline.run_log import RunLog

_INTERRUPTED, _BUG = 130, 2


def watched_night(request: Request) -> Night:
    """`run`, and whatever its end: a last line in the log, the heartbeat, with `send` a mail to `mail.operator`.

    Raises as `run`. A run that is refused before there is a state leaves nothing behind.
    """
    harden()
    log = RunLog(request.state)
    try:
        night = run(request, log)
    except BaseException as failure:
        error = failure if isinstance(failure, ReconcileError) else disk_trouble(failure) or failure
        if request.state.is_dir() and not _another_run(error):
            code, codes = _exit_code(error), [error.problem.code] if isinstance(error, ReconcileError) else []
            _say(request, log, Heartbeat(log.as_of, clock.now(), code, versions=versions()), codes)
        raise error from None
    beat = Heartbeat(
        night.as_of,
        clock.now(),
        night.exit_code,
        night.accepted,
        night.expected,
        night.counties,
        night.mails,
        versions(),
    )
    _say(request, log, beat, night.codes)
    return night


def _say(request: Request, log: RunLog, beat: Heartbeat, codes: Sequence[str]) -> None:
    log.done(beat.exit_code, codes)
    # no room for a heartbeat: `reconcile watch` hears the silence, the mail below needs none
    with suppress(OSError):
        write_heartbeat(request.state, beat)
    if request.send:
        with suppress(
            ReconcileError
        ):  # the night's own error is told; settings that cannot be read cannot mail
            settings = load_settings(request.config)
            if settings.mail.operator:
                now = clock.now()
                tell(heard_of(beat, 24.0, now), settings, request.config, request.state, now)


def _another_run(error: BaseException) -> bool:
    return isinstance(error, ReconcileError) and error.exit_code == 5


def _exit_code(error: BaseException) -> int:
    if isinstance(error, ReconcileError):
        return error.exit_code
    return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else _BUG
