"""A kernel is talked to through sockets, and says nothing on the terminal."""

from csat_analysis.execution import kernels
from publishing import chapter, make_root, process, write

NOISY = chapter('import os\nos.write(2, b"noise of a library"), os.system("echo noise of the shell")')


def test_what_a_kernel_writes_past_its_cells_is_not_on_the_terminal(tmp_path):
    root = write(make_root(tmp_path, chapters=("10_one",)), {"notebooks/10_one.ipynb": NOISY})
    running = process(
        "run", "--root", root, "--kernel", "plain", "--jobs", "1"
    )  # of its own: the noise does not pass through Python
    out, err = running.communicate(timeout=120)
    assert (running.returncode, "noise" in out + err) == (0, False)


def test_the_last_line_of_a_kernel_that_died_is_told(tmp_path):
    assert kernels.last_words(str(tmp_path)) == ""
    (tmp_path / "errors.txt").write_text("Traceback\n  File\nMemoryError: no more\n\n")
    assert kernels.last_words(str(tmp_path)) == "MemoryError: no more"


def test_sockets_stand_in_a_folder_where_its_name_is_short_enough(tmp_path):
    assert kernels.config("short").KernelManager == {"transport": "ipc", "ip": "short/kernel"}
    assert kernels.config("long" * 30).KernelManager == {}
    assert kernels.config("short").Manager.errors == "short/errors.txt"
