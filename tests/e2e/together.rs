//! Stories that do not disturb each other.

mod files_before_the_first_instruction;
