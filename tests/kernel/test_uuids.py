"""A UUID that is made the short way is the UUID."""

from __future__ import annotations

import copy
import pickle
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from authkit.kernel.uuids import uuid_of


@given(st.uuids())
def test_it_is_the_uuid_of_its_text(value: UUID):
    made = uuid_of(str(value))
    assert made == value
    assert hash(made) == hash(value)
    assert (str(made), made.bytes, made.version) == (str(value), value.bytes, value.version)
    assert made.is_safe is value.is_safe
    assert pickle.loads(pickle.dumps(made)) == copy.copy(made) == value  # noqa: S301 - our own
