//! The reference server over loopback, spoken to in raw HTTP.

#[path = "portal/client.rs"]
mod client;
#[path = "portal/defects.rs"]
mod defects;
#[path = "portal/json.rs"]
mod json;
#[path = "portal/pages.rs"]
mod pages;
#[path = "portal/radius.rs"]
mod radius;
#[path = "portal/serve.rs"]
mod serve;
#[path = "portal/slow.rs"]
mod slow;
#[path = "portal/store.rs"]
mod store;
