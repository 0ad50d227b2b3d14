"""The whole sample through Slipway against a plain shell script that does the same work."""
SUITES = {}
