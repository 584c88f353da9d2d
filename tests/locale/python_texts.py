"""Finds texts in Python files, and tells those that people read from all others.

It is closed by default: what looks like words is read by people, unless it stands where
nobody but a programmer, an operator or a program looks.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from authkit.access.refusals import GuardRefusal
from authkit.exceptions import AuthkitError
from tests.ground import ROOT

PACKAGE = ROOT / "authkit"

#: Files that speak to operators and programmers at a terminal or in an editor, in English
#: as Django's own commands and checks do: what they say is looked up and searched for.
AT_A_TERMINAL = ("checks", "management", "testing", "conf.py", "schema.py")

#: Where gettext comes from, and its functions that wait for a reader's language.
_GETTEXT = {"django.utils.translation", "authkit.exceptions"}
_LATER = {
    "gettext_noop",
    *(f"{name}_lazy" for name in ("gettext", "ngettext", "pgettext", "npgettext")),
}

#: Keywords and attributes whose texts are read whatever they look like.
_READ = {
    "button",
    "default_detail",
    "description",
    "empty_value_display",
    "help_text",
    "label",
    "lead",
    "public_message",
    "short_description",
    "site_header",
    "site_title",
    "title",
    "verbose_name",
    "verbose_name_plural",
}

#: Errors whose texts end in logs and tracebacks: a programmer's mistakes, and what the
#: kernel tells the floors above, which answer with a refusal of their own. A refusal
#: (AuthkitError) itself keeps its argument for logs; people read its `public_message`.
_SILENT = {
    "AddressRefused",
    "AssertionError",
    "AuthMissingParameter",
    "AuthProviderError",
    "AuthUnreachableProvider",
    "ContentDecodingError",
    "DecodeError",
    "EditError",
    "ImproperlyConfigured",
    "IntegrityError",
    "InvalidAlgorithmError",
    "InvalidKeyError",
    "InvalidSignatureError",
    "InvalidToken",
    "KeyRefused",
    "LookupError",
    "MalformedJson",
    "MalformedToken",
    "NoTokens",
    "NotCanonical",
    "OSError",
    "ReferenceError",
    "RuntimeError",
    "TemplateSyntaxError",
    "Timeout",
    "TimeoutError",
    "TokenBackendError",
    "TokenBackendExpiredToken",
    "TokenError",
    "TypeError",
    "Unsealable",
    "UrlRefused",
    "ValueError",
    "Wrong",
}
#: What hands on, to what stands inside, that people read it.
_TRANSPARENT = (ast.BinOp, ast.BoolOp, ast.Dict, ast.IfExp, ast.List, ast.Set, ast.Tuple)

#: How many texts the functions of gettext take, by what stands before "gettext".
_TEXTS = {"": 1, "n": 2, "p": 2, "np": 3}
_LOG = {"debug", "info", "warning", "error", "exception", "critical"}

_PLACE = "{…}"  # of a value in a text
#: SQL, media types and headers.
_FOR_MACHINES = re.compile(
    r"(?:SELECT|WITH|INSERT|UPDATE|DELETE)[ ]"
    r" | (?:\{…\})?[ ](?:AS|FROM|OR|AND|WHERE)[ ] | (?i:attachment|[a-z]+/[a-z.+-]+);"
    r" | (?:private|public|no-store|no-cache),"
    r" | (?:Bearer|Basic|Session|token)[ ]\{…\}$",
    re.VERBOSE,
)
_TAG = re.compile(r"<[^<>]*>")
_WORDS = re.compile(
    r"""[^\W\d_]{2,}[^\w\s]*\s+[^\w\s]*[\w{]  # a word and something after it
    | }[^\w\s]*\s+[^\W\d_]{2,}                 # or before it
    | ^\s+[^\W\d_]{2,}\b | \b[^\W\d_]{2,}\s+$       # or glued to something else
    | ^[A-Z][^\W\d_]+[.!?…]$                             # or a sentence of one word
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text in a file. `problem` says why it may not stand there like this."""

    path: Path
    line: int
    text: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}: {self.text!r}"

    @property
    def entry(self) -> tuple[str, str]:
        """As a list of exceptions names it: the file, and how the text begins."""
        return str(self.path.relative_to(PACKAGE)), self.text[:64]


def files() -> list[Path]:
    """The package's files whose texts people may read."""
    found = sorted(PACKAGE.rglob("*.py"))
    return [path for path in found if not _is_left_out(path.relative_to(PACKAGE))]


def _is_left_out(path: Path) -> bool:
    return path.parts[0] in (*AT_A_TERMINAL, "migrations")


def looks_like_words(text: str) -> bool:
    """Whether it is more than a name, a code, a format, SQL or a header."""
    if _FOR_MACHINES.match(text):
        return False
    return bool(_WORDS.search(_TAG.sub(" ", text) if "<" in text else text))


def problems_in(path: Path, source: str | None = None) -> Iterator[Text]:
    """What a person reads and cannot be translated, or not rightly."""
    module = None if source is not None else importlib.import_module(_name_of(path))
    tree = ast.parse(path.read_text() if source is None else source)
    yield from _Finder(path, tree, module).problems()


def _name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


class _Finder:
    def __init__(self, path: Path, tree: ast.Module, module: ModuleType | None) -> None:
        self.path = path
        self.tree = tree
        self.module = module
        self.marks = dict(_marks_in(tree))
        self.read = {each for node in ast.walk(tree) for each in _read_in(node)}

    def problems(self) -> Iterator[Text]:
        yield from self._inside(self.tree, in_function=False, is_read=False)

    def _inside(self, node: ast.AST, *, in_function: bool, is_read: bool) -> Iterator[Text]:
        is_read = is_read or node in self.read
        if isinstance(node, ast.Constant | ast.JoinedStr):
            yield from self._judge(node, is_read=is_read)
        if isinstance(node, ast.JoinedStr):
            yield from self._hidden(node)
        mark = self._mark_of(node)
        if isinstance(node, ast.Call) and mark is not None:
            yield from self._marked(node, mark, in_function=in_function)
        elif not isinstance(node, ast.Call) or not self._is_silent(node):
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in _children(node):
                yield from self._inside(
                    child,
                    in_function=in_function or is_function,
                    is_read=is_read and isinstance(node, _TRANSPARENT),
                )

    def _hidden(self, node: ast.JoinedStr) -> Iterator[Text]:
        for each in ast.walk(node):
            if isinstance(each, ast.Call) and self._mark_of(each) is not None:
                yield self._text(
                    each, ast.unparse(each), "is in an f-string: makemessages looks over it"
                )

    def _judge(self, node: ast.Constant | ast.JoinedStr, *, is_read: bool) -> Iterator[Text]:
        text = _text_of(node)
        if looks_like_words(text) or (is_read and re.search(r"[^\W\d_]{2}", text)):
            yield self._text(node, text, "does not go through gettext")

    def _marked(self, call: ast.Call, mark: str, *, in_function: bool) -> Iterator[Text]:
        for each in call.args[: _TEXTS[mark.partition("gettext")[0]]]:
            if not _is_literal(each) and not _is_public_message(each):
                yield self._text(each, ast.unparse(each), "is no literal: no catalogue has it")
        if not in_function and mark not in _LATER:
            yield self._text(call, ast.unparse(call), "is translated once, when it is imported")

    def _mark_of(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self.marks.get(node.func.id)
        return None

    def _is_silent(self, call: ast.Call) -> bool:
        name = _name_in(call.func)
        if isinstance(call.func, ast.Attribute) and name in _LOG:
            return "ogger" in ast.unparse(call.func.value)
        kind = getattr(self.module, name, None)
        if isinstance(kind, type) and issubclass(kind, AuthkitError):
            return not issubclass(kind, GuardRefusal)  # which says to people what it is about
        return name in _SILENT or name == "cast"

    def _text(self, node: ast.expr, text: str, problem: str) -> Text:
        return Text(self.path, node.lineno, text, problem)


def _marks_in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What the functions of gettext are called in this file, and which they are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in _GETTEXT:
            for name in node.names:
                if "gettext" in name.name:
                    yield name.asname or name.name, name.name
        elif isinstance(node, ast.FunctionDef) and node.name == "gettext_noop":
            yield node.name, node.name


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What stands inside and may be read."""
    for child in ast.iter_child_nodes(node):
        if _is_docstring(child) or _is_annotation(node, child) or isinstance(child, ast.Pass):
            continue
        if isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant):
            continue  # judged as a whole
        yield child


def _read_in(node: ast.AST) -> Iterator[ast.AST | None]:
    """What stands inside in a place whose texts people read."""
    if isinstance(node, ast.keyword) and node.arg in _READ:
        yield node.value
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(_name_in(target) in _READ for target in targets):
            yield node.value
    elif isinstance(node, ast.Call) and node.args and _is_field(node.func):
        yield node.args[0]
    elif isinstance(node, ast.ClassDef) and any("Choices" in _name_in(b) for b in node.bases):
        for each in node.body:  # one without a label would get its name as one
            if isinstance(each, ast.Assign):
                pair = each.value
                yield pair.elts[1] if isinstance(pair, ast.Tuple) else pair


def _is_field(function: ast.expr) -> bool:
    """Whether it is a field of a model, whose first argument is what it is called."""
    is_of_models = isinstance(function, ast.Attribute) and _name_in(function.value) == "models"
    name = _name_in(function)
    return (
        is_of_models and name.endswith("Field") and name not in {"ManyToManyField", "OneToOneField"}
    )


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_annotation(node: ast.AST, child: ast.AST) -> bool:
    return child in (getattr(node, "annotation", None), getattr(node, "returns", None))


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_public_message(node: ast.expr) -> bool:
    """A refusal's text: marked where it is written, which `test_refusals` looks at."""
    return isinstance(node, ast.Attribute) and node.attr == "public_message"


def _name_in(node: ast.AST) -> str:
    """The last name: of ``admin.site`` "site"."""
    return getattr(node, "attr", "") or getattr(node, "id", "")


def _text_of(node: ast.Constant | ast.JoinedStr) -> str:
    parts = [node] if isinstance(node, ast.Constant) else node.values
    values = [part.value if isinstance(part, ast.Constant) else _PLACE for part in parts]
    return "".join(value for value in values if isinstance(value, str))
