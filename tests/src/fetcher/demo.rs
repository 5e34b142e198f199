//! Whom `examples/cloud.json` knows.

/// The account, role, provider and ServiceAccount of `examples/cloud.json`.
pub const ACCOUNT: &str = "1234567890123456";
pub const ROLE: &str = "acs:ram::1234567890123456:role/demo-app";
pub const PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-demo";
pub const REGION: &str = "cn-hangzhou";
pub const NAMESPACE: &str = "shop";
pub const SERVICE_ACCOUNT: &str = "checkout";
