"""The commands: settings, then build, then one service call, then print."""
