//! What was sent and received, by kind: a retransmission is not a new attempt, and a forged
//! answer is no answer.

use std::fmt;

macro_rules! counters {
    ($($(#[$meta:meta])* $name:ident = $text:literal,)+) => {
        /// Datagrams by kind.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counters { $($(#[$meta])* pub $name: u64,)+ }

        impl Counters {
            /// Every count with its name in words, in the order of declaration.
            pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$(($text, self.$name)),+].into_iter()
            }
        }

        /// What was counted since.
        impl std::ops::Sub for Counters {
            type Output = Self;

            fn sub(self, earlier: Self) -> Self {
                Self { $($name: self.$name.saturating_sub(earlier.$name),)+ }
            }
        }

        impl std::ops::AddAssign for Counters {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)+
            }
        }
    };
}

counters! {
    /// Requests, each counted once however often it was sent.
    requests = "requests",
    /// Requests sent again without an answer to the former transmission.
    retransmissions = "retransmissions",
    /// Requests given up.
    given_up = "requests given up",
    /// Answers taken.
    answers = "answers",
    /// Dropped: a second answer to a request answered before, or given up before.
    duplicates = "duplicate answers dropped",
    /// Dropped: the first answer to a request that had been given up.
    late = "late answers dropped",
    /// Dropped: no request has had this identifier on this socket.
    unsolicited = "unsolicited answers dropped",
    /// Dropped: the Response Authenticator is wrong (forged, or another shared secret).
    bad_authenticator = "answers with a bad authenticator dropped",
    /// Dropped: the Message-Authenticator is wrong.
    bad_message_authenticator = "answers with a bad Message-Authenticator dropped",
    /// Dropped: no Message-Authenticator, though it is required.
    no_message_authenticator = "answers without Message-Authenticator dropped",
    /// Dropped: no packet, or no answer to an Access-Request.
    malformed = "malformed answers dropped",
    /// The network said that nobody listens at the server's port.
    refused = "refused by the network",
}

/// The counts that are not zero, in a row.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, count) in self.each().filter(|(_, count)| *count != 0) {
            write!(f, "{separator}{count} {name}")?;
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_told() {
        let mut counters = Counters { requests: 3, late: 1, ..Default::default() };
        counters += Counters { requests: 2, ..Default::default() };
        assert_eq!(counters.to_string(), "5 requests, 1 late answers dropped");
        let since = counters - Counters { requests: 4, ..Default::default() };
        assert_eq!(since.to_string(), "1 requests, 1 late answers dropped");
        assert_eq!(Counters::default().to_string(), "");
    }
}
