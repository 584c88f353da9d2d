"""The actions of a page of the admin site, which Django keeps otherwise from 6.1 on.

Until then an action is a tuple, and only lists have any. From 6.1 on it is an object, and
pages of single rows may have some too: `get_actions` is told for which place they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any


def places(action_location: Any) -> tuple[Any, ...]:
    """What Django's own `get_actions` takes beside the request; nothing before 6.1."""
    return () if action_location is None else (action_location,)


def function_of(action: Any) -> Callable[..., Any]:
    """What an action does."""
    does: Callable[..., Any] = action[0] if isinstance(action, tuple) else action.func
    return does


def doing(action: Any, function: Callable[..., Any]) -> Any:
    """The same action by name and text, which does something else."""
    if isinstance(action, tuple):
        return (function, *action[1:])
    return replace(action, func=function)
