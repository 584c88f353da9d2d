"""``manage.py authkit policy``."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from authkit.access.policy_file import export_policy
from authkit.models import Role
from tests.access.some_roles import role

pytestmark = pytest.mark.django_db

FILE = 'format = 1\n\n[roles.clerk]\nname = "Clerk"\nrules = [\n    "allow api.person:read",\n]\n'


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.access.urls_of_policies"


def policy(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("authkit", "policy", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_what_is_exported_to_a_file_is_what_is_exported_to_stdout(tmp_path):
    role("clerk", "allow api.person:read")
    path = tmp_path / "policy.toml"
    out, err = policy("export", str(path))
    assert (out, str(path) in err) == ("", True)
    assert path.read_bytes() == policy("export", "-")[0].encode() == export_policy().encode()


def test_a_file_is_compared_and_imported(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(FILE)
    for arguments in (["diff"], ["import", "--dry-run"]):
        out, _ = policy(*arguments, str(path))
        assert '+    "allow api.person:read",' in out
        assert "gains api.person:list" in out
        assert not Role.objects.filter(slug="clerk").exists()
    with pytest.raises(CommandError):
        policy("diff", "--exit-code", str(path))
    policy("import", str(path))
    assert Role.objects.filter(slug="clerk").exists()
    out, err = policy("diff", "--exit-code", str(path))
    assert out == ""
    assert "the same already" in err


def test_it_is_read_from_stdin(monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(FILE.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    policy("import", "-")
    assert Role.objects.get(slug="clerk").name == "Clerk"


def test_a_mistake_is_named_with_file_and_line(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(FILE.replace("read", "re*d"))
    with pytest.raises(CommandError, match=r"policy\.toml: line 6, column 25: "):
        policy("import", str(path))
    assert not Role.objects.filter(slug="clerk").exists()


@pytest.mark.parametrize("action", ["export", "diff", "import"])
def test_a_file_that_is_not_there_is_named(action, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        policy(action, str(tmp_path / "no" / "such.toml"))


def test_nobody_imports_on_behalf_of_nobody(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(FILE)
    with pytest.raises(CommandError, match="'nobody'"):
        policy("import", "--as", "nobody", str(path))


def test_a_superuser_may_import_what_they_like(tmp_path, superuser):
    path = tmp_path / "policy.toml"
    path.write_text(FILE)
    policy("import", "--as", superuser.get_username(), str(path))
    assert Role.objects.filter(slug="clerk").exists()
