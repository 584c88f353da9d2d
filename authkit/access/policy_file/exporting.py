"""From the database to a file."""

from __future__ import annotations

from django.db import router

from authkit.access.policy_file.reading import read
from authkit.access.policy_file.stored import read_stored
from authkit.access.policy_file.writing import write
from authkit.models import AccessRevision


def export_policy(*, with_groups: bool = False) -> str:
    """The text of a file that says what is stored.

    Raises:
        PolicyFileError: what is stored is no valid policy, so no file could say it.
        django.db.Error: the database cannot be asked.
    """
    alias = router.db_for_write(AccessRevision)
    text = write(read_stored(alias, with_groups=with_groups).document)
    read(text.encode(errors="surrogatepass"))
    return text
