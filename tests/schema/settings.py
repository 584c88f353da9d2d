"""A project with drf-spectacular."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as OF_EVERY_TEST
from tests.settings import REST_FRAMEWORK as DEFAULTS

INSTALLED_APPS = [*OF_EVERY_TEST, "drf_spectacular"]
ROOT_URLCONF = os.environ["SCHEMA_URLCONF"]
REST_FRAMEWORK = {**DEFAULTS, "DEFAULT_SCHEMA_CLASS": "authkit.schema.AutoSchema"}
