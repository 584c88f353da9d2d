"""One house for who you are and what you may do.

The map, from the ground up; a file imports only from the floors below its own:

    exceptions      every refusal, each with a stable code
    kernel/         pure values and judgements: grants, tokens, signatures, policies
    conf, signals   what a project sets; what a project hears
    models/         what is stored
    feed            what a process knows of what others have changed
    audit, changes, sealing
                    what happened; what other processes must learn; what is kept encrypted
    sessions, tokens, jwt/, access/
                    one sign-in on one device, and the credentials that hang from it
    accounts/       how a person signs in
    social/         how a provider vouches for one (extra [social])
    authentication, middleware, backends, api/
                    where requests come in
    admin/, checks, management/, testing
                    where people run it
"""

__version__ = "0.1.0"
