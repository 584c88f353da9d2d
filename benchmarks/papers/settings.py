"""Settings of the project of papers: authkit and its peers, each ready to decide."""

from benchmarks import settings as usual
from benchmarks.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.papers.urls"
INSTALLED_APPS = [*usual.INSTALLED_APPS, "guardian", "rolepermissions", "benchmarks.papers"]
AUTHENTICATION_BACKENDS = [
    *usual.AUTHENTICATION_BACKENDS,
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
ROLEPERMISSIONS_MODULE = "benchmarks.papers.peers"
# Here the views are what rules are about.
AUTHKIT = {name: value for name, value in usual.AUTHKIT.items() if name != "UNGOVERNED_VIEWS"}
