"""What `manage.py check` says of social login."""

from __future__ import annotations

import pytest

from authkit.checks.social import check_social_backends, check_social_pipelines
from authkit.social.pipeline import PIPELINE

pytestmark = pytest.mark.any_user_model

BY_EMAIL = "social_core.pipeline.social_auth.associate_by_email"


def test_ours_and_ours_with_more_between_are_good(settings):
    assert check_social_pipelines() == []
    settings.SOCIAL_AUTH_PIPELINE = [*PIPELINE[:6], "shop.social.step", *PIPELINE[6:]]
    assert check_social_pipelines() == []


@pytest.mark.parametrize("name", ["SOCIAL_AUTH_PIPELINE", "SOCIAL_AUTH_GITHUB_PIPELINE"])
@pytest.mark.parametrize(
    ("pipeline", "word"),
    [([], "admit"), (PIPELINE[:5], "enrol"), ([BY_EMAIL, *PIPELINE], "associate_by_email")],
)
def test_a_pipeline_that_lets_nobody_in_is_named(settings, name, pipeline, word):
    setattr(settings, name, pipeline)
    found = check_social_pipelines()
    assert found
    assert {each.id for each in found} == {"authkit.W020"}
    assert any(word in each.msg and name in each.msg for each in found)


def test_what_takes_links_apart_is_another_pipeline(settings):
    settings.SOCIAL_AUTH_DISCONNECT_PIPELINE = []
    assert check_social_pipelines() == []


def test_a_backend_of_the_settings_that_is_not_taken_is_named(settings):
    github, drip = (
        f"social_core.backends.{name}" for name in ("github.GithubOAuth2", "drip.DripOAuth")
    )
    settings.AUTHENTICATION_BACKENDS = ["authkit.backends.AuthkitBackend", github, drip]
    settings.SOCIAL_AUTH_GITHUB_KEY = "x"
    assert check_social_backends() == []
    settings.SOCIAL_AUTH_DRIP_KEY = "x"
    (found,) = check_social_backends()
    assert found.id == "authkit.W021"
    assert "'drip'" in found.msg
