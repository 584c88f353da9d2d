"""The addresses of the API and of the reports. The names make the endpoints' keys."""
