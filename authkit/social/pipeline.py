"""The steps from a provider's answer to a person, as python-social-auth runs them.

A project puts steps of its own between them::

    from authkit.social.pipeline import PIPELINE

    SOCIAL_AUTH_PIPELINE = [*PIPELINE[:6], "shop.social.require_customer", *PIPELINE[6:]]

A step is a function of python-social-auth, or a typed one (see `authkit.social.steps.step`).
One that has to ask the person something is a typed one and returns a `Pause`; responses, which
python-social-auth's own ``@partial`` steps return, have no place in a JSON API and let nobody in.
"""

#: In order. Nobody has been created or linked before `enrol`.
PIPELINE = [
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_names",
    "social_core.pipeline.social_auth.social_uid",
    "social_core.pipeline.social_auth.auth_allowed",
    "authkit.social.steps.admit",
    "authkit.social.steps.find_person",
    "authkit.social.steps.ask_for_email",
    "authkit.social.steps.meet_namesake",
    "authkit.social.steps.enrol",
    "authkit.social.steps.keep_tokens",
    "authkit.social.steps.give_roles",
]
#: Without these nobody is let in.
NEEDED = tuple(f"authkit.social.steps.{name}" for name in ("admit", "find_person", "enrol"))
#: It finds people by an address that nobody has verified: an account for the asking.
FORBIDDEN = ("social_core.pipeline.social_auth.associate_by_email",)


def problems_of(pipeline: list[str]) -> list[str]:
    """What is wrong with a pipeline, in words."""
    missing = [f"it lacks {name}" for name in NEEDED if name not in pipeline]
    return missing + [f"it has {name}" for name in FORBIDDEN if name in pipeline]
