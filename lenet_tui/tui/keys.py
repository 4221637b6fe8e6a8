"""The one table of keys: bindings, footer, help and the names in ``settings.toml`` are made from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lenet_tui.run.folder import PICTURES
from lenet_tui.tui.key import Key

if TYPE_CHECKING:
    from textual.binding import Binding


def _section(title: str, *keys: Key) -> tuple[Key, ...]:
    return tuple(replace(key, section=title) for key in keys)


_WRITE_PICTURES = "write confusion.png, loss.png and t-SNE.png into the run's folder"
_BACK = Key("back", "escape,q", "Back", "back to the runs", "dismiss", priority=100)

FORM = _section(
    "New run",
    Key("queue", "ctrl+r", "Queue", "queue the runs of the form", "form.queue", (), 90, anywhere=True),
    Key("next-preset", "ctrl+n", "Next preset", "fill the form with the next preset", "form.next_preset"),
    Key("reset-form", "f8", "Reset form", "set every field to its default", "form.reset"),
)
RUNS = _section(
    "Runs",
    Key(
        *("mark", "space", "Mark", "mark the run: its curves are shown too, and commands act on all marked runs"),
        *("runs.mark", (), 60),
    ),
    Key("mark-down", "shift+down", "Mark down", "mark the run and the next one, and go there", "runs.extend", (1,)),
    Key("mark-up", "shift+up", "Mark up", "mark the run and the one above, and go there", "runs.extend", (-1,)),
    Key("mark-range", "V", "Mark range", "mark what the cursor passes; V or space ends it", "runs.toggle_range"),
    Key(
        *("details", "enter", "Details", "configuration, epochs, confusion matrix, log, layers"),
        *("controller.show_details", (), 80),
    ),
    Key("export", "e", "Export", _WRITE_PICTURES, "controller.export", (), 70),
    Key("stop", "x", "Stop", "stop the run; it keeps its checkpoint and can be resumed", "controller.stop", (), 75),
    Key(
        *("resume", "r", "Resume", "resume a stopped run, or retry a failed one", "controller.resume", (), 45),
        aliases=("again",),
    ),
    Key("clone", "c", "Clone", "copy the run's configuration into the form", "controller.clone", (), 41),
    Key("pictures", "v", "Pictures", "show the run's three pictures", "controller.show_pictures", (), 50),
    Key(
        *("inspect", "i", "Inspect", "errors, t-SNE map, filters and feature maps of the run; draw a digit for it"),
        *("controller.inspect", (), 44),
    ),
    Key("move-up", "K", "Move up", "start a waiting run earlier", "controller.move", (-1,), aliases=("earlier",)),
    Key("move-down", "J", "Move down", "start a waiting run later", "controller.move", (1,), aliases=("later",)),
    Key("delete", "d", "Delete", "delete the run (asks first; its folder goes to the trash)", "controller.delete"),
    Key("undo-delete", "u", "Undo", "undo the last deletion of this session", "controller.table.undo"),
    Key("note", "n", "Note", "write a note on the run", "controller.write_note"),
    Key(
        *("pause", "p", "Pause queue", "pause the queue, or continue it; running runs finish"),
        *("controller.toggle_pause",),
        aliases=("drain",),
    ),
    Key("tags", "t", "Tags", "write tags on the run, or on all marked runs", "controller.table.write_tags"),
    Key("filter", "slash", "Filter", "show only some runs: lr=0.01 state:finished tag:best words", "show_filter"),
    Key("sort", "s", "Sort", "sort by the next column; a click on its title does it too", "runs.sort_by_next"),
    Key("reverse", "S", "Reverse sort", "reverse the order", "runs.reverse"),
    Key("columns", "C", "Columns", "choose the columns of the table", "controller.table.choose_columns"),
    Key(
        *(
            "baseline",
            "B",
            "Baseline",
            "compare every run with this one: Δ columns, and its curve stays; again ends that",
        ),
        "controller.table.pin_baseline",
    ),
    Key("mark-all", "a", "Mark all", "mark every run in the list, or none", "runs.mark_all"),
    Key("csv", "w", "Write CSV", "write the marked runs, or all, into a CSV file", "controller.write_csv"),
    Key("follow", "f", "Follow", "select the running run, and the next one after it", "controller.follow"),
    Key("copy-command", "y", "Copy command", "copy the command that queues the run or the form", "copy_command"),
    Key(
        *("compare", "b", "Compare", "compare the marked runs: what differs, and what is significant"),
        *("controller.compare", (), 43),
    ),
    Key("study", "h", "Homework", "queue the whole assignment and read its discussion", "open_screen", ("study",), 42),
)
CURVES = _section(
    "Curves",
    Key(
        "metric",
        "m",
        "Chart",
        "loss, accuracy, loss by step, learning rate, images/s, gap",
        "curves.cycle_metric",
        (),
        80,
    ),
    Key("second-chart", "M", "Second chart", "the chart beside it, or none", "curves.cycle_second", (), 60),
    Key("train-curve", "D", "Train curve", "hide or show the dashed train curve", "curves.toggle_train", (), 50),
    Key("log", "l", "Log scale", "logarithmic or linear loss", "curves.toggle_log", (), 45),
    Key(
        "smoothing",
        "o",
        "Smoothing",
        "off, 0.6 or 0.9, with the raw curve as a shadow",
        "curves.cycle_smoothing",
        (),
        55,
    ),
    Key("zoom-in", "plus,equals_sign", "Zoom in", "show fewer epochs", "curves.zoom", (0.5,), 65),
    Key("zoom-out", "minus", "Zoom out", "show more epochs", "curves.zoom", (2.0,), 64),
    Key("pan-left", "left_square_bracket", "Earlier epochs", "show earlier epochs", "curves.pan", (-0.25,)),
    Key("pan-right", "right_square_bracket", "Later epochs", "show later epochs", "curves.pan", (0.25,)),
    Key("reset-zoom", "0", "All epochs", "show every epoch; again: the planned ones too", "curves.reset_zoom", (), 40),
    Key("cursor-left", "left", "Read out", "read out the curves, an epoch earlier", "curves.move_cursor", (-1,)),
    Key(
        *("cursor-right", "right", "Read out", "read out the curves, an epoch later", "curves.move_cursor", (1,), 75),
        sign="←→",
    ),
    Key(
        "seeds", "A", "Seeds", "mean and range of the runs that differ in the seed only", "curves.toggle_seeds", (), 48
    ),
    Key("line-marks", "L", "Line marks", "braille, blocks or letters, as your font needs", "curves.cycle_marks"),
)
# Help and suspend work on every screen and dialog; see the bindings of the app.
HELP = Key(
    *("help", "f1,question_mark", "Help", "every key and what it does; ? also works, outside fields"),
    *("app.action_help", (), 100),
    section="App",
)
SUSPEND = Key(
    *("suspend", "ctrl+z", "Suspend", "return to the shell; fg there brings the app back", "app.action_suspend"),
    anywhere=True,
    section="App",
)
MAIN: tuple[Key, ...] = (
    *FORM,
    *RUNS,
    *CURVES,
    *_section(
        "Go to",
        Key("go-form", "1,f2", "Form", "go to the form", "go_to_form", sign="1 F2"),
        Key("go-curves", "2,f3", "Curves", "go to the curves", "go_to_curves", sign="2 F3"),
        Key("go-runs", "escape,3,f4", "Runs", "go to the runs; 3 and F4 also work", "go_to_runs", (), 65),
    ),
    *_section(
        "App",
        Key(
            *("full-screen", "z", "Full screen", "show the panel with the focus on the whole screen, or all panels"),
            *("toggle_full_screen", (), 30),
        ),
        Key(
            *("hide-form", "Z", "Hide form", "hide the form so that curves and runs are wider, or show it"),
            *("toggle_form",),
            aliases=("wide",),
        ),
        Key("wider", "greater_than_sign", "Wider form", "make the form wider", "resize", (2, 0)),
        Key("narrower", "less_than_sign", "Narrower form", "make the form narrower", "resize", (-2, 0)),
        Key("more-curves", "right_curly_bracket", "More curves", "more lines for the curves", "resize", (0, 1)),
        Key("more-runs", "left_curly_bracket", "More runs", "more lines for the runs", "resize", (0, -1)),
        Key(
            *("jump", "ctrl+o", "Jump", "show a letter at every panel and field; the next key goes to one of them"),
            *("jump",),
            anywhere=True,
        ),
        Key("messages", "N", "Messages", "show the messages of this session again", "app.show_messages"),
        Key("theme", "T", "Theme", "choose other colours", "app.search_themes"),
        HELP,
        SUSPEND,
        Key("quit", "q", "Quit", "quit; runs go on in the background", "app.exit", (), 100),
        Key("quit-now", "ctrl+q", "Quit", "quit, also from a field", "app.exit", anywhere=True),
    ),
)

_DETAILS_TABS = ("Configuration", "Result", "Epochs", "Confusion matrix", "Log", "Layers")
DETAILS = _section(
    "Details of a run",
    *(
        Key(f"section-{number}", str(number), title, f"show {title.lower()}", "show_tab", (number - 1,))
        for number, title in enumerate(_DETAILS_TABS, start=1)
    ),
    Key("section-before", "left", "Previous", "the previous section", "step_tab", (-1,), anywhere=True),
    Key(
        *("section-after", "right", "Section", "the next section", "step_tab", (1,), 50),
        anywhere=True,
        sign="←→ 1-6",
    ),
    Key(
        *("toggle-all", "a", "All", "every hyperparameter, or those that differ from the defaults"),
        *("toggle_all", (), 50, ("configuration",)),
    ),
    Key("export", "e", "Export", _WRITE_PICTURES, "export", (), 70),
    Key("pictures", "v", "Pictures", "show the run's three pictures", "show_pictures", (), 50),
    _BACK,
)
PICTURE_TITLES = ("Confusion matrix", "Loss", "t-SNE map")
PICTURES_KEYS = _section(
    "Pictures of a run",
    *(
        Key(f"picture-{number}", str(number), title, f"show {name}", "show_picture", (number - 1,))
        for number, (title, name) in enumerate(zip(PICTURE_TITLES, PICTURES, strict=True), start=1)
    ),
    Key("left", "left", "Previous", "the previous picture; while zoomed, move left", "step", (-1,), anywhere=True),
    Key(
        *("right", "right", "Picture", "the next picture; while zoomed, move right", "step", (1,), 50),
        anywhere=True,
        sign="←→ 1-3",
    ),
    Key(
        *("pixels", "enter", "PNG", "the PNG file, in pixels where the terminal can, or the drawing again"),
        *("toggle_png", (), 60),
    ),
    Key(
        *("zoom", "z,plus", "Zoom", "enlarge the PNG until letters are readable, then fit again; arrows move"),
        *("zoom", (), 50, ("png",)),
    ),
    Key("picture-metric", "m", "Metric", "the next metric of the chart", "chart.cycle_metric", (), 50, ("chart",)),
    Key("picture-log", "l", "Log scale", "logarithmic or linear loss", "chart.toggle_log", (), 50, ("chart",)),
    Key("draw", "e", "Draw again", "draw the three pictures from the run's files", "draw", (), 50),
    _BACK,
)
_INSPECT_TABS = (
    ("Errors", "misclassified images, most confident first"),
    ("Map", "the t-SNE map, with the image under the cursor"),
    ("Filters and maps", "the first filters, and the feature maps of an image"),
    ("Draw", "draw a digit and see what the network predicts"),
)
INSPECT = _section(
    "Inspect a run",
    *(
        Key(f"inspect-{number}", str(number), title, text, "show_tab", (number - 1,))
        for number, (title, text) in enumerate(_INSPECT_TABS, start=1)
    ),
    Key("inspect-before", "shift+tab", "Previous", "the previous section", "step_tab", (-1,), anywhere=True),
    Key(
        *("inspect-after", "tab", "Section", "the next section", "step_tab", (1,), 50),
        anywhere=True,
        sign="tab 1-4",
    ),
    Key("go-left", "left", "Left", "the image to the left or before; the pen to the left", "current.move", (-1, 0)),
    Key(
        *("go-right", "right", "Move", "the image to the right or after; the pen to the right", "current.move"),
        *((1, 0), 50),
        sign="arrows",
    ),
    Key("go-up", "up", "Up", "the image above; the previous layer; the pen up", "current.move", (0, -1)),
    Key("go-down", "down", "Down", "the image below; the next layer; the pen down", "current.move", (0, 1)),
    Key("page-back", "pageup", "Page back", "a page back", "current.page", (-1,)),
    Key("page-on", "pagedown", "Page on", "a page on", "current.page", (1,)),
    Key(
        *("matrix", "m", "Matrix", "choose images by a cell of the confusion matrix"),
        *("errors.toggle_matrix", (), 50, ("errors",)),
    ),
    Key(
        *("choose", "enter", "Open", "the images of the cell; from an image, its feature maps"),
        *("choose", (), 50, ("errors", "map")),
    ),
    Key("true-class", "t", "True", "errors of the next true class", "errors.next_true", (), 50, ("errors",)),
    Key(
        *("predicted-class", "p", "Predicted", "errors of the next predicted class"),
        *("errors.next_predicted", (), 50, ("errors",)),
    ),
    Key("every-error", "a", "All", "errors of every class", "errors.filter", (None, None), 50, ("errors",)),
    Key("next-wrong", "w", "Next error", "the next misclassified image on the map", "map.next_wrong", (), 50, ("map",)),
    Key("next-here", "n", "Next here", "the next image at the same place", "map.next_here", (), 50, ("map",)),
    Key("pen", "space", "Pen", "set the pen down, or lift it (the mouse draws too)", "canvas.pen", (), 50, ("draw",)),
    Key(
        *("erase", "x,backspace,delete", "Erase", "erase ink at the pen (or with the right mouse button)"),
        *("canvas.erase", (), 50, ("draw",)),
        aliases=("rub",),
    ),
    Key("clear", "c", "Clear", "clear the canvas", "canvas.clear", (), 50, ("draw",)),
    Key("undo", "u", "Undo", "undo the last stroke", "canvas.undo", (), 50, ("draw",)),
    Key(
        *("other-run", "o", "Other run", "add the predictions of another run, marked runs first"),
        *("canvas.next_other", (), 50, ("draw",)),
    ),
    Key("retry", "r", "Again", "read the run's files again", "read_again"),
    _BACK,
)
COMPARE = _section(
    "Compare runs",
    Key("write", "w", "Write", "write comparison.png, .csv and .md into the folder study", "write_files", (), 50),
    Key("compare-curves", "c", "Curves", "show or hide the curves of the runs", "toggle_curves", (), 50),
    Key("compare-metric", "m", "Chart", "loss, accuracy, learning rate, images/s, gap", "curves.cycle_metric", (), 40),
    Key("compare-again", "u", "Update", "compare the runs again", "compare", (), 50),
    _BACK,
)
STUDY = _section(
    "Homework study",
    Key("queue-study", "enter", "Queue", "queue the runs of the study that are missing", "queue", (), 50, ("plan",)),
    Key(
        *("more-seeds", "s", "Seeds", "one more seed for every configuration", "change_seeds", (1,), 50, ("plan",)),
        sign="s S",
    ),
    Key("fewer-seeds", "S", "Fewer seeds", "one seed fewer", "change_seeds", (-1,), places=("plan",)),
    Key("more-epochs", "e", "Epochs", "more epochs", "change_epochs", (1,), 50, ("plan",), sign="e E"),
    Key("fewer-epochs", "E", "Fewer epochs", "fewer epochs", "change_epochs", (-1,), places=("plan",)),
    Key("study-dataset", "d", "Data", "the next data set", "change_dataset", (), 50, ("plan",)),
    Key(
        *("update-study", "u", "Update", "write the discussion again from the finished runs"),
        *("update_discussion", (), 50, ("discussion",)),
    ),
    Key("plan", "p", "Plan", "the plan of the study, or the discussion", "toggle_plan", (), 50),
    Key(
        *("contents", "t", "Contents", "show or hide the table of contents; tab goes there"),
        *("toggle_contents", (), 50, ("discussion",)),
    ),
    _BACK,
)
COLUMNS = _section(
    "Columns of the table",
    Key("toggle-column", "space", "Show", "show or hide the column; enter does it too", "toggle", (), 50),
    Key("column-up", "K", "Move up", "move the column to the left in the table", "move", (-1,)),
    Key("column-down", "J", "Move down", "move the column to the right in the table", "move", (1,)),
    Key("reset-columns", "r", "Usual", "show the usual columns again", "reset", (), 50),
    Key("close-columns", "escape,q,C", "Close", "back to the runs", "dismiss", priority=100),
)
MISSING_DATA = _section(
    "Missing data",
    Key("download", "d", "Download", "download the data set into the cache", "download"),
    Key("folder", "f", "Folder", "copy the data set's files from a folder into the cache", "ask_for_folder"),
    Key("digits", "u", "Use digits", "train on scikit-learn's 1,797 digits instead", "use_digits"),
    Key("not-now", "escape", "Not now", "cancel, or close the dialog", "cancel", aliases=("away",)),
)

ALL: tuple[Key, ...] = (*MAIN, *DETAILS, *PICTURES_KEYS, *INSPECT, *COMPARE, *STUDY, *COLUMNS, *MISSING_DATA)
# Names in settings.toml, older ones included, and the ids that they stand for.
NAMES: dict[str, str] = {name: key.id for key in ALL for name in (key.id, *key.aliases)}


def bindings(keys: tuple[Key, ...]) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Return the bindings of a screen."""
    return [key.binding() for key in keys]


def where_it_works(name: str, character: str) -> str:
    """Return what to do for a key of the main screen that was pressed in the form, outside a field."""
    key = next((key for key in MAIN if name in key.keys.split(",")), None)
    if key is None:
        return f"{character} can be typed into a field: ↓ goes to the first one"
    return f"{key.shown} ({key.label.lower()}) works outside the form: press esc first"
