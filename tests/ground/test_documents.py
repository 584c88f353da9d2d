"""What the documents say is so."""

from __future__ import annotations

import re

import pytest

from authkit import conf
from tests.ground import ROOT

pytestmark = pytest.mark.default_user_only

README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted(ROOT.glob("*.md"))
PYTHON_BLOCKS = [
    pytest.param(block, id=f"{document.name}-{number}")
    for document in DOCUMENTS
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    )
]


@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_the_python_in_the_documents_compiles(block):
    compile(block, "a block of Python", "exec")


def test_the_readme_lists_exactly_the_settings_that_there_are():
    table = README.partition("## Settings")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [key for row in rows for key in re.findall(r"`([A-Z_]+)`", row)]
    assert sorted(named) == sorted(conf.SPECIFICATION)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_between_documents_lead_somewhere(document):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_readme_names_exactly_the_mails_that_there_are():
    told = README.partition("**Mails**")[2].partition("**Confirming addresses.**")[0]
    named = re.findall(r"`([a-z_]+)`", told.partition("`.html`:")[2].partition("They know")[0])
    files = (ROOT / "authkit/templates/authkit/mail").glob("*.html")
    assert sorted(named) == sorted(file.stem for file in files)
