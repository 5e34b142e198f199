//! Stories that break something for everybody, and see it heal.
