"""The words after ``manage.py authkit``: one file each, all of one shape."""

from authkit.management.subcommands.base import Subcommand
from authkit.management.subcommands.breakglass import BreakGlass
from authkit.management.subcommands.explain import Explain
from authkit.management.subcommands.keys import Keys
from authkit.management.subcommands.matrix import Matrix
from authkit.management.subcommands.policy import Policy
from authkit.management.subcommands.prune import Prune
from authkit.management.subcommands.sync import Sync
from authkit.management.subcommands.unlock import Unlock

#: In the order of ``manage.py authkit --help``.
SUBCOMMANDS: tuple[type[Subcommand], ...] = (
    Sync,
    Matrix,
    Explain,
    Policy,
    Prune,
    Keys,
    Unlock,
    BreakGlass,
)
