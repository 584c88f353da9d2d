"""Three kinds of user model; `tests.settings` installs one of them."""
