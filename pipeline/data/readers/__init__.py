"""Where examples come from: files of every format, the hub, and packages that carry data."""
