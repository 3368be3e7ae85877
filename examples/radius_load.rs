//! PAP logins of one user at a fixed concurrency, as fast as the server answers: what the RADIUS
//! client costs by itself. `radius_load SERVER SECRET USER PASSWORD COUNT CONCURRENCY`; the user is
//! a made-up one of `tests/bench/radius.py`, which is why the secret may be an argument here.

use std::cell::Cell;
use std::rc::Rc;

use trousseau::engine::transport::radius::{Client, Options, Retransmission};
use trousseau::radius::{Code, Packet, SharedSecret, dictionary};
use trousseau::secret::Secret;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, secret, user, password, count, concurrency] = &arguments[..] else {
        return Err("radius_load SERVER SECRET USER PASSWORD COUNT CONCURRENCY".into());
    };
    let (count, concurrency): (u64, usize) = (count.parse()?, concurrency.parse()?);
    let options = Options {
        secret: SharedSecret::new(Secret::from(secret.as_bytes())).ok_or("an empty secret")?,
        require_message_authenticator: false,
        in_flight: concurrency,
        retransmission: Retransmission::default(),
    };
    let client = Rc::new(Client::new(server.parse()?, options));
    let (left, accepted) = (Rc::new(Cell::new(count)), Rc::new(Cell::new(0u64)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let tasks: Vec<_> = (0..concurrency)
            .map(|_| {
                let (client, left, accepted) = (client.clone(), left.clone(), accepted.clone());
                let (user, password) = (user.clone(), password.clone());
                tokio::task::spawn_local(async move {
                    while let Some(rest) = left.get().checked_sub(1) {
                        left.set(rest);
                        let answer = client
                            .exchange(Code::ACCESS_REQUEST, |writer| {
                                writer.push(dictionary::USER_NAME, user.as_bytes())?;
                                writer.push_user_password(password.as_bytes(), client.secret())?;
                                Ok(())
                            })
                            .await;
                        let code = answer.ok().and_then(|answer| {
                            Packet::parse(&answer.octets).ok().map(|packet| packet.code())
                        });
                        if code == Some(Code::ACCESS_ACCEPT) {
                            accepted.set(accepted.get() + 1);
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            let _ = task.await;
        }
    });
    if accepted.get() != count {
        return Err(format!("{} of {count} accepted; {}", accepted.get(), client.counters()).into());
    }
    Ok(())
}
