"""An administrator who acts in somebody else's name changes nobody's access."""

from __future__ import annotations

from authkit.access import acting, guards


def require_own_hand(**_: object) -> None:
    """Refuse whoever does.

    Raises:
        WhileImpersonating: they do.
    """
    actor = acting.current()
    if actor is not None:
        guards.require_own_hand(actor)
