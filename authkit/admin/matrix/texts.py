"""The matrix in words: what a cell says, whence, and why nobody can edit it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from django.utils.translation import gettext as _

from authkit.access.grid_cells import GridCell, Says, Statement
from authkit.access.grid_edits import Edit, Problem, RuleChange
from authkit.access.grid_words import Fixed
from authkit.kernel.difference import Stance
from authkit.kernel.patterns import ANY
from authkit.kernel.policy import EndpointDecl

Labels = Mapping[str, str]


def words_text(words: Iterable[str]) -> str:
    """The actions of a row."""
    return ", ".join(_("everything") if word == ANY else word for word in words)


def statement_text(statement: Statement, labels: Labels) -> str:
    """What one rule says; `labels` are names of conditions for people."""
    if statement.condition is None:
        return _("allow") if statement.effect == "allow" else _("deny")
    text = (
        _("allow if %(condition)s") if statement.effect == "allow" else _("deny if %(condition)s")
    )
    return text % {"condition": labels.get(statement.condition, statement.condition)}


def statements_text(statements: Iterable[Statement], labels: Labels) -> str:
    """What several rules say together."""
    texts = [statement_text(one, labels) for one in statements]
    return _(" and ").join(texts) if texts else _("no rule")


def says_text(cell: GridCell, labels: Labels) -> str:
    """What is effective in a cell."""
    match cell.says:
        case "allow_if":
            return _conditional_text(cell, labels)
        case "allow":
            return _("allowed")
        case "deny":
            return _("denied")
        case "mixed":
            return _("partly")
    return _("not allowed")


def cell_text(cell: GridCell, fixed: Fixed, labels: Labels) -> str:
    """A cell in one sentence, for those who do not see it and for the line below the grid."""
    return "; ".join(_sentence(cell, fixed, labels))


def stance_text(stance: Stance, labels: Labels) -> str:
    """What a role brings to an action, before or after a change."""
    allows = [Statement("allow", name) for name in sorted(stance.allows_if)]
    denies = [Statement("deny", name) for name in sorted(stance.denies_if)]
    if stance.denies:
        return _("deny")
    said = [*([Statement("allow")] if stance.allows else allows), *denies]
    return statements_text(said, labels) if said else _("nothing")


def change_text(change: RuleChange, labels: Labels) -> str:
    """One change of a rule."""
    before = statement_text(change.before.statement, labels) if change.before else ""
    after = statement_text(change.after.statement, labels) if change.after else ""
    words = {"before": before, "after": after}
    return {
        "add": _("new rule: %(after)s"),
        "remove": _("rule removed: %(before)s"),
        "change": _("%(before)s becomes %(after)s"),
        "switch_off": _("default of code switched off: %(before)s"),
        "switch_on": _("default of code switched on again: %(after)s"),
    }[change.kind] % words


def problem_text(edit: Edit, problem: Problem) -> str:
    """Why an edit cannot be made."""
    words = {"role": edit.spot.role, "key": edit.spot.key, "actions": ",".join(edit.spot.actions)}
    return {
        "unknown_role": _("There is no role “%(role)s” (any more)."),
        "unknown_endpoint": _("There is no endpoint “%(key)s” (any more)."),
        "unknown_action": _("The endpoint “%(key)s” has no “%(actions)s”."),
        "unknown_condition": _("This condition is not one for objects of “%(key)s”."),
        "fixed": _("What may be done at “%(key)s:%(actions)s” is fixed by code."),
        "missing": _("The endpoint “%(key)s” is missing, so nothing can be allowed there."),
    }[problem] % words


def tags_of(endpoint: EndpointDecl) -> Iterator[tuple[str, str]]:
    """What stands beside the name of an endpoint: kind and text."""
    if endpoint.state == "missing":
        yield "missing", _("missing")
    elif endpoint.state != "active":
        yield "new", _("not looked at yet")
    if endpoint.public:
        yield "fixed", _("public: %(actions)s") % {"actions": _some(endpoint, endpoint.public)}
    if endpoint.locked:
        yield "fixed", _("locked: %(actions)s") % {"actions": _some(endpoint, endpoint.locked)}
    for requirement in endpoint.requirements:
        if requirement.permissions:
            needed = ", ".join(requirement.permissions)
            yield "fixed", _("requires %(permission)s") % {"permission": needed}
        if requirement.recent is not None:
            yield "fixed", _("requires a recent sign-in")
        if requirement.second_factor:
            yield "fixed", _("requires a second factor")


def _some(endpoint: EndpointDecl, words: tuple[str, ...]) -> str:
    is_all = ANY in words or set(words) >= set(endpoint.actions)
    return _("everything") if is_all else ", ".join(words)


def _conditional_text(cell: GridCell, labels: Labels) -> str:
    named = [labels.get(name, name) for name in cell.conditions]
    without = [labels.get(name, name) for name in cell.exceptions]
    text = _("allowed")
    if named:
        text = _("allowed if %(conditions)s") % {"conditions": _(" or ").join(named)}
    if without:
        text += " " + _("but not if %(conditions)s") % {"conditions": _(" or ").join(without)}
    return text


def _sentence(cell: GridCell, fixed: Fixed, labels: Labels) -> Iterator[str]:
    yield says_text(cell, labels)
    if cell.parts:
        yield ", ".join(f"{word}: {_part_text(says)}" for word, says in cell.parts)
    if cell.origin == "own":
        yield _code_text(cell)
    elif cell.origin == "wider":
        yield _("by %(patterns)s") % {"patterns": ", ".join(cell.via)}
    elif cell.origin == "inherited":
        yield _("through %(roles)s") % {"roles": ", ".join(cell.via)}
    if fixed == "public":
        yield _("open to all: code makes it public")
    elif fixed == "locked":
        yield _("locked by code")
    if cell.awaits == "unreviewed":
        yield _("a rule would allow it once somebody has looked at the endpoint")
    elif cell.awaits == "condition_unknown":
        yield _("a rule has a condition that is unknown here")
    if cell.own and (len(cell.own) > 1 or cell.origin != "own"):
        yield _("rules of this cell: %(rules)s") % {"rules": statements_text(cell.own, labels)}
    if cell.off:
        rules = statements_text(cell.off, labels)
        yield _("switched off: %(rules)s (a default of code)") % {"rules": rules}


def _part_text(says: Says) -> str:
    return _("allowed for some") if says == "allow_if" else says_text(GridCell(says), {})


def _code_text(cell: GridCell) -> str:
    if cell.is_default:
        return _("default of code")
    return _("changed default of code") if cell.is_changed else _("by a rule of this cell")
