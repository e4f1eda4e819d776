"""What counts as a delivered file, and in which order."""

import os

from groningen_data.sources.base import delivered_files


def test_files_come_in_order_of_folder_and_name(tmp_path):
    for place in ("b.csv", "a.csv", "a/z.csv", "a/later/a.csv", "a-b/x.csv"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(place)
    files = delivered_files(tmp_path)
    assert [file.place for file in files] == ["a/later/a.csv", "a/z.csv", "a-b/x.csv", "a.csv", "b.csv"]
    assert [file.path for file in files] == sorted(path for path in tmp_path.rglob("*") if path.is_file())


def test_hidden_files_and_what_is_no_file_are_left_out(tmp_path):
    (tmp_path / ".part").write_text("half")
    (tmp_path / "folder").mkdir()
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    (tmp_path / "elsewhere").symlink_to(tmp_path.parent, target_is_directory=True)
    assert delivered_files(tmp_path) == []
    (tmp_path / "linked.csv").symlink_to(__file__)
    assert [file.place for file in delivered_files(tmp_path)] == ["linked.csv"]


def test_the_stamp_changes_with_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1")
    (before,) = delivered_files(tmp_path)
    assert delivered_files(tmp_path) == [before]
    path.write_text("2")
    os.utime(path, ns=(1, 1))
    assert delivered_files(tmp_path)[0].stamp != before.stamp


def test_a_folder_that_is_not_there_has_no_files(tmp_path):
    assert delivered_files(tmp_path / "none") == []
