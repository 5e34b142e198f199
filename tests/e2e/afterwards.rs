//! What must be true when everything is over.

mod no_value_was_written_anywhere;
