"""Where two texts differ, character by character: what a clerk's eye would have to search for.

The texts are aligned (Levenshtein, over characters), so that one digit too few marks one place and not all that follow.
"""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein

# A piece of text and what it is: "" as on the other side, "other" different, "gap" (no text) wanting here.
Piece = tuple[str, str]
_LONGEST = 400  # characters compared one by one: an address is shorter, and the alignment takes their square


def marked(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces; joined, each side's pieces are its text."""
    if left == right:
        return [(left, "")], [(right, "")]
    if len(left) > _LONGEST or len(right) > _LONGEST:
        return [(left, "other")], [(right, "other")]
    steps = _steps(left, right)
    return (
        _pieces(left, [(begin, end, same) for begin, end, _, _, same in steps]),
        _pieces(right, [(begin, end, same) for _, _, begin, end, same in steps]),
    )


def sides(row: str | None, register: str | None) -> tuple[list[Piece] | None, list[Piece] | None]:
    """Both sides in pieces; what one side does not say (None or empty) differs from nothing."""
    if row and register:
        return marked(row, register)
    return [(row, "")] if row else None, [(register, "")] if register else None


_Step = tuple[int, int, int, int, bool]  # left from, to, right from, to, the same
_SWAPS = ([(0, 1), (1, 1), (1, 0)], [(1, 0), (1, 1), (0, 1)])


def _steps(left: str, right: str) -> list[_Step]:
    """The alignment in places that are the same and places that differ, by turns.

    Two neighbours swapped, which it sees as one wanting here and one wanting there, are one place that differs.
    """
    steps: list[_Step] = []
    for op in Levenshtein.opcodes(left, right):
        step = (op.src_start, op.src_end, op.dest_start, op.dest_end, op.tag == "equal")
        if steps and not (step[4] or steps[-1][4]):
            step = _joined(steps.pop(), step)
        steps.append(step)
        if [_lengths(each) for each in steps[-3:]] in _SWAPS:
            steps[-3:] = [_joined(steps[-3], steps[-1])]
    return steps


def _joined(first: _Step, last: _Step) -> _Step:
    return first[0], last[1], first[2], last[3], False


def _lengths(step: _Step) -> tuple[int, int]:
    return step[1] - step[0], step[3] - step[2]


def _pieces(text: str, spans: list[tuple[int, int, bool]]) -> list[Piece]:
    return [
        (text[begin:end], "" if same else "other") if end > begin else ("", "gap")
        for begin, end, same in spans
    ]
