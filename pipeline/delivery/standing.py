"""Letters that have not reached anybody and that somebody must see to: told every night until they are settled, not only on the
night on which the server refused them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from pipeline.delivery.outbox import Outbox, Posted
from pipeline.identity import region

_WORDS = {
    "later": "稍后再试",
    "refused": "被拒收",
    "given_up": "多次未成，不再试",
    "doubtful": "不知是否发到",
}
_AGAIN = "reconcile outbox retry <信> --again --reason …"
_ANEW = "改正 reconcile.toml 里的地址后 reconcile outbox withdraw <信> --reason …（下一夜按新地址重新生成）"
_HANDED = "已另行交付的 reconcile outbox handed <县码> --reason …"
_CURES = {
    "later": f"不用管，到时再试；地址错了的，{_ANEW}",
    "refused": f"{_ANEW}；地址没错的 {_AGAIN}；{_HANDED}",
    "given_up": f"查明原因后 {_AGAIN}；地址错了的，{_ANEW}；{_HANDED}",
    "doubtful": f"先问对方；没有收到才 {_AGAIN}；收到了的 reconcile outbox handed <县码> --reason …",
}


def standing(box: Outbox) -> list[Posted]:
    """What is put off, and of the current period what was refused, given up or is in doubt, unless a newer letter of the kind went there."""
    since = max((period.on for period in box.periods), default=date.min)
    return [
        letter
        for letter in box.in_state(*_WORDS)
        if letter.state == "later" or (letter.on >= since and not _overtaken(box, letter))
    ]


def _overtaken(box: Outbox, letter: Posted) -> bool:
    same = (letter.kind, letter.place, letter.to)
    return any(
        x.state == "sent" and x.on > letter.on and (x.kind, x.place, x.to) == same
        for x in box.letters.values()
    )


def standing_lines(letters: Iterable[Posted]) -> list[str]:
    """For the screen: how many, whose, until when, and the cure. One line a state."""
    lines = []
    for state, word in _WORDS.items():
        mine = [letter for letter in letters if letter.state == state]
        if mine:
            days = sorted({f"{letter.next_on}" for letter in mine if letter.next_on})
            when = f"，{'、'.join(days)} 再试" if days else ""
            lines.append(
                f"邮件  {word} {len(mine)} 封：{places_words(x.place for x in mine)}{when}。办法：{_CURES[state]}"
            )
    return lines


def standing_places(letters: Iterable[Posted]) -> Mapping[str, tuple[str, ...]]:
    """By state the counties (codes) and departments (keys) concerned; nobody's address."""
    found: dict[str, set[str]] = {}
    for letter in letters:
        found.setdefault(letter.state, set()).add(letter.place)
    return {state: tuple(sorted(places)) for state, places in sorted(found.items())}


def places_words(places: Iterable[str]) -> str:
    """Counties with name and code, departments by key, each once."""
    return "、".join(place_words(place) for place in sorted(set(places)))


def place_words(place: str) -> str:
    """A county's name with its code; a department's key."""
    name = region.county_name(place) if place.isdigit() else None
    return f"{name}（{place}）" if name else place
