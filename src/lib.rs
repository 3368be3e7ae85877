//! # trousseau
//!
//! The whole life of a one-time-password hardware key before and on the first day of term: its
//! seed is minted, encrypted as PSKC (RFC 6030), exported to an import file, loaded by an
//! authentication server, initialised by its holder in three steps, and used to log in. The same
//! seeds flow through all of it, so a capacity test exercises the very seeds that production will
//! import, and proves that no code is accepted twice.
//!
//! The floors, lowest first (imports point down only; see `DESIGN.md`):
//!
//! 1. [`secret`], [`serial`], [`clock`], [`definition`], [`atomic_file`],
//!    [`compression`], [`interrupt`],
//!    [`terminal`]; and [`cli`], the declarations of the command line, which import nothing of ours
//! 2. [`otp`], [`radius`], [`keystore`], [`roster`], [`custody`],
//!    [`inventory`], [`pkcs11`]
//! 3. [`token`], [`manifest`], [`scenario`], [`signature`], [`target`]
//! 4. [`pskc`], [`mint`], [`mod@format`], [`fleet`], [`portal`]
//! 5. [`recorder`]
//! 6. [`engine`], [`audit`], [`report`]
//! 7. [`command`], one file per subcommand

pub mod atomic_file;
pub mod audit;
mod charset;
mod check_digit;
pub mod cli;
pub mod clock;
pub mod command;
pub mod compression;
mod counted;
pub mod custody;
pub mod definition;
pub mod engine;
pub mod fleet;
pub mod format;
pub mod interrupt;
pub mod inventory;
pub mod keystore;
mod leftover;
pub mod manifest;
pub mod mint;
mod named;
pub mod otp;
pub mod pkcs11;
pub mod portal;
pub mod pskc;
pub mod radius;
pub mod recorder;
pub mod report;
pub mod roster;
pub mod scenario;
pub mod secret;
mod seen;
pub mod serial;
pub mod signature;
mod spool;
pub mod target;
pub mod terminal;
pub mod token;
#[cfg(test)]
mod wycheproof;
