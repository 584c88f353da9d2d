"""Accounts as pages: rendered here, themed by one base template, without JavaScript."""
