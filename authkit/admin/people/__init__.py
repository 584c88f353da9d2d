"""The administrator's day with people: their page, and the list of them.

`acts` what can be done, `parts` what the page shows, `doing` how a button is answered;
`filters`, `listing`, `searching` and `exporting` belong to the list.
"""
