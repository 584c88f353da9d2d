"""The policy as a file: readable in a pull request, carried from one system to another.

    # Roles and their rules
    format = 1
    looked_at = [
        "api.article",
    ]

    [roles.author]
    name = "Author"
    includes = [
        "reader",
    ]
    permissions = [
        "demo.view_report",
    ]
    rules = [
        "allow api.article:create",
    ]

    [roles.author.defaults]
    "allow api.article:update when own" = "as in code"

`defaults` are the rules that code declares (`@allow`), each with what has become of it:
``"as in code"``, ``"off"``, or the rule that an administrator made of it. `looked_at` are
the endpoints at which rules with patterns count. Whoever has a role is not part of a
policy; groups of people are, if they are asked for (`with_groups`).
"""

from authkit.access.policy_file.document import PolicyFileError
from authkit.access.policy_file.exporting import export_policy
from authkit.access.policy_file.importing import Imported, import_policy
from authkit.access.policy_file.reading import MAX_SIZE

__all__ = ["MAX_SIZE", "Imported", "PolicyFileError", "export_policy", "import_policy"]
