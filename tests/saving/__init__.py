"""Django's session is saved where a database that fails can still be answered for."""
