//! Before the run: does the server answer at all, and in a way that can be trusted?

use std::time::{Duration, Instant};

use super::{Client, ExchangeError, Retransmission};
use crate::engine::transport::{Preflight, Transport, TransportError};
use crate::radius::{Code, dictionary};
use crate::target::RadiusSettings;

/// How long an answer is waited for: a server may hold back a reject for some seconds.
const PATIENCE: Duration = Duration::from_secs(8);
/// A user that nobody has: only that there is an answer counts.
const NOBODY: &[u8] = b"trousseau-preflight";

impl Transport {
    /// Asks once, as the target says it can be asked. RADIUS shows no clock.
    pub(in crate::engine::transport) async fn meet_over_radius(
        &self,
        settings: RadiusSettings,
    ) -> Result<Preflight, TransportError> {
        let Some((server, mut options)) = self.endpoint.radius_options(&self.target, 1) else {
            return Err(TransportError::Credential { name: crate::target::RADIUS_SECRET.into() });
        };
        let Retransmission { duration, .. } = options.retransmission;
        options.retransmission.duration = duration.min(PATIENCE);
        let client = Client::new(server, options);
        let asked = Instant::now();
        let answer = if settings.status_server {
            client.exchange(Code::STATUS_SERVER, |_| Ok(())).await
        } else {
            client
                .exchange(Code::ACCESS_REQUEST, |writer| {
                    writer.push(dictionary::USER_NAME, NOBODY)?;
                    writer.push_user_password(NOBODY, client.secret()).map(drop)
                })
                .await
        };
        answer.map_err(|error: ExchangeError| TransportError::Radius {
            message: error.to_string(),
            hint: error.hint(),
        })?;
        Ok(Preflight {
            server_clock_offset: None,
            offset_uncertainty: 0,
            server_rate: None,
            round_trip: asked.elapsed(),
        })
    }
}
