"""The one table of keys: bindings, footer, help and what ``settings.toml`` may remap are all made from it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding

from lenet_tui.run.folder import PICTURES


@dataclass(frozen=True)
class Key:
    """One thing that can be done by key. ``id`` is its name in ``settings.toml``, ``label`` stands in the footer.

    ``worth`` says which ones stay in the footer when there is little room: the highest; of equals, those on the left.
    """

    id: str
    keys: str
    label: str
    help: str
    section: str
    show: bool = False
    shown_as: str | None = None
    priority: bool = False
    worth: int = 50

    @property
    def action(self) -> str:
        """The name of the screen's method without its ``action_``."""
        return self.id.replace("-", "_")

    def binding(self) -> Binding:
        """Return it as Textual has it."""
        return Binding(
            self.keys,
            self.action,
            self.label,
            show=self.show,
            key_display=self.shown_as,
            priority=self.priority,
            tooltip=self.help,
            id=self.id,
        )


GO, FORM, RUNS, CURVES, APP = "Go to", "New run", "Runs", "Curves", "App"
RUN_DETAILS, RUN_PICTURES, NO_DATA = "Details of a run", "Pictures of a run", "Missing data"
COMPARISON, HOMEWORK = "Compare runs", "Homework study"
RUN_INSPECT = "Inspect a run"

# On every screen, and in the footer of the main one.
HELP = Key(
    *("help", "f1,question_mark", "Help", "every key, and what it does; ? too, outside of fields", APP),
    show=True,
    shown_as="F1",
    worth=100,
)
# On every screen and dialog too, whatever has the focus.
SUSPEND = Key(
    *("suspend", "ctrl+z", "Suspend", "back to the shell; fg there brings the app back", APP),
    shown_as="^z",
    priority=True,
)

MAIN: tuple[Key, ...] = (
    Key(
        "queue", "ctrl+r", "Queue", "queue what the form says", FORM, show=True, shown_as="^r", priority=True, worth=90
    ),
    Key(
        "mark",
        "space",
        "Mark",
        "mark the run: its curves are shown too, and commands mean all marked",
        RUNS,
        show=True,
        worth=60,
    ),
    Key(
        "details",
        "enter",
        "Details",
        "configuration, epochs, confusion matrix and log of the run",
        RUNS,
        show=True,
        worth=80,
    ),
    Key(
        "export",
        "e",
        "Export",
        "write confusion.png, loss.png and t-SNE.png into the run's folder",
        RUNS,
        show=True,
        worth=70,
    ),
    Key("stop", "x", "Stop", "stop the run; it keeps its checkpoint and can be resumed", RUNS, show=True, worth=75),
    Key("again", "r", "Resume", "resume a stopped run, or try a failed one again", RUNS, show=True, worth=45),
    Key("clone", "c", "Clone", "copy the run's settings into the form", RUNS, show=True, worth=41),
    Key("pictures", "v", "Pictures", "look at the run's three pictures in the terminal", RUNS, show=True),
    Key(
        *("inspect", "i", "Inspect", "its errors, t-SNE map, filters and feature maps; draw a digit for it", RUNS),
        show=True,
        worth=44,
    ),
    Key("earlier", "K", "Move up", "let a waiting run start earlier", RUNS, shown_as="K"),
    Key("later", "J", "Move down", "let a waiting run start later", RUNS, shown_as="J"),
    Key("delete", "d", "Delete", "delete the run (asks first; its folder goes to the trash)", RUNS),
    Key("note", "n", "Note", "write a note on the run", RUNS),
    Key("drain", "p", "Pause queue", "finish what runs and start nothing more, or let the queue go on", RUNS),
    Key("filter", "slash", "Filter", "show only runs with these words", RUNS, shown_as="/"),
    Key("sort", "s", "Sort", "sort by the next column", RUNS),
    Key("reverse", "S", "Reverse", "turn the order round", RUNS, shown_as="S"),
    Key("mark-all", "a", "Mark all", "mark every run in the list, or none", RUNS),
    Key("csv", "w", "Write CSV", "write the marked runs, or all, into a CSV file", RUNS),
    Key("follow", "f", "Follow", "keep to the run that is at work", RUNS),
    Key("copy-command", "y", "Copy command", "copy the command line that queues the run, or what the form says", RUNS),
    Key(
        *("compare", "b", "Compare", "put the marked runs side by side: what differs, and what is noise", RUNS),
        show=True,
        worth=43,
    ),
    Key("study", "h", "Homework", "train the whole assignment and read its discussion", RUNS, show=True, worth=42),
    Key("metric", "m", "Metric", "loss, accuracy, or both", CURVES),
    Key("log", "l", "Log scale", "logarithmic or linear loss", CURVES),
    Key("smoothing", "o", "Smoothing", "off, 0.6 or 0.9, with the raw curve as a shadow", CURVES),
    Key("zoom-in", "plus,equals_sign", "Zoom in", "show fewer epochs", CURVES, shown_as="+"),
    Key("zoom-out", "minus", "Zoom out", "show more epochs", CURVES, shown_as="-"),
    Key("pan-left", "left_square_bracket", "Earlier epochs", "move to earlier epochs", CURVES, shown_as="["),
    Key("pan-right", "right_square_bracket", "Later epochs", "move to later epochs", CURVES, shown_as="]"),
    Key("reset-zoom", "0", "All epochs", "show every epoch", CURVES),
    Key("next-preset", "ctrl+n", "Next preset", "fill the form with the next preset", FORM, shown_as="^n"),
    Key("reset-form", "f8", "Reset form", "every field at its default", FORM, shown_as="F8"),
    Key("go-form", "1,f2", "Form", "go to the form", GO, shown_as="1 F2"),
    Key("go-curves", "2,f3", "Curves", "go to the curves", GO, shown_as="2 F3"),
    Key(
        "go-runs", "escape,3,f4", "Runs", "go to the runs; 3 and F4 do so too", GO, show=True, shown_as="esc", worth=65
    ),
    Key("wide", "z", "Hide form", "hide the form and give its room to curves and runs, or show it again", APP),
    Key("theme", "T", "Theme", "change the colours", APP, shown_as="T"),
    HELP,
    SUSPEND,
    Key("quit", "q", "Quit", "leave; runs go on in the background", APP, show=True, worth=100),
    Key("quit-now", "ctrl+q", "Quit", "leave, from anywhere", APP, shown_as="^q", priority=True),
)

_TITLES = ("Configuration", "Result", "Epochs", "Confusion matrix", "Log")
DETAILS: tuple[Key, ...] = (
    *(
        Key(f"section-{number}", str(number), title, f"show {title.lower()}", RUN_DETAILS)
        for number, title in enumerate(_TITLES, start=1)
    ),
    Key("section-before", "left", "Before", "the section before", RUN_DETAILS, shown_as="←", priority=True),
    Key(
        "section-after",
        "right",
        "Section",
        "the next section",
        RUN_DETAILS,
        show=True,
        shown_as="←→ 1-5",
        priority=True,
    ),
    Key("toggle-all", "a", "All settings", "every setting, or what differs from the defaults", RUN_DETAILS, show=True),
    Key(
        "export",
        "e",
        "Export",
        "write confusion.png, loss.png and t-SNE.png into the folder",
        RUN_DETAILS,
        show=True,
        worth=70,
    ),
    Key("pictures", "v", "Pictures", "look at the run's three pictures", RUN_DETAILS, show=True),
    Key("back", "escape,q", "Back", "back to the runs", RUN_DETAILS, show=True, shown_as="esc", worth=100),
)

PICTURES_KEYS: tuple[Key, ...] = (
    *(
        Key(f"picture-{number}", str(number), name, f"show {name}", RUN_PICTURES)
        for number, name in enumerate(PICTURES, start=1)
    ),
    Key(
        "left",
        "left",
        "Before",
        "the picture before; while zoomed, move left",
        RUN_PICTURES,
        shown_as="←",
        priority=True,
    ),
    Key(
        *("right", "right", "Picture", "the next picture; while zoomed, move right", RUN_PICTURES),
        show=True,
        shown_as="←→ 1-3",
        priority=True,
    ),
    Key(
        "zoom",
        "z,plus",
        "Zoom",
        "larger and larger until letters can be read, then whole again; arrows move",
        RUN_PICTURES,
        show=True,
    ),
    Key(
        "pixels",
        "enter",
        "In pixels",
        "the picture in full, where the terminal can show pixels",
        RUN_PICTURES,
        show=True,
    ),
    Key("draw", "e", "Draw again", "draw the three pictures from the run's files", RUN_PICTURES, show=True),
    Key("back", "escape,q", "Back", "back to the runs", RUN_PICTURES, show=True, shown_as="esc", worth=100),
)

INSPECT: tuple[Key, ...] = (
    Key("inspect-1", "1", "Errors", "the misclassified images, most confident first", RUN_INSPECT),
    Key("inspect-2", "2", "Map", "the t-SNE map, with the image under the cursor", RUN_INSPECT),
    Key("inspect-3", "3", "Filters and maps", "the first filters, and what each layer makes of an image", RUN_INSPECT),
    Key("inspect-4", "4", "Draw", "draw a digit, and see what the network takes it for", RUN_INSPECT),
    Key("inspect-before", "shift+tab", "Before", "the section before", RUN_INSPECT, shown_as="⇧tab", priority=True),
    Key(
        *("inspect-after", "tab", "Section", "the next section", RUN_INSPECT),
        show=True,
        shown_as="tab 1-4",
        priority=True,
    ),
    Key(
        "go-left",
        "left",
        "Left",
        "the image to the left or before; the pen to the left",
        RUN_INSPECT,
        shown_as="←",
    ),
    Key(
        *("go-right", "right", "Walk", "the image to the right or after; the pen to the right", RUN_INSPECT),
        show=True,
        shown_as="arrows",
    ),
    Key("go-up", "up", "Up", "the image above; the layer before; the pen upwards", RUN_INSPECT, shown_as="↑"),
    Key("go-down", "down", "Down", "the image below; the next layer; the pen downwards", RUN_INSPECT, shown_as="↓"),
    Key("page-back", "pageup", "Page back", "a screenful back", RUN_INSPECT, shown_as="PgUp"),
    Key("page-on", "pagedown", "Page on", "a screenful on", RUN_INSPECT, shown_as="PgDn"),
    Key(
        "matrix",
        "m",
        "Matrix",
        "choose images by a cell of the confusion matrix",
        RUN_INSPECT,
        show=True,
    ),
    Key("choose", "enter", "Into", "the cell's images; from an image, its feature maps", RUN_INSPECT, show=True),
    Key("true-class", "t", "True", "errors of the next true class", RUN_INSPECT, show=True),
    Key("predicted-class", "p", "Predicted", "errors of the next predicted class", RUN_INSPECT, show=True),
    Key("every-error", "a", "All", "errors of every class", RUN_INSPECT, show=True),
    Key("next-wrong", "w", "Next error", "the next misclassified image on the map", RUN_INSPECT, show=True),
    Key("next-here", "n", "Next here", "the next image at the same place of the map", RUN_INSPECT, show=True),
    Key(
        "pen",
        "space",
        "Pen",
        "set the pen down, or lift it (the mouse draws too)",
        RUN_INSPECT,
        show=True,
    ),
    Key(
        "rub",
        "x,backspace,delete",
        "Rub",
        "take ink away at the pen (or with the right button)",
        RUN_INSPECT,
        show=True,
    ),
    Key("clear", "c", "Clear", "an empty canvas", RUN_INSPECT, show=True),
    Key("undo", "u", "Undo", "take the last stroke back", RUN_INSPECT, show=True),
    Key("other-run", "o", "Other run", "let another run guess as well, marked ones first", RUN_INSPECT, show=True),
    Key("retry", "r", "Again", "read the run's files again", RUN_INSPECT),
    Key("back", "escape,q", "Back", "back to the runs", RUN_INSPECT, show=True, shown_as="esc", worth=100),
)

COMPARE: tuple[Key, ...] = (
    Key(
        "write", "w", "Write", "write comparison.png, .csv and .md into the root's folder study", COMPARISON, show=True
    ),
    Key("compare-again", "u", "Update", "compare the runs as they are now", COMPARISON, show=True),
    Key("back", "escape,q", "Back", "back to the runs", COMPARISON, show=True, shown_as="esc", worth=100),
)

STUDY: tuple[Key, ...] = (
    Key("queue-study", "enter", "Queue", "queue the study's runs that are not on record yet", HOMEWORK, show=True),
    Key("more-seeds", "s", "Seeds", "one more seed for every arm", HOMEWORK, show=True, shown_as="s S"),
    Key("fewer-seeds", "S", "Fewer seeds", "one seed fewer", HOMEWORK, shown_as="S"),
    Key("more-epochs", "e", "Epochs", "more epochs", HOMEWORK, show=True, shown_as="e E"),
    Key("fewer-epochs", "E", "Fewer epochs", "fewer epochs", HOMEWORK, shown_as="E"),
    Key("study-dataset", "d", "Data", "another data set", HOMEWORK, show=True),
    Key(
        "update-study", "u", "Update", "write the discussion anew from the runs that are finished", HOMEWORK, show=True
    ),
    Key("plan", "p", "Plan", "what the study queues, or the discussion again", HOMEWORK, show=True),
    Key("contents", "t", "Contents", "show or hide the table of contents; tab goes there", HOMEWORK, show=True),
    Key("back", "escape,q", "Back", "back to the runs", HOMEWORK, show=True, shown_as="esc", worth=100),
)

MISSING_DATA: tuple[Key, ...] = (
    Key("download", "d", "Download", "fetch the data set into the cache", NO_DATA),
    Key("folder", "f", "Folder", "copy the data set's files from a folder into the cache", NO_DATA),
    Key("digits", "u", "Use digits", "train on scikit-learn's 1,797 digits instead", NO_DATA),
    Key("away", "escape", "Later", "cancel what is going on, or decide later", NO_DATA, shown_as="esc"),
)

ALL: tuple[Key, ...] = (*MAIN, *DETAILS, *PICTURES_KEYS, *INSPECT, *COMPARE, *STUDY, *MISSING_DATA)


def worth_of(key_id: str) -> int:
    """Return what a key of the main screen is worth in the footer."""
    return next(key.worth for key in MAIN if key.id == key_id)


def bindings(keys: tuple[Key, ...]) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Return the bindings of a screen."""
    return [key.binding() for key in keys]
