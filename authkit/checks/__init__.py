"""What ``manage.py check`` says about a project's use of authkit.

Ids are stable; silence one with ``SILENCED_SYSTEM_CHECKS``.

    authkit.E001    AUTHKIT has a key that does not exist
    authkit.E002    a key of AUTHKIT has a value that it does not take
    authkit.E003    AUTHKIT is not a dictionary
    authkit.E004    a key of JWT_SIGNING_KEYS is not taken
    authkit.E005    JWT_USER_CLAIMS names a field that does not exist or must not be copied
    authkit.E006    PROFILE_FIELDS names a field that does not exist or is not people's own
    authkit.E007    an access token would outlive its refresh token
    authkit.E008    AuthkitMiddleware is missing
    authkit.E009    AuthkitMiddleware stands before Django's AuthenticationMiddleware
    authkit.E010    @allow names a condition that is not registered for the view's model
    authkit.E011    USE_TZ is False
    authkit.E012    a database has a schema for each tenant
    authkit.E040    IMPERSONATION is on, and there is no way back
    authkit.E050    THROTTLE_CACHE names a cache that there is not
    authkit.W001    a lifetime is longer than SESSION_LIFETIME, which cuts it short
    authkit.W002    PROFILE_FIELDS names what people sign in with
    authkit.W003    AuthkitBackend is missing
    authkit.W004    simplejwt's own authentication class stands among the defaults
    authkit.W005    a backend that takes passwords stands before AuthkitBackend
    authkit.W020    a pipeline of python-social-auth lets nobody in
    authkit.W021    a backend of python-social-auth in the settings is not taken
    authkit.W050    THROTTLE_CACHE names a cache that cannot count exactly, and is not used

And with ``--deploy``, beside what Django says there (security.W012, W013, W016, W018 …):

    authkit.W105    "stateless" with access tokens of more than 15 minutes
    authkit.W106    access tokens of more than an hour
    authkit.W107    SESSION_LIFETIME of more than a year
    authkit.W108    MAX_STALENESS of more than 10 seconds
    authkit.W109    Django's sessions are kept in the cookie itself
    authkit.W110    new passwords are not hashed with Argon2
    authkit.W111    a view has no name from which a key follows: it is closed
    authkit.W112    different views answer under one key: they are closed
    authkit.W113    nobody declared or ruled who may reach an endpoint: it is closed
    authkit.W114    a rule is about no endpoint that there is
    authkit.W115    nobody has a role, and no role includes it
    authkit.W116    a rule names a condition that its objects do not have
    authkit.W117    code names a role that there is not
    authkit.W118    the database cannot be asked for roles and rules
    authkit.W119    nothing asks the rules before a view is reached
    authkit.W120    AccessFilterBackend is missing
    authkit.W121    LOGIN_URL leads nowhere
    authkit.W122    the stored rules are no valid policy
    authkit.W123    SESSION_COOKIE_SAMESITE lets other sites send the session cookie
    authkit.W124    the project is behind a proxy, and TRUSTED_PROXIES is empty
    authkit.I101    SESSION_COOKIE_NAME could begin with __Host- and does not
    authkit.W125    code declares something of a view to which no route leads
    authkit.W126    @allow names an action that the view does not have
    authkit.W131    Argon2id with less than OWASP recommends
    authkit.W132    passwords hashed at once take more than a gigabyte in each process
    authkit.W133    mails hold no links: any host is allowed, and FRONTEND_URL is not set
    authkit.W140    IMPERSONATION_LIFETIME of more than an hour
    authkit.W141    IMPERSONATION is on, and Django's sessions are kept in the cookie itself
    authkit.W150    THROTTLE_CACHE names a cache of which each process has its own
    authkit.W151    THROTTLE_CACHE names a cache for which requests may wait long
"""

from authkit.checks.access import (
    check_declarations,
    check_declared_conditions,
    check_endpoints,
    check_enforcement,
    check_login_url,
    check_rules,
)
from authkit.checks.databases import check_schemas, check_time_zones
from authkit.checks.deployment import (
    check_argon2_parameters,
    check_deployed_lifetimes,
    check_links,
    check_password_hasher,
    check_proxies,
    check_session_cookie,
    check_session_engine,
)
from authkit.checks.impersonation import check_impersonation, check_way_back
from authkit.checks.settings import (
    check_lifetimes,
    check_profile_fields,
    check_settings,
    check_signing_keys,
    check_user_claims,
)
from authkit.checks.social import check_social_backends, check_social_pipelines
from authkit.checks.throttling import check_deployed_throttle_cache, check_throttle_cache
from authkit.checks.wiring import (
    check_backend,
    check_first_backend,
    check_middleware,
    check_rest_framework,
)

ALL = (
    check_settings,
    check_signing_keys,
    check_user_claims,
    check_profile_fields,
    check_lifetimes,
    check_time_zones,
    check_schemas,
    check_middleware,
    check_backend,
    check_first_backend,
    check_rest_framework,
    check_declared_conditions,
    check_social_pipelines,
    check_social_backends,
    check_way_back,
    check_throttle_cache,
)
DEPLOY = (
    check_session_cookie,
    check_proxies,
    check_deployed_lifetimes,
    check_session_engine,
    check_password_hasher,
    check_endpoints,
    check_declarations,
    check_rules,
    check_enforcement,
    check_login_url,
    check_argon2_parameters,
    check_links,
    check_impersonation,
    check_deployed_throttle_cache,
)
