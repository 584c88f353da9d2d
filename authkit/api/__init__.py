"""The HTTP API: serializers know shapes, views know which function to call, nobody rules."""
