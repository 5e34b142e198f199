//! The real programs, as processes: webhook and fetcher, and the emulated cloud that they are tried on.

#![cfg(test)]

mod admission_cost;
mod agent_answers;
mod agent_refuses;
mod annotation_to_files;
mod annotation_to_parts;
mod canaries;
mod demo_and_examples;
mod dollars_arrive_unchanged;
mod emulator_access;
mod emulator_admin;
mod emulator_batches;
mod emulator_faults;
mod emulator_sts;
mod fetcher_all_keys;
mod fetcher_batches;
mod fetcher_credentials;
mod fetcher_hooks;
mod fetcher_memory;
mod fetcher_metrics;
mod fetcher_mount;
mod fetcher_neighbours;
mod fetcher_outages;
mod fetcher_proxy;
mod fetcher_refresh;
mod fetcher_refused;
mod fetcher_starts_again;
mod fetcher_success;
mod fetcher_templates;
mod fetcher_variables;
mod four_objects_four_endpoints_two_accounts;
mod injected_pod_again;
mod official_credentials;
mod sdk_conformance;
mod support;
mod variable_writer_crashes;
mod webhook_probes;
mod writer_crashes;
