//! Keys that would take the name of a file that stays. They stay as they were as well: two files of one
//! name cannot be written, and what other sources want, an end of theirs included, would wait for it.

use std::collections::HashMap;

use super::Keeper;
use crate::input::entry::Form;
use crate::render::{Rendered, TakenNames, files_of, twin_of_kept};
use crate::report::problem::Problem;
use crate::write::volumes::current_content;

impl Keeper<'_> {
    /// Whatever of the same value is left out stays in its turn, and so each source may be blamed.
    pub(super) fn blame_twins(
        &self,
        rendered: &mut Vec<Rendered<'_>>,
        unusable: &mut HashMap<usize, Problem>,
    ) {
        for _ in self.plan.all_keys() {
            let kept = self.kept_keys(rendered);
            let found = rendered.iter().find_map(|made| twin_of_kept(self.plan, made, &kept));
            let Some((source, problem)) = found else { return };
            unusable.entry(source).or_insert(problem);
            rendered.retain(|made| made.entry.sources().all(|one| one != source));
        }
    }

    /// What applications see of keys that are not made anew.
    fn kept_keys(&self, rendered: &[Rendered<'_>]) -> TakenNames {
        let mut kept = TakenNames::default();
        for (at, entry) in self.entries.iter().enumerate() {
            let is_kept =
                matches!(entry.form, Form::AllKeys(_)) && rendered.iter().all(|made| made.at != at);
            if is_kept
                && let Ok(Some(names)) = current_content(self.args, self.plan, entry, &self.holds)
            {
                for name in files_of(entry, &names) {
                    kept.take(entry.volume, &name);
                }
            }
        }
        kept
    }
}
