//! The text of one annotation: the key is chosen by the first byte, mostly `secrets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((choice, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let key = KEYS.get(usize::from(*choice)).unwrap_or(&"secrets");
    let review = fuzz::review_of(key, text).to_string();
    fuzz::check_admission(review.as_bytes(), &fuzz::settings());
});

const KEYS: [&str; 15] = [
    "containers",
    "cross-account-role-arn",
    "file-mode",
    "kms-endpoint",
    "mount-path",
    "path-translation",
    "region",
    "resources.requests.cpu",
    "run-as-user",
    "size-limit",
    "status",
    "timeout",
    "env",
    "env.app",
    "template.app.env",
];
