"""A night as cron and people start it: with its log, its heartbeat, and a word to the operators when it is sent."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress

from pipeline import clock
from pipeline.contracts.disk_trouble import disk_trouble
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import load_settings
from pipeline.desk.watch import heard_of, tell
from pipeline.heartbeat import Heartbeat, write_heartbeat
from pipeline.private_process import harden
from pipeline.run import Night, Request, run
from pipeline.run_log import RunLog
from pipeline.versions import versions

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
        night.mail_places,
    )
    _say(request, log, beat, night.codes)
    return night


def _say(request: Request, log: RunLog, beat: Heartbeat, codes: Sequence[str]) -> None:
    """The log's last line comes last: it also says whether the operators could be told."""
    # no room for a heartbeat: `reconcile watch` hears the silence, the mail below needs none
    with suppress(OSError):
        write_heartbeat(request.state, beat)
    untold: list[Problem] = []
    try:
        untold = _told(request, beat) if request.send else []
    finally:
        log.done(beat.exit_code, [*codes, *(problem.code for problem in untold)])
    for problem in untold:
        print(problem.line(), file=sys.stderr)


def _told(request: Request, beat: Heartbeat) -> list[Problem]:
    """What kept the operators from hearing, none where all of them were told or nobody is named."""
    try:
        settings = load_settings(request.config)
    except ReconcileError:  # the night's own error, told already
        return []
    if not settings.mail.operator:
        return []
    now = clock.now()
    try:
        return list(tell(heard_of(beat, 24.0, now), settings, request.config, request.state, now) or ())
    except ReconcileError as error:  # the passwords
        return [error.problem]


def _another_run(error: BaseException) -> bool:
    return isinstance(error, ReconcileError) and error.exit_code == 5


def _exit_code(error: BaseException) -> int:
    if isinstance(error, ReconcileError):
        return error.exit_code
    return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else _BUG
