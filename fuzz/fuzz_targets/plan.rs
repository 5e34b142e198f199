//! The plan, as the fetcher reads it from its environment.
#![no_main]

use plan::Plan;

libfuzzer_sys::fuzz_target!(|json: &str| {
    let Ok(plan) = Plan::decode(json) else { return };
    let encoded = plan.encode().expect("a plan that was read can be written");
    assert!(!encoded.contains('$'), "the kubelet would expand it");
    assert_eq!(Plan::decode(&encoded).expect("and read again"), plan);
});
