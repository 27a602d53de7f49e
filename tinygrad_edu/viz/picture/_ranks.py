"""Ranks, order and coordinates of what stands in one frame: the steps of a layered layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

__all__ = ["Item", "Key", "Link", "Net", "connect", "crossings", "order", "rank", "settle"]

Net: TypeAlias = tuple[
    str, bool
]  # where arrows come from and whether they carry gradients: they share their way while they can
Key: TypeAlias = tuple[str, ...] | tuple[str, str, bool]

SWEEPS, PASSES = 8, 16
NEARLY = 24.0  # a rise that is made straight at the end, if there is room
STRAIGHT = 8.0  # how much more it matters that a long way is straight than that a box is near its neighbours


@dataclass(eq=False, slots=True)
class Item:
    """What stands in a rank: a box, a frame, an opening of the frame around it, or a piece of a long way.

    Its extent along the arrows and across them; ``entries`` and ``exits`` tell how far from ``begin`` arrows arrive and leave.
    """

    along: float = 0.0
    across: float = 0.0
    entries: dict[Net | int, float] = field(
        default_factory=dict
    )  # by arrow, or by net where a net comes through an opening
    exits: dict[Net, float] = field(default_factory=dict)
    fixed: bool = False  # entries and exits are where they are
    opening: str = ""  # "in" or "out"
    piece: bool = False  # of a long way
    rank: int = 0
    order: int = 0  # within the rank
    begin: float = 0.0  # across


class Link(NamedTuple):
    """A piece of a way from one rank to the next."""

    source: Item
    target: Item
    net: Net
    arrives: Net | int  # the entry of ``target``

    def shift(self) -> float:
        """Where the target begins, measured from where the source begins, if the link is straight."""
        return self.source.exits.get(self.net, 0.0) - self.target.entries.get(self.arrives, 0.0)

    def rise(self) -> float:
        """How far across it leads."""
        return self.target.begin - self.source.begin - self.shift()


def rank(items: list[Item], pairs: list[tuple[Item, Item]]) -> None:
    """Rank the items by the longest way that leads to them; what nothing leads to stands just before its first user.

    Openings stand first and last.
    """
    into: dict[Item, int] = dict.fromkeys(items, 0)
    out_of: dict[Item, list[Item]] = {item: [] for item in items}
    for source, target in pairs:
        into[target] += 1
        out_of[source].append(target)
    sources = [item for item in items if not into[item]]
    ready = list(sources)
    for item in ready:  # it grows meanwhile
        for target in out_of[item]:
            target.rank = max(target.rank, item.rank + 1)
            into[target] -= 1
            if not into[target]:
                ready.append(target)
    for item in sources:
        if out_of[item] and not item.opening:
            item.rank = min(target.rank for target in out_of[item]) - 1
    last = max((item.rank for item in items if item.opening != "out"), default=-1) + 1
    for item in items:
        if item.opening == "out":
            item.rank = max(last, item.rank)
    used = {number: place for place, number in enumerate(sorted({item.rank for item in items}))}
    for item in items:
        item.rank = used[item.rank]


def connect(
    items: list[Item], ends: dict[tuple[Key, Net | int], tuple[Item, Item, Net]]
) -> tuple[list[list[Item]], list[Link], dict[tuple[Key, Net | int], list[Item]]]:
    """Lead each way through the ranks between its ends; ways of one net share the pieces.

    Gives the ranks, the links between neighbouring ranks, and for each end the items on the way to it.
    """
    ranks: list[list[Item]] = [[] for _ in range(max((item.rank for item in items), default=-1) + 1)]
    for item in items:
        ranks[item.rank].append(item)
    links: list[Link] = []
    ways: dict[tuple[Key, Net | int], list[Item]] = {}
    trunks: dict[Net, list[Item]] = {}
    for end, (start, target, net) in ends.items():
        trunk = trunks.setdefault(net, [start])
        while len(trunk) < target.rank - start.rank:
            piece = Item(piece=True, rank=start.rank + len(trunk))
            ranks[piece.rank].append(piece)
            links.append(Link(trunk[-1], piece, net, net))
            trunk.append(piece)
        way = trunk[: target.rank - start.rank]
        links.append(Link(way[-1], target, net, end[1]))
        ways[end] = [*way, target]
    return ranks, links, ways


def order(ranks: list[list[Item]], links: list[Link]) -> None:
    """Order each rank by the medians of its neighbours, forth and back, and keep the order with the fewest crossings."""
    before: dict[Item, list[Link]] = {}
    behind: dict[Item, list[Link]] = {}
    for link in links:
        before.setdefault(link.target, []).append(link)
        behind.setdefault(link.source, []).append(link)
    _number(ranks)
    best, fewest = [list(items) for items in ranks], crossings(ranks, links)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for items in ranks if forth else reversed(ranks):
            places = {}
            for item in items:
                found = sorted(
                    _leaves(e) if forth else _arrives(e) for e in (before if forth else behind).get(item, ())
                )
                places[item] = _median(found) if found else float(item.order)
            items.sort(key=places.__getitem__)
            for number, item in enumerate(items):
                item.order = number
        count = crossings(ranks, links)
        if count < fewest:
            best, fewest = [list(items) for items in ranks], count
        if not fewest:
            break
    ranks[:] = best
    _number(ranks)


def _number(ranks: list[list[Item]]) -> None:
    for items in ranks:
        for number, item in enumerate(items):
            item.order = number


def _leaves(link: Link) -> float:
    """The place of a link within the rank it leaves: a frame's openings have their order, too."""
    source = link.source
    return source.order + (source.exits[link.net] / source.across if source.fixed and source.across else 0.5)


def _arrives(link: Link) -> float:
    """The place of a link within the rank where it arrives."""
    target = link.target
    return target.order + (target.entries[link.arrives] / target.across if target.fixed and target.across else 0.5)


def _median(places: list[float]) -> float:
    """The middle one; of two in the middle, the mean.

    >>> _median([1.0, 2.0, 9.0]), _median([1.0, 2.0])
    (2.0, 1.5)
    """
    half = len(places) // 2
    return places[half] if len(places) % 2 else (places[half - 1] + places[half]) / 2


def crossings(ranks: list[list[Item]], links: list[Link]) -> int:
    """Count the pairs of links that cross, with a tree of partial sums: n log n (Barth, Mutzel and Juenger, 2004)."""
    between: list[list[tuple[float, float]]] = [[] for _ in ranks]
    for link in links:
        between[link.target.rank].append((_leaves(link), _arrives(link)))
    count = 0
    for pairs in between:
        pairs.sort()
        places = {place: number for number, place in enumerate(sorted({end for _, end in pairs}), 1)}
        sums = [0] * (len(places) + 1)
        for done, (_, end) in enumerate(pairs):
            number = places[end]
            not_above = 0
            while number:
                not_above += sums[number]
                number &= number - 1
            count += done - not_above
            number = places[end]
            while number < len(sums):
                sums[number] += 1
                number += number & -number
    return count


def settle(ranks: list[list[Item]], links: list[Link], between: float) -> None:
    """Bring each item near the straight continuation of its links, without changing the order or touching a neighbour."""
    before: dict[Item, list[Link]] = {}
    behind: dict[Item, list[Link]] = {}
    for link in links:
        before.setdefault(link.target, []).append(link)
        behind.setdefault(link.source, []).append(link)
    for items in ranks:
        _spread(items, {}, between)
    for number in range(PASSES):
        last = number >= PASSES - 4
        forth = number % 2 == 0
        for items in ranks if forth else reversed(ranks):
            wishes: dict[Item, tuple[float, float]] = {}
            for item in items:
                total = weight = 0.0
                for link in before.get(item, ()) if forth or last else ():
                    share = STRAIGHT if link.source.piece and item.piece else 1.0
                    total += share * (link.source.begin + link.shift())
                    weight += share
                for link in behind.get(item, ()) if not forth or last else ():
                    share = STRAIGHT if link.target.piece and item.piece else 1.0
                    total += share * (link.target.begin - link.shift())
                    weight += share
                if weight:
                    wishes[item] = (total / weight, weight)
            _spread(items, wishes, between)
    for items in reversed(ranks):
        _align(items, {item: [-e.rise() for e in behind.get(item, ())] for item in items}, between)
    for items in ranks:
        _align(items, {item: [e.rise() for e in before.get(item, ())] for item in items}, between)
    top = min((item.begin for items in ranks for item in items), default=0.0)
    for items in ranks:
        for item in items:
            item.begin -= top


def _align(items: list[Item], rises: dict[Item, list[float]], between: float) -> None:
    """Make straight what is nearly so: the link that rises least, if there is room to move its item."""
    for place, item in enumerate(items):
        rise = min(rises[item], key=abs, default=0.0)
        if not 0.01 < abs(rise) < NEARLY:
            continue
        begin = item.begin - rise
        above = items[place - 1] if place else None
        below = items[place + 1] if place + 1 < len(items) else None
        if above is not None and begin < above.begin + above.across + _room(above, item, between):
            continue
        if below is not None and begin + item.across + _room(item, below, between) > below.begin:
            continue
        item.begin = begin


def _room(one: Item, other: Item, between: float) -> float:
    """How far two neighbours in a rank stand apart; two ways may run closer."""
    return between / 2 if one.piece and other.piece else between


def _spread(items: list[Item], wishes: dict[Item, tuple[float, float]], between: float) -> None:
    """Place the items of a rank in their order, as near to their wishes as the room between them allows (least squares).

    Without the sizes this is isotonic regression: neighbours whose wishes contradict are pooled.
    """
    offset = 0.0
    pools: list[tuple[float, float, list[tuple[Item, float]]]] = []  # mean wish, weight, the items with their offsets
    for place, item in enumerate(items):
        if place:
            offset += items[place - 1].across + _room(items[place - 1], item, between)
        wish, weight = wishes.get(item, (item.begin, 0.1))
        pool = (wish - offset, weight, [(item, offset)])
        while pools and pools[-1][0] > pool[0]:
            mean, heavy, members = pools.pop()
            both = heavy + pool[1]
            pool = ((mean * heavy + pool[0] * pool[1]) / both, both, members + pool[2])
        pools.append(pool)
    for mean, _, members in pools:
        for item, shift in members:
            item.begin = mean + shift
