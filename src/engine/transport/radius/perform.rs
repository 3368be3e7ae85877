//! One RADIUS exchange of a target.

use std::time::Instant;

use super::{Client, ExchangeError};
use crate::engine::transport::connection::Broken;
use crate::engine::transport::perform::{Arrived, Came};
use crate::engine::transport::{Session, Transport};
use crate::radius::{Code, Packet, dictionary};
use crate::recorder::Fault;
use crate::target::{Answer, Exchange, Inputs};

/// A genuine answer, and the text of its Reply-Messages.
pub(in crate::engine::transport) struct Heard {
    octets: Vec<u8>,
    message: String,
}

impl Heard {
    fn new(octets: Vec<u8>) -> Self {
        let message = Packet::parse(&octets).map(|packet| packet.text(dictionary::REPLY_MESSAGE));
        Self { message: message.unwrap_or_default(), octets }
    }

    /// The answer as the rules see it.
    pub(in crate::engine::transport) fn answer(&self) -> Result<Answer<'_>, Broken> {
        // The client has parsed it before it took it for genuine.
        let packet = Packet::parse(&self.octets)
            .map_err(|error| Broken::new(Fault::Answer, error.to_string()))?;
        Ok(Answer::radius(packet, &self.message))
    }
}

impl Transport {
    /// One Access-Request, sent again if need be, and its answer.
    pub(in crate::engine::transport) async fn over_radius(
        &self,
        client: &Client,
        session: &Session,
        exchange: &Exchange,
        inputs: &Inputs<'_>,
    ) -> Arrived {
        let draft = match exchange.radius() {
            Some(request) => request
                .draft(&self.target, inputs, &session.captured)
                .map_err(|error| Broken::new(Fault::Answer, error.to_string()).unsent()),
            None => Err(Broken::new(Fault::Generator, "the target is not spoken to over RADIUS")),
        };
        let draft = match draft {
            Ok(draft) => draft,
            Err(broken) => return Arrived::never(broken),
        };
        let asked =
            client.exchange(Code::ACCESS_REQUEST, |writer| draft.write(writer, client.secret()));
        match asked.await {
            Ok(answer) => Arrived {
                sent: answer.sent,
                answered: answer.answered,
                // Whether the server knows a request by its octets, and answers it again without
                // deciding again (RFC 5080 §2.2.2), is not known.
                resent: answer.transmissions - 1,
                came: Ok(Came::Radius(Heard::new(answer.octets))),
            },
            Err(error) => {
                let answered = Instant::now();
                let sent = match &error {
                    ExchangeError::Timeout { sent, .. } => *sent,
                    _ => answered,
                };
                let received = error.perhaps_received();
                let mut broken = Broken::new(fault(&error), error.to_string());
                broken.reached |= received > 0;
                Arrived { sent, answered, resent: received.saturating_sub(1), came: Err(broken) }
            }
        }
    }
}

/// Whose fault it is that there is no answer.
fn fault(error: &ExchangeError) -> Fault {
    match error {
        ExchangeError::Refused { .. } => Fault::Connect,
        ExchangeError::Timeout { .. } => Fault::Timeout,
        ExchangeError::Request(_) | ExchangeError::Local { .. } => Fault::Generator,
    }
}
