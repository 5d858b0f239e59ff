"""The rotator's function app."""

import azure.functions as func

from remediator.azure.rotate_function import rotate

app = func.FunctionApp()


@app.timer_trigger(schedule="0 2/5 * * * *", arg_name="timer", run_on_startup=False, use_monitor=True)
def rotate_window(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the clock decides, never the tick
    """Rotate in the middle of each window."""
    rotate()
