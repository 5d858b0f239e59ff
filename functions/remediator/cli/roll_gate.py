"""Roll a sealed gate."""

from remediator.cli.options import command
from remediator.cli.places import Place
from remediator.cli.speech import Speech


@command
def roll_gate(*, place: Place, speech: Speech) -> None:
    """AWS, gate=sealed: give the write role another external id, and have it sealed for the staged windows.

    Whoever has opened a sealed gate once knows its external id until this. It updates the stack with its own template,
    with the rights you are signed in with: an administrator's, not the operator's.

    Run it again if it breaks off: it makes another one, and the rotator seals the one that stands.

    Example:  [cyan]remediator roll-gate --profile administrator --region eu-west-1[/cyan]
    """
    rolled = place.there.roller(lambda step: speech.note(f"· {step}")).roll()
    document = {
        "generation": rolled.generation,
        "frozen": rolled.frozen,
        "sealed": [window.number for window in rolled.windows],
    }
    sealed = (
        "It is frozen: the rotator seals it with `remediator unfreeze`."
        if rolled.frozen
        else f"It is sealed for {len(rolled.windows)} windows."
    )
    speech.answer(
        document,
        f"Generation {rolled.generation} of the external id stands. {sealed}",
        "The old one opens nothing once IAM has spread the trust policy, within seconds as a rule.",
        "Sessions that it has opened live on for an hour at most; `remediator freeze` denies them where it may.",
    )
