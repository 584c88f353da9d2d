"""What the list of audit events is made of: finding, paging, exporting, and telling changes."""
