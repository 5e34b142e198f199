//! What must be true when everything is over.
