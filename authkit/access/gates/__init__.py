"""Every road by which access changes, with the guards' questions before it.

A gate looks before a change is made, so that a refusal leaves nothing behind even where
no transaction is open; what it lets through is written to the audit (`ledger`).
"""

from authkit.access.gates.listening import listen

__all__ = ["listen"]
