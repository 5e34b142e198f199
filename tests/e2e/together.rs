//! Stories that do not disturb each other.

mod a_stolen_token_opens_nothing;
mod an_injected_pod_comes_again;
mod fields_that_we_do_not_know_survive;
mod files_before_the_first_instruction;
mod mesh_proxies_stay_first;
mod nobody_else_gets_at_what_is_ours;
mod other_injectors_keep_their_additions;
