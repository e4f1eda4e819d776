"""What all tests share."""

from groningen_data.cli import look_for_cycles_less_often

look_for_cycles_less_often()
