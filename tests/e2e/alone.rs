//! Stories that break something for everybody, and see it heal.

mod no_pod_starts_without_its_secrets;
