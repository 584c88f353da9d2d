"""People who sign in with their e-mail address and have no user name."""
