"""The assignment of greatest total weight, in whole numbers, with its prices; which of its pairs no other one lacks.

Shortest augmenting paths with prices, buyer by buyer (R. Jonker, A. Volgenant, Computing 38 (1987)), here for sparse
pairs and with nobody as a choice: a buyer may go without, a good may stay.
"""

from __future__ import annotations

import heapq

SCALE = 10_000  # weights are whole ten-thousandths of a bit: exact arithmetic, real ties


class Market:
    """Buyers (better the smaller side), goods, and the worth of some goods to some buyers (buyer, good, weight).

    `gain[b] + price[g] >= weight` for every pair, with equality where b holds g; neither is below 0; a buyer without a
    good gains 0 and a good without an owner costs 0: the proof that no assignment is worth more.
    """

    def __init__(self, pairs: list[tuple[int, int, int]]) -> None:
        self.worth: dict[int, dict[int, int]] = {buyer: {} for buyer, _, _ in pairs}
        for buyer, good, weight in pairs:
            if weight > 0:  # nobody is as good as a pair of weight 0
                self.worth[buyer][good] = weight
        self.gain = dict.fromkeys(self.worth, 0)  # what a buyer has left after paying
        self.price = {good: 0 for _, good, _ in pairs}
        self.owner: dict[int, int] = {}
        self.holds: dict[int, int] = {}
        for buyer in self.worth:
            self._serve(buyer)

    def _serve(self, buyer: int) -> None:
        """Lets one more buyer in, along the cheapest chain of exchanges, and moves prices so that all stay content."""
        self.gain[buyer] = max(0, *(worth - self.price[good] for good, worth in self.worth[buyer].items()), 0)
        path = _Path(self, buyer)
        for other, distance in path.buyers.items():
            self.gain[other] -= path.length - distance
        for good in path.passed:
            self.price[good] += path.length - path.goods[good]
        moved = self.holds.pop(path.leaver, None) if path.free_good is None else path.free_good
        while moved is not None:
            taker = path.via[moved]
            self.owner[moved] = taker
            released = self.holds.get(taker)
            self.holds[taker] = moved
            moved = released

    def sure(self) -> set[tuple[int, int]]:
        """The (buyer, good) that no exchange of equal total undoes: not on a ring of exchanges at no loss."""
        arcs, buyers, goods = self._exchanges()
        ring = strongly_connected(arcs)
        return {
            (buyer, good) for buyer, good in self.holds.items() if ring[buyers[buyer]] != ring[goods[good]]
        }

    def _exchanges(self) -> tuple[list[list[int]], dict[int, int], dict[int, int]]:
        """Who may take what at no loss, and whom that would drive out; the nodes' numbers.

        One node stands for all that is outside: goods that nobody owns, buyers that own nothing.
        """
        buyers = {buyer: number for number, buyer in enumerate(self.worth)}
        goods = {good: len(buyers) + number for number, good in enumerate(self.price)}
        outside = len(buyers) + len(goods)
        arcs: list[list[int]] = [[] for _ in range(outside + 1)]
        for buyer, worths in self.worth.items():
            held, gain = self.holds.get(buyer), self.gain[buyer]
            for good, worth in worths.items():
                if good != held and worth - self.price[good] == gain:
                    arcs[buyers[buyer]].append(goods[good])
            if held is None:
                arcs[outside].append(buyers[buyer])
            elif not gain:
                arcs[buyers[buyer]].append(outside)
        for good, price in self.price.items():
            owner = self.owner.get(good)
            arcs[goods[good]].append(outside if owner is None else buyers[owner])
            if owner is not None and not price:
                arcs[outside].append(goods[good])
        return arcs, buyers, goods


class _Path:
    """The cheapest way (Dijkstra) for a new buyer to a free good (`free_good`) or to a buyer who goes without (`leaver`)."""

    def __init__(self, market: Market, buyer: int) -> None:
        self.buyers = {buyer: 0}
        self.goods: dict[int, int] = {}
        self.via: dict[int, int] = {}
        self.passed: list[int] = []
        self.length, self.leaver = market.gain[buyer], buyer
        self.free_good: int | None = None
        queue: list[tuple[int, bool, int]] = []
        at = 0
        while True:
            self._look(market, buyer, at, queue)
            while queue and self.goods[queue[0][2]] < queue[0][0]:
                heapq.heappop(queue)  # reached more cheaply since
            if not queue or queue[0][0] >= self.length:
                return
            at, owned, good = heapq.heappop(queue)
            if not owned:
                self.length, self.free_good = at, good
                return
            self.passed.append(good)
            buyer = market.owner[good]
            self.buyers[buyer] = at
            if at + market.gain[buyer] < self.length:
                self.length, self.leaver = at + market.gain[buyer], buyer

    def _look(self, market: Market, buyer: int, at: int, queue: list[tuple[int, bool, int]]) -> None:
        loss = at + market.gain[buyer]
        for good, worth in market.worth[buyer].items():
            distance = loss - worth + market.price[good]
            if distance < self.goods.get(good, self.length):
                self.goods[good] = distance
                self.via[good] = buyer
                heapq.heappush(queue, (distance, good in market.owner, good))


def strongly_connected(arcs: list[list[int]]) -> list[int]:
    """Per node of a directed graph a number that all of its strongly connected component share (R. Tarjan, 1972)."""
    order, low, found = [0] * len(arcs), [0] * len(arcs), [-1] * len(arcs)
    met = 0
    for start in range(len(arcs)):
        if order[start]:
            continue
        trail: list[int] = []
        walk = [(start, iter(arcs[start]))]
        while walk:
            node, ahead = walk[-1]
            if not order[node]:
                met += 1
                order[node] = low[node] = met
                trail.append(node)
            following = next(ahead, None)
            if following is None:
                walk.pop()
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[node])
                while low[node] == order[node] and found[node] < 0:
                    found[trail.pop()] = node
            elif not order[following]:
                walk.append((following, iter(arcs[following])))
            elif found[following] < 0:
                low[node] = min(low[node], order[following])
    return found
