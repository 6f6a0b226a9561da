"""Files that are either the old one or the new one."""

import os

from torchann.files.atomic import write_atomically


def test_second_name_of_a_file_that_a_killed_process_left_beside_is_not_written_through(tmp_path):
    best, last = tmp_path / "best.ckpt", tmp_path / "last.ckpt"
    best.write_bytes(b"best")
    os.link(best, tmp_path / "last.ckpt.part")  # as between the two steps of giving best the name of last, too
    write_atomically(last, b"last")
    assert (best.read_bytes(), last.read_bytes()) == (b"best", b"last")
