"""What is wrong with something, kept so that it can be said in any language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NONE: Mapping[str, object] = MappingProxyType({})


class Problem(ValueError):
    """Base of the kernel's errors that people read.

    ``str()`` of it is English. `wording.problem_text` says it in the reader's language.

    Attributes:
        template: what is wrong, in English, with places for `values`; marked with
            `gettext_noop` where it is written.
        values: what stands in these places.
    """

    def __init__(self, template: str, values: Mapping[str, object] = NONE) -> None:
        """Keep both."""
        self.template = template
        self.values = values
        super().__init__(self.problem)

    @property
    def problem(self) -> str:
        """What is wrong, in English."""
        return self.template % self.values
