"""Run function apps as Azure Functions' host does: triggers, settings, identities, logs, time-outs."""
