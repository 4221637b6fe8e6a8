"""What was trained, on what, and how it was measured and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.analysis.plain_markdown import plain
from lenet_tui.analysis.study.blocks import Paragraph, Section, section
from lenet_tui.analysis.study.findings import PARAMETERS
from lenet_tui.analysis.study.phrases import Sentence, listed
from lenet_tui.config import DATASET_TITLES
from lenet_tui.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.analysis.study.findings import Findings


def write(findings: Findings) -> Section:
    """Return the section on the set-up."""
    runs = findings.study.finished
    blocks = [_data(findings, runs), _training(findings), _measures(), *_comparisons(findings), _machine(runs)]
    return section("Set-up", blocks)


def _data(findings: Findings, runs: Sequence[RunResult]) -> Paragraph:
    title = DATASET_TITLES[findings.study.plan.dataset]
    if not runs:
        return Paragraph((Sentence(f"Data: {title}."),))
    data = runs[0].record.dataset
    sentences = [
        Sentence(
            f"Data: {title}, {data.train:,} images to train on, {data.validation:,} to validate on and "
            f"{data.test:,} to test on; the validation images are split off the training set once, "
            "stratified by class, and are the same for every run.",
            tuple(run.run_id for run in runs),
        )
    ]
    odd = [run for run in runs if run.record.dataset.checksum != data.checksum]
    if odd:
        sentences.append(
            Sentence("Some runs saw other images of that name, by their checksum.", tuple(run.run_id for run in odd))
        )
    return Paragraph(tuple(sentences))


def _training(findings: Findings) -> Paragraph:
    plan = findings.study.plan
    seeds = "seed 0, which decides" if plan.seeds == 1 else f"seeds 0 to {plan.seeds - 1}, which decide"
    return Paragraph(
        (
            Sentence(
                f"The default is LeNet-5 with ReLU and max pooling ({PARAMETERS['lenet']:,} parameters), trained "
                f"with Adam on cross-entropy for {counted(plan.epochs, 'epoch')} at batch size 64 and a constant "
                "learning rate of 0.001, without regularisation."
            ),
            Sentence(
                "Every other configuration, here called an arm, changes one setting of it, except for one that puts "
                "three improvements together (one of the data, one of the step size and one of the weights, chosen "
                "before any run was made, not by its results) and AlexNet, which brings its dropout of 0.5 along."
            ),
            Sentence(
                f"Each is trained with {seeds} the initial weights, the order of the images and their distortions."
            ),
        )
    )


def _measures() -> Paragraph:
    return Paragraph(
        (
            Sentence(
                "After every epoch loss and accuracy are measured in evaluation mode on the validation images and "
                "on a fixed sample of 5,000 training images, or all where there are fewer, so that the gap between "
                "the two compares like with like; the training loss is the running mean over the epoch, taken "
                "while the weights still change."
            ),
            Sentence(
                "Losses are cross-entropies per image in nats (by the natural logarithm), and the best validation "
                "loss is the plain cross-entropy in the epoch of lowest validation loss, so that runs with another "
                "training loss compare."
            ),
            Sentence(
                "The weights kept are those of highest validation accuracy; they are tested once, at the end of "
                "the run, and nothing is chosen by the test set."
            ),
        )
    )


def _comparisons(findings: Findings) -> list[Paragraph]:
    overfitting = Sentence(
        "A run counts as overfitting when its validation loss, smoothed over three epochs, ends more than 5 % "
        "above its lowest, rises from there by the trend test of Mann (1945) at the 1 % level, and training loss "
        "falls meanwhile; the epoch of the lowest smoothed loss is then the onset."
    )
    if findings.study.plan.seeds == 1:
        single = Sentence(
            "With one seed there is no telling how much another would differ, so the arms' validation losses are told "
            "and not compared; pairs of runs are compared by McNemar's exact test on the test images, its p-values "
            "adjusted by Holm for the arms of a question, and the result holds for those two runs only."
        )
        return [Paragraph((single,)), Paragraph((overfitting,))]
    losses = (
        Sentence(
            "Each arm is compared with the default by the logarithm of the best validation loss, in a model with an "
            "effect of the arm and one of the seed, fitted to the arms of one question together; effects are ratios "
            "with 95 % intervals (Student's t), and p-values are adjusted by Holm (1979) for the arms of the question, "
            "since the more is tested the more is found by chance."
        ),
        Sentence(
            "A difference is said to be there when its adjusted p-value is below 0.05; “no difference shown” does not "
            "say that there is none, and the interval tells how large it could be. Where all runs point one way "
            f"nevertheless this is said; by chance that happens in one case of {2 ** (findings.study.plan.seeds - 1)}."
        ),
        Sentence(
            "Five further outcomes say where an effect comes from: validation loss, loss on the training sample and "
            "the gap between them in the last epoch, the epoch of lowest validation loss, and the roughness of the "
            "curve (the median change from one epoch to the next in the second half of a run); they are tested in the "
            "same model, and their p-values are adjusted by Holm for all outcomes and arms of the question together."
        ),
    )
    accuracies = Sentence(
        "Test accuracies are compared on the same images and seeds, both taken as drawn at random: the variance of the "
        "difference is what a bootstrap over pairs of both estimates (Owen 2007), computed from mean squares by seeds "
        "and images and corrected for having few seeds, the interval Student's with the degrees of freedom of Hillis "
        "(2007), and p-values are adjusted by Holm for the arms of the question."
    )
    return [Paragraph(losses), Paragraph((accuracies,)), Paragraph((overfitting,))]


def _machine(runs: Sequence[RunResult]) -> Paragraph | None:
    if not runs:
        return None
    environments = [run.record.environment for run in runs]
    places = _distinct(f"{_device(run)} with {counted(run.record.threads, 'thread')}" for run in runs)
    cpus = _distinct(environment.get("cpu", "") for environment in environments)
    versions = [
        f"{name} {listed(_distinct(environment.get(key, '') for environment in environments), 'or')}"
        for key, name in (("lenet-tui", "lenet-tui"), ("torch", "PyTorch"), ("numpy", "NumPy"), ("python", "Python"))
        if any(environment.get(key) for environment in environments)
    ]
    where = [f"each run on {listed(places, 'or')}", *([listed(cpus, "or")] if cpus else []), *versions]
    return Paragraph((Sentence(f"Machine: {', '.join(where)}.", tuple(run.run_id for run in runs)),))


def _device(run: RunResult) -> str:
    return "the CPU" if run.record.device == "cpu" else run.record.device


def _distinct(values: Iterable[str]) -> list[str]:
    return [plain(value) for value in dict.fromkeys(values) if value]
