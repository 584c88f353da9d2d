"""None: proxies have no tables."""
