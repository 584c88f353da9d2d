"""The keys of all endpoints as a tree of segments, to find those under a pattern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from authkit.kernel.patterns import ANY, EndpointPattern


@dataclass(slots=True)
class _Node:
    key: str | None = None
    below: dict[str, _Node] = field(default_factory=dict)


class KeyTree:
    """Finds the keys under a pattern by looking only where they can be."""

    def __init__(self, keys: Iterable[str]) -> None:
        """Plant the tree."""
        self._root = _Node()
        for key in keys:
            node = self._root
            for segment in key.split("."):
                node = node.below.setdefault(segment, _Node())
            node.key = key

    def under(self, pattern: EndpointPattern) -> Iterator[str]:
        """List the keys that a pattern matches."""
        nodes = [self._root]
        for segment in pattern.segments:
            nodes = [below for node in nodes for below in _step(node, segment)]
        if pattern.is_open:
            nodes = [inside for node in nodes for inside in _all_below(node)]
        return (node.key for node in nodes if node.key is not None)


def _step(node: _Node, segment: str) -> Iterable[_Node]:
    if segment == ANY:
        return node.below.values()
    found = node.below.get(segment)
    return () if found is None else (found,)


def _all_below(node: _Node) -> Iterator[_Node]:
    waiting = list(node.below.values())
    while waiting:
        inside = waiting.pop()
        yield inside
        waiting.extend(inside.below.values())
