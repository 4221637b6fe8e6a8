"""Why each improvement should help: what is said when it did, when it did harm, and when nothing was shown.

Only what was measured picks the text. Where it went against the usual expectation the text says so, instead of telling
the usual story.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Why:
    """The explanation of an improvement: ``idea`` is how it is meant to work, ``better`` what to say when it does."""

    idea: str
    better: str
    worse: str = ""
    not_shown: str = ""

    def text(self, verdict: str) -> str:
        """Return what to say for a verdict; "" while there is none."""
        if verdict == "better":
            return self.better
        if verdict == "worse":
            return self.worse or f"The usual expectation, that {self.idea}, was not confirmed: it did harm here."
        if verdict == "not shown":
            return self.not_shown or f"At the best epoch the usual expectation, that {self.idea}, was not confirmed."
        return ""


WHY: dict[str, Why] = {
    "affine augmentation": Why(
        "knowing that a shifted, turned or scaled digit is the same digit helps with digits not seen before",
        "It puts prior knowledge into the data, that a digit shifted (by up to 2 pixels), turned (10°) or scaled "
        "(10 %) is the same digit, and no image comes twice in the same form, so that there is little to learn by "
        "heart.",
    ),
    "elastic augmentation": Why(
        "bent strokes like those of another hand help with digits not seen before",
        "It bends strokes the way another hand might (Simard et al. 2003, σ = 4 and α = 34 pixels): prior "
        "knowledge of handwriting put into the data, with no image coming twice in the same form.",
    ),
    "dropout": Why(
        "features that may be missing at any step have to be useful each by itself",
        "With 30 % of the features missing at any step, each has to be useful by itself, and combinations that fit "
        "single training images do not pay.",
    ),
    "weight decay": Why(
        "a penalty on large weights keeps the function smooth and wrong answers less certain",
        "The penalty on large weights makes the certainty costly that a network trained for long puts into its "
        "answers, the wrong ones too.",
        "",
        "A penalty on large weights is expected to keep the function smooth and wrong answers less certain; at the "
        "best epoch that was not confirmed.",
    ),
    "label smoothing": Why(
        "plain cross-entropy rises, because certainty is held back",
        "Smoothing is known to raise plain cross-entropy, by which arms are compared here, because it holds "
        "certainty back; this was not confirmed: the certainty it takes from wrong answers weighed more than that "
        "from right ones.",
        "This is its known effect, and no contradiction to its use: the targets forbid the certainty that plain "
        "cross-entropy, by which arms are compared here, rewards.",
        "Its known effect on plain cross-entropy, a rise because certainty is held back, is not shown by these runs.",
    ),
    "cosine schedule": Why(
        "steps that shrink to nothing let the weights settle",
        "Long steps at first find the way down, and steps that shrink to nothing let the weights settle instead of "
        "jumping about the minimum.",
        "",
        "It is expected to let the weights settle as steps shrink to nothing; the best epoch may come before they have "
        "shrunk much, so that this measure sees little of it.",
    ),
    "weight averaging": Why(
        "averaging the last steps takes out the noise of mini-batches",
        "The average over about the last 1,000 steps is meant to take out what the noise of mini-batches does to "
        "any single set of weights, as a falling learning rate does, but from the first epochs on.",
        "The average reaches about 1,000 steps back: where training is not much longer than that, it still holds the "
        "weights of the start.",
    ),
    "three together": Why(
        "improvements that work in different ways add up",
        "The three are meant to work in different ways: augmentation adds knowledge, schedule and averaging take out "
        "noise.",
    ),
}
