//! Stories that load the API server or the webhook, or look at how soon it answers: nothing else
//! happens on their cluster. Each leaves the release at work.

mod a_control_plane_in_trouble_harms_no_pod;
mod a_killed_replica_costs_moments;
mod a_stripped_ca_bundle_comes_back;
mod no_admission_fails_while_replicas_change;
mod nobody_stops_the_webhook;
mod uninstalling_leaves_nothing_behind;
