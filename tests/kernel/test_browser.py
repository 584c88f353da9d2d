"""What devices are called."""

import pytest

from authkit.kernel.browser import name_of

LIKE_GECKO = "(KHTML, like Gecko)"
CHROMIUM = f"AppleWebKit/537.36 {LIKE_GECKO} Chrome/156.0.0.0"
SAFARI = f"AppleWebKit/605.1.15 {LIKE_GECKO} Version/26.0"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Linux",
        ),
        (f"Mozilla/5.0 (X11; Linux x86_64) {CHROMIUM} Safari/537.36", "Chrome, Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {CHROMIUM} Safari/537.36 Edg/156.0", "Edge, Windows"),
        (f"Mozilla/5.0 (Linux; Android 16) {CHROMIUM} Mobile Safari/537.36", "Chrome, Android"),
        (f"Mozilla/5.0 (iPhone; like Mac OS X) {SAFARI} Safari/604.1", "Safari, iPhone"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI} Safari/605", "Safari, macOS"),
        ("curl/8.17.0", "curl/8.17.0"),
        ("python-requests/2.33.0", "python-requests/2.33.0"),
        ("MyApp (build 7)", "MyApp"),
        ("", ""),
        (";;;", ""),
        ("x" * 300, "x" * 40),
    ],
)
def test_a_browser_is_named_with_its_system_and_a_program_by_itself(user_agent, name):
    assert name_of(user_agent) == name
