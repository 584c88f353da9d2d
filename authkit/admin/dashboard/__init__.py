"""What is worth a look today, at the head of authkit's section."""

from authkit.admin.dashboard.pages import Dashboard, DashboardAdmin

__all__ = ["Dashboard", "DashboardAdmin"]
