//! From a configuration to a running portal.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

use super::pin::PinKeeper;
use super::service::Service;
use super::store::{KeyFault, Losing, Store, StoreError};
use super::verifier::Key;
use super::worker::{DECOY, Desk, Holder, Worker, decoy};
use super::{GRACE, PortalConfig, PortalError, RunningPortal, http, radius, web};
use crate::atomic_file::{AtomicFile, AtomicFileError};
use crate::clock::SECOND;
use crate::otp::step_start;
use crate::secret::{Secret, veil};
use crate::token::Token;

const LONGEST_USER: usize = 256;
/// A store this far ahead of the clock, in microseconds, is one that ran on another clock.
const AHEAD: u64 = 240 * SECOND;

pub(super) fn start(config: PortalConfig) -> Result<RunningPortal, PortalError> {
    let PortalConfig { listen, radius, tokens, store, reassign, clock, policy, defect, .. } =
        config;
    let (secure_cookies, patience) = (config.secure_cookies, config.patience);
    let model = tokens.first().map(|(_, token)| token).ok_or(PortalError::NoTokens)?;
    let decoy = decoy(model)?;
    let holders = Arc::new(holders(&tokens)?);

    // Listen before touching the store: a mistaken second start must change nothing.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, |n| n.get().min(4)))
        .thread_name("portal-http")
        .enable_all()
        .build()
        .map_err(PortalError::Thread)?;
    let bound = {
        let _inside = runtime.enter();
        bind(listen).and_then(|listener| listener.local_addr().map(|addr| (listener, addr)))
    };
    let (listener, addr) = bound.map_err(|source| PortalError::Listen { addr: listen, source })?;
    let radius = radius
        .map(|config| {
            let _inside = runtime.enter();
            let failed = |source| PortalError::Radius { addr: config.listen, source };
            let socket = radius::bind(config.listen).map_err(failed)?;
            let addr = socket.local_addr().map_err(failed)?;
            Ok::<_, PortalError>((socket, addr, config.secret))
        })
        .transpose()?;

    let (mut opened, key) = open(store.as_deref())?;
    let failed = |source| StoreError::Database {
        path: store.clone().unwrap_or_else(|| ":memory:".into()),
        source,
    };
    let rows = holders.iter().map(|h| (h.serial.as_str(), h.user.as_str()));
    // Judged before it is changed: a start that is refused must leave every PIN where it is.
    ahead(&mut opened, &tokens, &holders, clock.now(), failed)?;
    let assigned = opened.assign(rows.chain([(DECOY, "")]), reassign).map_err(failed)?;
    let handed_on = assigned.map_err(|Losing { pins, serial, before, after }| {
        let store = store.clone().unwrap_or_default();
        // A roster may be the wrong file, of keys.
        let (before, after) = (veil(&before), veil(&after));
        PortalError::HandedOn { store, pins, serial, before, after }
    })?;

    let keeper = PinKeeper::new(&derive(&key, b"pin"));
    let (worker, writer) = Worker::start(Desk {
        store: opened,
        holders: holders.clone(),
        decoy,
        keeper: keeper.clone(),
        policy,
        defect,
        clock: clock.clone(),
        good: 0,
    })?;
    let closing = worker.clone();
    let service = Service::new(worker, holders, keeper, &derive(&key, b"form"), defect, clock);
    let service = Arc::new(service);
    let radius_addr = radius.map(|(socket, addr, secret)| {
        let listener = radius::Listener::new(socket, secret, service.clone());
        runtime.spawn(Arc::new(listener).serve());
        addr
    });

    let (stop, stopping) = oneshot::channel::<()>();
    let (done, stopped) = oneshot::channel();
    let router = web::router(service.clone(), secure_cookies);
    let serving = std::thread::Builder::new()
        .name("portal".into())
        .spawn(move || {
            runtime.block_on(http::serve(listener, router, patience, stopping));
            runtime.shutdown_timeout(GRACE);
            // Every answer that was given is on the disk already. But only a connection that is
            // closed folds the write-ahead log back into the file, and the service, which may
            // outlive this thread, would keep it open.
            closing.close();
            let _ = writer.join();
            let _ = done.send(());
        })
        .map_err(PortalError::Thread)?;
    Ok(RunningPortal {
        addr,
        radius_addr,
        handed_on,
        service,
        stop: Some(stop),
        stopped: Some(stopped),
        threads: vec![serving],
    })
}

/// A thousand people meet the tick of the same minute: the queue of new connections is long.
fn bind(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(4096)
}

fn holders(tokens: &[(String, Token)]) -> Result<Vec<Holder>, PortalError> {
    let (mut users, mut serials) = (HashSet::new(), HashSet::new());
    let check = |(user, token): &(String, Token)| {
        let serial = &token.serial;
        if user.is_empty() || user.len() > LONGEST_USER {
            return Err(PortalError::UserId(serial.clone()));
        }
        if !users.insert(user.clone()) {
            return Err(PortalError::DuplicateUser(user.clone()));
        }
        if !serials.insert(serial.clone()) {
            return Err(PortalError::DuplicateSerial(serial.clone()));
        }
        let key = Key::of(token).ok_or_else(|| PortalError::Algorithm(serial.clone()))?;
        Ok(Holder { serial: serial.to_string(), user: user.clone(), key })
    };
    tokens.iter().map(check).collect()
}

/// Refuses a store whose codes lie in the future.
fn ahead(
    store: &mut Store,
    tokens: &[(String, Token)],
    holders: &[Holder],
    now: u64,
    failed: impl Fn(rusqlite::Error) -> StoreError + Copy,
) -> Result<(), PortalError> {
    let transaction = store.begin().map_err(failed)?;
    for (holder, (_, token)) in holders.iter().zip(tokens) {
        let Some(period) = holder.key.period() else { continue };
        let account = transaction.find(&holder.serial).map_err(failed)?;
        // A key that was found to be fast is ahead by that much, and nothing is wrong.
        let ahead = account
            .and_then(|account| account.last?.checked_add_signed(-account.base.max(0)))
            .map_or(0, |step| step_start(step, period))
            .saturating_sub(now);
        if ahead > AHEAD {
            let serial = token.serial.clone();
            return Err(PortalError::StoreAhead { serial, ahead: ahead / SECOND });
        }
    }
    Ok(())
}

/// The store and the key of its PIN hashes, which lies beside it in a file of its own, so that a
/// copy of the database alone gives nothing to guess at.
fn open(path: Option<&Path>) -> Result<(Store, Secret), PortalError> {
    let fresh = || Secret::random(32).map_err(PortalError::Entropy);
    let Some(path) = path else { return Ok((Store::open(None)?, fresh()?)) };
    let store = Store::open(Some(path))?;
    let failed = |source| StoreError::Database { path: path.into(), source };
    let key_path = beside(path);
    let check = store.key_check().map_err(failed)?;
    let key_failed = |fault| StoreError::Key { path: key_path.clone(), fault };

    let key = match (read_key(&key_path).map_err(key_failed)?, &check) {
        (Some(key), _) => key,
        (None, Some(_)) => return Err(key_failed(KeyFault::Missing).into()),
        (None, None) => {
            let key = fresh()?;
            match AtomicFile::write(&key_path, format!("{}\n", *key.to_hex()).as_bytes()) {
                Ok(()) => key,
                // Another server was started on the same new store at the same moment: its key is
                // the key, and it is whole.
                Err(AtomicFileError::Exists(_)) => read_key(&key_path)
                    .and_then(|key| key.ok_or(KeyFault::Missing))
                    .map_err(key_failed)?,
                Err(error) => return Err(key_failed(KeyFault::Io(error.to_string())).into()),
            }
        }
    };
    let recognised = derive(&key, b"check");
    match check {
        None => store.set_key_check(recognised.expose()).map_err(failed)?,
        Some(check) if Secret::from(&check[..]) == recognised => {}
        Some(_) => return Err(key_failed(KeyFault::OfAnotherStore).into()),
    }
    Ok((store, key))
}

fn read_key(path: &Path) -> Result<Option<Secret>, KeyFault> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(KeyFault::Io(error.to_string())),
    };
    match Secret::from_hex(text.trim_ascii()) {
        Some(key) if key.len() == 32 => Ok(Some(key)),
        _ => Err(KeyFault::Malformed),
    }
}

/// `STORE.key`.
fn beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".key");
    name.into()
}

/// One key per use, so that none of them says anything about another.
fn derive(key: &Secret, purpose: &[u8]) -> Secret {
    let mac = Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    Secret::new(mac.chain_update(purpose).finalize().into_bytes().to_vec())
}
