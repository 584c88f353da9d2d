"""What authkit tells the project. For the project's receivers only, never for ourselves.

Each is sent with `send_robust`: a receiver that fails is logged and spoils nothing.
All carry `request` (None outside of a request), but for the last two.
"""

from django.dispatch import Signal

#: A person signed in. `user`, `session` (UserSession), `request`. Sender: the user's class.
signed_in = Signal()

#: A sign-in ended. `user_id`, `session_id`, `reason`, `request`. Sender: UserSession.
signed_out = Signal()

#: A sign-in or a credential was refused. `code`, `request`. Sender: the exception's class.
refused = Signal()

#: A refresh token was presented again; its session has been ended. `user`, `session`,
#: `request`. Sender: UserSession.
token_reused = Signal()

#: A limit of failed sign-ins is reached. `user_id` (None for an address, or for a name that
#: nobody has), `address` (empty for an account locked from everywhere), `until`, `request`.
#: Sender: Throttle.
locked_out = Signal()

#: Somebody made an account. `user`, `request`. Sender: the user's class, as below.
registered = Signal()

#: An address was proved to be its person's. `user`, `address`, `request`.
email_verified = Signal()

#: An account has another address. `user`, `old_address`, `address`, `request`.
email_changed = Signal()

#: Somebody changed their own password. `user`, `request`.
password_changed = Signal()

#: Somebody set a new password by a link that was mailed to them. `user`, `request`.
password_reset = Signal()

#: Somebody signed in proved again who they are. `user`, `session_id`, `request`.
reauthenticated = Signal()

#: Somebody closed their own account. `user`, `request`.
deactivated = Signal()

#: An administrator signed in as somebody else. `user`, `administrator`, `request`.
impersonation_began = Signal()

#: And does so no more. `user_id`, `administrator` (None if that account is gone), `reason`.
#: Sender: UserSession.
impersonation_ended = Signal()

#: An audit event is stored for good: after the commit of its transaction, or after the
#: request if it was rolled back. `event` (AuditEvent). Sender: AuditEvent.
event_recorded = Signal()

#: A provider of social login was asked. `method`, `url` (without its query), `status` (None
#: where there was no answer), `duration` in seconds. Sender: None.
provider_asked = Signal()
