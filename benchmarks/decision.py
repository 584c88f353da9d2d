"""How long a decision and the compilation of a policy take, by size of the policy.

``python -m benchmarks decision``. A decision is timed by direct call, as the guard of a
view makes it: the snapshot is compiled, and the caller's roles are known.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from authkit.kernel.compilation import compile_policy
from authkit.kernel.decision import Caller
from authkit.kernel.difference import compare_roles
from authkit.kernel.explanation import explain
from authkit.kernel.judgement import decide
from authkit.kernel.language import parse_pattern
from authkit.kernel.policy import Effect, EndpointDecl, Role, Rule

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACTIONS = ("list", "retrieve", "create", "update", "partial_update", "destroy", "publish")
WORDS = ("read", "create", "update", "delete", "publish", "list", "create,update", "*")
CONDITIONS = (None, None, None, "own", "published")
OURS = tuple(f"ours {number}" for number in range(10))
KEY = "app0.thing0"


def main() -> None:
    print(f"Python {sys.version.split()[0]}\n")
    heads = ("allowed", "allow if", "denied", "silence", "in scope", "new caller")
    print(f"{'a decision, µs':<32}" + "".join(f"{head:>11}" for head in heads))
    for rules in (10, 100_000):
        for roles in (10, 1_000):
            figures = decisions(rules, roles)
            print(
                f"{rules:>8,} rules {roles:>6,} roles     "
                + "".join(f"{figure:>11.2f}" for figure in figures)
            )
    more_heads = ("compile, s", "explain, ms", "preview, ms")
    print(f"\n{'':<44}" + "".join(f"{head:>13}" for head in more_heads))
    for rules, roles, endpoints in (
        (1_000, 30, 300),
        (10_000, 100, 300),
        (100_000, 1_000, 300),
        (100_000, 1_000, 1_000),
    ):
        figures = compilation(rules, roles, endpoints)
        print(
            f"{rules:>8,} rules {roles:>6,} roles {endpoints:>6,} endpoints"
            + "".join(f"{figure:>13.2f}" for figure in figures)
        )


def decisions(rules: int, roles: int) -> list[float]:
    """Microseconds for each kind of answer to somebody with ten roles."""
    ours = [
        a_rule("allow", OURS[0], f"{KEY}:list"),
        a_rule("allow", OURS[4], f"{KEY}:update", "own"),
        a_rule("allow", OURS[4], f"{KEY}:destroy"),
        a_rule("deny", OURS[5], f"{KEY}:destroy"),
    ]
    snapshot = compile_policy(
        [*(Role(role, role) for role in OURS), *invent_roles(roles)],
        [*ours, *invent_rules(rules, roles, 300)],
        invent_endpoints(300),
    )
    caller = Caller(frozenset(OURS))
    bearer = Caller(frozenset(OURS), scopes=("app1.*:read", "app0.*:read"))
    ask = partial(decide, snapshot, now=NOW)
    return [
        microseconds(lambda: ask(caller, KEY, "list")),
        microseconds(lambda: ask(caller, KEY, "update")),
        microseconds(lambda: ask(caller, KEY, "destroy")),
        microseconds(lambda: ask(caller, KEY, "publish")),
        microseconds(lambda: ask(bearer, KEY, "list")),
        microseconds(lambda: ask(Caller(frozenset(OURS)), KEY, "list")),
    ]


def compilation(rules: int, roles: int, endpoints: int) -> list[float]:
    """Seconds to compile; milliseconds to explain one decision and to preview one change."""
    given = (
        invent_roles(roles),
        invent_rules(rules, roles, endpoints),
        invent_endpoints(endpoints),
    )
    seconds = min(clock(lambda: compile_policy(*given)) for _ in range(3))
    snapshot = compile_policy(*given)
    changed = compile_policy(given[0], given[1][1:], given[2])
    caller = Caller(frozenset(role.id for role in given[0][:10]))
    explaining = clock(lambda: explain(snapshot, caller, "app1.thing1", "update", now=NOW))
    previewing = clock(lambda: list(compare_roles(snapshot, changed)))
    return [seconds, explaining * 1000, previewing * 1000]


def invent_roles(count: int) -> list[Role]:
    """Roles of which each third includes the two before it."""
    names = [f"role {number}" for number in range(count)]
    return [
        Role(name, name, tuple(names[place - 2 : place]) if place % 3 == 2 else ())
        for place, name in enumerate(names)
    ]


def invent_endpoints(count: int) -> list[EndpointDecl]:
    """Endpoints of thirty apps."""
    conditions = frozenset({"own", "published"})
    return [
        EndpointDecl(f"app{number % 30}.thing{number}", ACTIONS, conditions=conditions)
        for number in range(count)
    ]


def invent_rules(count: int, roles: int, endpoints: int) -> list[Rule]:
    """Rules of which one in five is about a whole app and one in a hundred about all."""
    chance = random.Random(2026)
    rules = []
    for _ in range(count):
        number = chance.randrange(1, endpoints)
        dice = chance.randrange(100)
        key = "*" if dice == 0 else f"app{number % 30}.{'*' if dice < 20 else f'thing{number}'}"
        rules.append(
            a_rule(
                "deny" if chance.randrange(20) == 0 else "allow",
                f"role {chance.randrange(roles)}",
                f"{key}:{chance.choice(WORDS)}",
                chance.choice(CONDITIONS),
            )
        )
    return rules


def a_rule(effect: Effect, role: str, access: str, condition: str | None = None) -> Rule:
    pattern = parse_pattern(access)
    return Rule(effect, role, pattern.endpoint, pattern.actions, condition)


def microseconds(ask: Callable[[], object], *, calls: int = 20_000, rounds: int = 7) -> float:
    """The best of several rounds, less what an empty call takes."""

    def nothing() -> None:
        return None

    return min(
        (clock(ask, calls) - clock(nothing, calls)) / calls * 1_000_000 for _ in range(rounds)
    )


def clock(ask: Callable[[], object], calls: int = 1) -> float:
    gc.collect()
    began = time.perf_counter()
    for _ in range(calls):
        ask()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
