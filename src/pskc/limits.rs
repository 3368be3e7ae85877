//! How much a file may ask for. A file that asks for more is refused, and the limit named.

/// Limits on what a file may ask of its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Elements within elements.
    pub depth: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Bytes of one tag, text or comment.
    pub text: u64,
    /// Iterations of PBKDF2: ten million take some five seconds.
    pub iterations: u32,
    /// Bytes of a secret.
    pub secret: usize,
    /// Bytes of the extensions of one key, and of those of the container.
    pub extensions: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 32,
            attributes: 64,
            text: 64 * 1024,
            iterations: 10_000_000,
            secret: 1024,
            extensions: 64 * 1024,
        }
    }
}
