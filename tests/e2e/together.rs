//! Stories that do not disturb each other.

mod a_refusal_of_the_cloud_is_told;
mod a_refusal_says_what_to_write_instead;
mod a_role_belongs_to_its_service_account;
mod account_and_pod_in_one_apply;
mod consumers_are_chosen;
mod controllers_tell_a_refusal_in_events;
mod files_before_the_first_instruction;
mod files_belong_to_who_reads_them;
mod nothing_happens_without_opt_in;
mod pod_security_accepts_what_is_injected;
mod quality_of_service_and_quotas;
