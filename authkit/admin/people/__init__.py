"""The administrator's day with people: their page, and the list of them.

`acts` what can be done, `panels` and `parts` what the page shows, `doing` how a button is
answered, `proof` what takes a recent sign-in; `many`, `filters`, `searching`, `listing` and
`exporting` belong to the list.
"""
