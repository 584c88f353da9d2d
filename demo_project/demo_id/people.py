"""Who has an account at Demo ID, and who may send people there."""

from django.contrib.auth.models import Group, User
from oauth2_provider.models import Application

from demo_project.demo_id.known import CLIENT_ID, CLIENT_SECRET, PASSWORD, PEOPLE


def load(redirect_uris: list[str]) -> None:
    """Create people and the client, or put them back as they were."""
    for username, first_name, last_name, group in PEOPLE:
        names = {"first_name": first_name, "last_name": last_name}
        user, is_new = User.objects.update_or_create(
            username=username, defaults={"email": f"{username}@example.org", **names}
        )
        if is_new or not user.check_password(PASSWORD):
            user.set_password(PASSWORD)
            user.save()
        groups = [Group.objects.get_or_create(name=group)[0]] if group else []
        user.groups.set(groups)
    Application.objects.update_or_create(
        client_id=CLIENT_ID,
        defaults={
            "name": "The magazine",
            "client_secret": CLIENT_SECRET,
            "hash_client_secret": False,  # it is public, and hashing takes a second
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "algorithm": Application.RS256_ALGORITHM,
            "redirect_uris": " ".join(redirect_uris),
        },
    )
