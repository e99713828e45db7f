"""The heartbeat: `STATE/heartbeat.json`, written at the end of every run, also of one that failed, so that a silence can be heard.

It holds numbers, dates and versions, nothing about a person, and may be copied to where another machine reads it (`reconcile watch`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from pipeline.cases.places import write_whole
from pipeline.contracts.problem import Problem, ReconcileError

NAME = "heartbeat.json"
_FORMAT = 1
_LARGEST = 100_000  # bytes
_ANSWERS = (0, 3, 4)  # done; some list was not accepted; held for approval
_MAIL_INCOMPLETE = 6
_NO_TROUBLE = ("made", "sent")  # of all letters of the night how many there are is no fate


@dataclass(frozen=True)
class Heartbeat:
    """The last run in numbers. `as_of` None: it failed before that was known. `finished`: with its offset.

    `accepted`, `expected`: lists (dataset × county); `mails`: fate (sent, later, refused, doubtful, held …) → how many;
    `places`: fate → counties and departments whose mail it is.
    """

    as_of: date | None
    finished: datetime
    exit_code: int
    accepted: int = 0
    expected: int = 0
    counties: int = 0
    mails: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the run said nothing to anybody: it broke off, or not one list was accepted. Missing mail is told apart."""
        return self.exit_code not in (*_ANSWERS, _MAIL_INCOMPLETE) or not self.accepted

    @property
    def mails_open(self) -> dict[str, int]:
        """Mails of the night that did not go, by fate. Held ones wait for somebody, so they are told too."""
        return {fate: n for fate, n in sorted(self.mails.items()) if n and fate not in _NO_TROUBLE}


def write_heartbeat(state: Path, beat: Heartbeat) -> Path:
    """Puts it in place at once. Raises OSError where the disk refuses."""
    told = {
        "format": _FORMAT,
        "as_of": beat.as_of.isoformat() if beat.as_of else None,
        "finished": beat.finished.isoformat(),
        "exit_code": beat.exit_code,
        "accepted": beat.accepted,
        "expected": beat.expected,
        "counties": beat.counties,
        "mails": dict(beat.mails),
        "versions": dict(beat.versions),
        "places": {fate: list(places) for fate, places in beat.places.items()},
    }
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    write_whole(state / NAME, text.encode(), 0o600)
    return state / NAME


def read_heartbeat(folder: Path) -> Heartbeat | None:
    """The heartbeat in a state folder, or in a folder to which it is copied; None where there is none.

    Raises ReconcileError E851 where it cannot be read or is not of this version.
    """
    try:
        with (folder / NAME).open("rb") as file:
            content = file.read(_LARGEST)
    except FileNotFoundError:
        return None
    except OSError:
        raise _unreadable("没有读取权限，或共享文件夹断开了") from None
    try:
        told = json.loads(content)
        if told["format"] != _FORMAT:
            raise ValueError("another format")
        finished = datetime.fromisoformat(told["finished"])
        numbers = [told[name] for name in ("exit_code", "accepted", "expected", "counties")]
        if finished.tzinfo is None or not all(type(number) is int for number in numbers):
            raise ValueError("not a heartbeat")
        as_of = date.fromisoformat(told["as_of"]) if told["as_of"] is not None else None
        exit_code, accepted, expected, counties = numbers
        mails = {str(fate): int(count) for fate, count in told["mails"].items()}
        versions = {str(name): str(version) for name, version in told["versions"].items()}
        named = told.get("places", {})  # not in those of older versions
        places = {str(fate): tuple(str(place) for place in those) for fate, those in named.items()}
        return Heartbeat(as_of, finished, exit_code, accepted, expected, counties, mails, versions, places)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _unreadable("文件缺损，或是别的版本写的") from None


def _unreadable(why: str) -> ReconcileError:
    cure = "看 state/log/ 里最后几行，确认昨夜是否运行；再运行一次会重写它"
    return ReconcileError(Problem("E851", "error", "心跳文件读不出来", why, cure, file=NAME))
