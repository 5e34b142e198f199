//! Stories that break something for everybody, and see it heal. Each leaves the release at work.

mod a_control_plane_in_trouble_harms_no_pod;
mod a_killed_replica_costs_moments;
mod a_stripped_ca_bundle_comes_back;
mod a_webhook_that_is_gone_stops_annotated_pods_alone;
mod an_old_kubelet_never_reads_variables;
mod an_outage_outlives_credentials;
mod certificates_change_hands;
mod every_image_is_pulled_where_the_cluster_wants_it;
mod no_admission_fails_while_replicas_change;
mod no_pod_starts_without_its_secrets;
mod nobody_stops_the_webhook;
mod settings_reach_running_replicas;
mod two_releases_take_turns;
mod uninstalling_leaves_nothing_behind;
