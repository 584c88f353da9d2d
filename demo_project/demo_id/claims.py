"""What Demo ID says about a person."""

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):  # type: ignore[misc] # django-oauth-toolkit has no types
    """django-oauth-toolkit's, with claims."""

    oidc_claim_scope = OAuth2Validator.oidc_claim_scope | {"groups": "profile"}

    def get_additional_claims(self) -> dict[str, Any]:
        """Name, address and groups, each if its scope was granted."""
        return {
            "name": lambda request: request.user.get_full_name(),
            "given_name": lambda request: request.user.first_name,
            "family_name": lambda request: request.user.last_name,
            "preferred_username": lambda request: request.user.username,
            "email": lambda request: request.user.email,
            "email_verified": lambda request: True,
            "groups": lambda request: [group.name for group in request.user.groups.all()],
        }
