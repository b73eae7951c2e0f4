"""What this was compiled with; the build writes the values."""

VERSION: str
TORCH: str
