"""The ground: packaging, floors, documentation, and the test run itself."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
