//! The YAML of settings, bounded.

use serde::de::DeserializeOwned;

/// `None` where there is nothing but comments.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<Option<T>, String> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(blank) {
        return Ok(None);
    }
    // Settings need no anchors, no more depth than injector.resources.cpu, and ten nodes for a
    // rule of the policy.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 0, max_anchors: 0, max_depth: 8, max_nodes: 10_000,
            max_merge_keys: 0, max_documents: 1,
        },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map(Some).map_err(|error| error.to_string())
}
