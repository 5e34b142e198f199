//! Stories that break or replace something for everybody: on a cluster of their own, one by one, beside
//! the others. Each leaves the release at work.

mod a_webhook_that_is_gone_stops_annotated_pods_alone;
mod an_old_kubelet_never_reads_variables;
mod an_outage_outlives_credentials;
mod certificates_change_hands;
mod every_image_is_pulled_where_the_cluster_wants_it;
mod no_pod_starts_without_its_secrets;
mod pods_without_rrsa_use_what_the_operator_allows;
mod settings_reach_running_replicas;
mod two_releases_take_turns;
