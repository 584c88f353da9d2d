"""For ``AUTH_PASSWORD_VALIDATORS``: ``"authkit.validators.GuessablePasswordValidator"``."""

from authkit.accounts.guessable import GuessablePasswordValidator

__all__ = ["GuessablePasswordValidator"]
