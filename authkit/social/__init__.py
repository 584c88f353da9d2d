"""Sign in by the word of a provider, through python-social-auth.

Needs the extra `[social]`. The way of a sign-in, and where each part of it stands:

    flow            begin, complete, resume: what the API and the pages call
    providers       who is on offer: rows of the admin, and SOCIAL_AUTH_… settings
    kinds           what is known of Google, GitHub, X, Microsoft, GitLab, OpenID Connect
    transactions, linker
                    what is bound to the browser, and to who links, between begin and complete
    strategy, storage, backends, by_default
                    python-social-auth, told where our settings and rows are
    discovery, id_tokens, fetching, addresses
                    what a provider says, and how far it is believed
    pipeline, steps, sign_in, pausing
                    from a provider's answer to a person, in typed steps
    linking, emails, roles, provider_tokens
                    what a person has linked, and what comes with it
"""
