"""What ``manage.py`` finds by itself."""
