"""The calls that the page suggests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """A request to try."""

    label: str
    method: str
    path: str
    body: str = ""


ENDPOINTS = [
    Endpoint("Is it up? (open to all)", "GET", "/api/health/"),
    Endpoint("Who am I?", "GET", "/api/profile/"),
    Endpoint("Change my first name", "PATCH", "/api/profile/", '{"first_name": "Captain"}'),
    Endpoint("List the articles", "GET", "/api/articles/"),
    Endpoint("Read article 1", "GET", "/api/articles/1/"),
    Endpoint(
        "Write an article (authors)",
        "POST",
        "/api/articles/",
        '{"title": "On fog", "body": "One cannot see it end."}',
    ),
    Endpoint("Publish article 10 (editors)", "POST", "/api/articles/10/publish/", "{}"),
    Endpoint("List the people (administrators)", "GET", "/api/users/"),
    Endpoint("Read the sales (demo.view_report)", "GET", "/reports/sales/"),
]
