"""The share of all admissible assignments of one group that hold a pair, counted over sets of taken ends.

Losses are against the best assignment, so every factor is at most 1 and the best assignment itself counts 1: a partial
assignment that has lost `NEGLIGIBLE` bits can be dropped for good, whatever follows. What is left is few where the
weights say who belongs to whom, and many only among people who are alike.
"""

from __future__ import annotations

from collections.abc import Iterator

NEGLIGIBLE = 30.0  # bits
SMALLEST = 2.0**-NEGLIGIBLE
MOST_STEPS = 100_000  # partial assignments followed up in one group
FEW = 8  # ends of which all sets may be kept

Edge = tuple[int, int, float, float, float]  # row, slot, loss, loss of leaving the row alone, the slot
Choice = tuple[int, int, float]  # the end as a bit, the number of the edge (-1: none), the factor
Ways = dict[int, float]  # set of taken ends -> weight of all ways to it
Move = tuple[int, float, int, float, int]  # set before, its weight, the edge taken, the factor, set after


def shares(edges: list[Edge]) -> list[float] | None:
    """Per edge its share, or None where too many assignments matter."""
    lines, ends = {edge[0]: edge[3] for edge in edges}, {edge[1]: edge[4] for edge in edges}
    few = min(len(lines), len(ends)) <= FEW
    if len(lines) < len(ends) if few else sum(lines.values()) < sum(ends.values()):
        edges = [(slot, row, loss, slot_alone, row_alone) for row, slot, loss, row_alone, slot_alone in edges]
        lines, ends = ends, lines
    order = {name: number for number, name in enumerate(sorted(lines, key=lambda name: (-lines[name], name)))}
    bits = {name: 1 << number for number, name in enumerate(ends)}
    choices: list[list[Choice]] = [[(0, -1, 2.0 ** -lines[name])] for name in order]
    last: dict[int, int] = {}
    for number, (line, end, loss, _, _) in enumerate(edges):
        choices[order[line]].append((bits[end], number, 2.0**-loss))
        last[end] = max(order[line], last.get(end, 0))
    closing: list[list[tuple[int, float]]] = [[] for _ in order]
    for name, place in last.items():
        closing[place].append((bits[name], 2.0 ** -ends[name]))
    return _counted(choices, closing, len(edges))


def _counted(
    choices: list[list[Choice]], closing: list[list[tuple[int, float]]], edges: int
) -> list[float] | None:
    """Forward over the lines, then back. `closing`: per line the ends that no later line wants, and their loss alone."""
    ways: Ways = {0: 1.0}
    trail: list[list[Move]] = []
    steps = 0
    for options, closed in zip(choices, closing, strict=True):
        steps += len(ways) * len(options)
        if steps > MOST_STEPS:
            return None
        moves = list(_moves(ways, options, closed))
        trail.append(moves)
        ways = {}
        for _, weight, _, factor, taken in moves:
            ways[taken] = ways.get(taken, 0.0) + weight * factor
    return _weighed(trail, edges)


def _moves(ways: Ways, options: list[Choice], closed: list[tuple[int, float]]) -> Iterator[Move]:
    for before, weight in ways.items():
        for bit, edge, factor in options:
            if before & bit:
                continue
            taken = before | bit
            for end, alone in closed:
                if taken & end:
                    taken ^= end
                else:
                    factor *= alone
            if weight * factor > SMALLEST:
                yield before, weight, edge, factor, taken


def _weighed(trail: list[list[Move]], edges: int) -> list[float]:
    found = [0.0] * edges
    behind: Ways = {}
    for moves in reversed(trail):
        onward: Ways = {}
        for before, weight, edge, factor, taken in moves:
            rest = factor * (behind.get(taken, 0.0) if behind else 1.0)
            onward[before] = onward.get(before, 0.0) + rest
            if edge >= 0:
                found[edge] += weight * rest
        behind = onward
    return [share / behind[0] for share in found]
