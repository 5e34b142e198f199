//! The body of an admission request.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    fuzz::check_admission(body, &fuzz::settings());
});
